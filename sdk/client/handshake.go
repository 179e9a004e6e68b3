package client

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/sdk/internal/wire"
)

// maxHandshake bounds the handshake line, in bytes.
const maxHandshake = 4096

// handshakeError is a first line of output that does not let the host talk to the driver.
type handshakeError struct{ text string }

func (e *handshakeError) Error() string { return e.text }

func badHandshake(format string, args ...any) error {
	return &handshakeError{text: fmt.Sprintf(format, args...)}
}

// readHandshake reads the line by which a driver says where it listens. Nothing of it reaches
// go-plugin before it has been checked: see docs/protocol.md, "Handshake".
func readHandshake(r io.Reader) (string, error) {
	line, err := bufio.NewReaderSize(io.LimitReader(r, maxHandshake), maxHandshake).ReadString('\n')
	switch {
	case err == nil:
		return strings.TrimSuffix(line, "\n"), nil
	case len(line) == maxHandshake:
		return "", badHandshake("its first line of output is longer than %d bytes: %s", maxHandshake, quote(line))
	case errors.Is(err, io.EOF) && line == "":
		return "", errors.New("ended before it was ready")
	case errors.Is(err, io.EOF):
		return "", badHandshake("ended within its first line of output: %s", quote(line))
	default:
		return "", fmt.Errorf("reading its handshake: %w", err)
	}
}

// checkHandshake returns the path of the socket on which a driver listens, where line is the
// handshake of one that this host can talk to, and the socket is inside dir.
func checkHandshake(line, dir string) (string, error) {
	fields := strings.Split(line, "|")
	if len(fields) < 5 {
		return "", badHandshake("is not a driver of berth: its first line of output is %s", quote(line))
	}
	core, coreErr := strconv.Atoi(fields[0])
	version, versionErr := strconv.Atoi(fields[1])
	switch {
	case coreErr != nil || versionErr != nil || version < 0:
		return "", badHandshake("is not a driver of berth: its first line of output is %s", quote(line))
	case core != wire.CoreVersion:
		return "", badHandshake("speaks go-plugin's core protocol %d, this berth speaks %d: rebuild the driver", core, wire.CoreVersion)
	case version > wire.Version:
		return "", badHandshake("speaks protocol %d, this berth speaks %d: upgrade berth, or build the driver with an older SDK", version, wire.Version)
	case version < wire.Version:
		return "", badHandshake("speaks protocol %d, this berth speaks %d: upgrade the driver", version, wire.Version)
	case fields[4] != "grpc":
		return "", badHandshake("speaks %s instead of grpc", quote(fields[4]))
	case fields[2] != "unix":
		return "", badHandshake("listens on %s instead of a unix socket", quote(fields[2]))
	case filepath.Dir(fields[3]) != filepath.Clean(dir) || filepath.Base(fields[3]) == "..":
		return "", badHandshake("listens at %s, outside the directory it was given", quote(fields[3]))
	case len(fields) > 5 && fields[5] != "":
		return "", badHandshake("offers a TLS certificate, which this protocol has no use for")
	}
	return fields[3], nil
}

// quote makes text from a driver safe to print: one line, escaped, of bounded length.
func quote(text string) string {
	const limit = 200
	if len(text) > limit {
		return strconv.QuoteToASCII(text[:limit]) + "…"
	}
	return strconv.QuoteToASCII(text)
}
