// Package wire carries the SDK's messages between host and driver: gRPC in the service
// berth.driver.v1. It alone knows the generated protobuf; a driver author never sees it.
package wire

// Version is the version of the protocol that this SDK speaks (docs/protocol.md).
const Version = 1

// CoreVersion is the first field of a handshake: go-plugin's own version.
const CoreVersion = 1

// MaxMessage is the largest message that either side takes, in bytes. Linux takes no argv and
// environment of more than 6 MiB together (fs/exec.c, bprm_stack_limits).
const MaxMessage = 8 << 20

// What a driver finds in its environment when the host starts it.
const (
	// CookieName and Cookie tell a person who starts a driver by hand what it is; they are no secret.
	CookieName = "BERTH_DRIVER_COOKIE"
	Cookie     = "berth.driver.v1"

	// VersionsName lists the versions that the host speaks, separated by commas.
	VersionsName = "PLUGIN_PROTOCOL_VERSIONS"

	// SocketDirName is the directory in which the driver must listen.
	SocketDirName = "PLUGIN_UNIX_SOCKET_DIR"

	// ProcsName and Procs keep a Go program from making itself ready for every core of the node: on
	// 128 of them that takes longer than everything else that a driver does.
	ProcsName = "GOMAXPROCS"
	Procs     = "2"
)

// Belongs says whether the variable of that name is between host and driver only, and must reach
// no program that either of them starts.
func Belongs(name string) bool {
	const plugin = "PLUGIN_"
	return name == CookieName || name == ProcsName || len(name) >= len(plugin) && name[:len(plugin)] == plugin
}
