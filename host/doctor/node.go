package doctor

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/host/layout"
	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/host/trust"
)

// Node is what is examined. Here describes the node that the process runs on.
type Node struct {
	Root    string        // directory that /proc, /sys, /etc and /usr are below: "/"
	User    string        // the caller's name; its number where it has none
	Program string        // absolute path of berth itself
	State   state.Place   // where containers are kept, and the caller's uid
	Layout  layout.Layout // where berth's own files are
	Trust   trust.Rules

	// Host gives access to the configuration and the drivers. It is nil where the
	// configuration cannot be used; HostErr says why.
	Host    *dispatch.Host
	HostErr error
}

// Here describes the node that the process runs on. env is the caller's environment. host and
// hostErr are the results of dispatch.New, of which one is nil: a node whose configuration is broken
// can be examined all the same. An error means that berth cannot find its own program.
func Here(env []string, host *dispatch.Host, hostErr error) (Node, error) {
	n := Node{
		Root: "/", User: strconv.Itoa(os.Geteuid()), Host: host, HostErr: hostErr,
		State: state.Place{System: state.DefaultSystem, UID: os.Geteuid(), UserRuntimeDir: dispatch.Variable(env, "XDG_RUNTIME_DIR")},
	}
	if u, err := user.LookupId(n.User); err == nil {
		n.User = u.Username
	}
	var err error
	if n.Program, err = os.Executable(); err != nil {
		return n, fmt.Errorf("finding berth's own program: %w", err)
	}
	if host != nil {
		n.Layout, n.Trust = host.Layout, host.Trust
		return n, nil
	}
	if n.Layout, err = layout.Find(); err != nil {
		return n, err
	}
	n.Trust = trust.Rules{Caller: os.Geteuid(), Root: trust.SeenRoot(), BuildOwner: -1}
	if n.Layout.BuildTree {
		n.Trust.BuildOwner = n.Layout.Owner
	}
	return n, nil
}

// path is where a file of the system is found.
func (n *Node) path(elem ...string) string {
	return filepath.Join(n.Root, filepath.Join(elem...))
}

// read returns what a file of the system says, without the white space around it; "" where it
// cannot be read, which for the files of /proc means that the kernel does not have them.
func (n *Node) read(elem ...string) string {
	data, err := os.ReadFile(n.path(elem...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// systemd says whether process 1 is systemd.
func (n *Node) systemd() bool { return n.read("proc/1/comm") == "systemd" }

func (n *Node) uid() string { return strconv.Itoa(n.State.UID) }
