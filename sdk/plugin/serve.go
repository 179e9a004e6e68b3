// Package plugin is a driver's main:
//
//	func main() { plugin.Serve(&driver{}) }
package plugin

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/internal/wire"
)

// statusRefused is the exit status of a driver that cannot serve.
const statusRefused = 125

// Serve answers the host's calls with d until the host ends the process. It is the whole main of
// a driver, and never returns.
//
// It takes the standard streams away: stdin is /dev/null, what is written to stdout is lost, and
// stderr is the log, best written with log/slog, whose default logger it sets up. Nothing of the
// host's side is left in the environment when the first method is called.
//
// The host ends a driver by SIGKILL once it has its answer: what a method has to do is done when it
// returns.
func Serve(d sdk.Driver) {
	if os.Getenv(wire.CookieName) != wire.Cookie {
		help()
	} else if err := serve(d); err != nil {
		fmt.Fprintf(os.Stderr, "starting the driver: %v\n", err)
	}
	os.Exit(statusRefused)
}

// help is for a person who starts a driver by hand.
func help() {
	name := filepath.Base(os.Args[0])
	fmt.Fprintf(os.Stderr, "%s: this is a driver of berth, which starts it by itself\n", name)
	fmt.Fprintf(os.Stderr, "%s: try: berth driver test %s\n", name, os.Args[0])
}

func serve(d sdk.Driver) error {
	if d == nil {
		return errors.New("there is none to serve")
	}
	if err := settle(); err != nil {
		return err
	}
	dir := os.Getenv(wire.SocketDirName)
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("%s is %q, no absolute path", wire.SocketDirName, dir)
	}
	socket := filepath.Join(dir, "driver")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	scrub()
	if _, err := fmt.Printf("%d|%d|unix|%s|grpc|\n", wire.CoreVersion, wire.Version, socket); err != nil {
		return fmt.Errorf("writing the handshake: %w", err)
	}
	if err := muteStdout(); err != nil {
		return err
	}
	return wire.Serve(listener, d)
}

// scrub removes what is between host and driver from the environment, so that it reaches no
// program that the driver starts.
func scrub() {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); wire.Belongs(name) {
			os.Unsetenv(name)
		}
	}
}
