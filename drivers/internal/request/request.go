// Package request finds what config.json asks for that a runtime without root's rights does not do, and
// refuses it by the name of the field.
package request

import (
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Request is something that config.json may ask for and the runtime does not do.
type Request struct {
	Field, Answer string // of config.json; why it is refused
	Asked         bool
	Isolation     bool // more isolation than the runtime gives: a site may let containers share
}

// Runtime is what refusals call the runtime.
type Runtime struct {
	Driver string // the table of berth.toml
	Name   string // "enroot"
	Makes  string // "enroot makes": in front of the namespaces that it does not make
}

// Unsupported is the error about a field of config.json, or of a request, that a runtime cannot honour.
func Unsupported(field, format string, args ...any) error {
	return sdk.Mark(fmt.Errorf("%s: %w", field, fmt.Errorf(format, args...)), sdk.ErrUnsupported)
}

// Isolation is the error about a request that a site may have passed over.
func (r Runtime) Isolation(field, format string, args ...any) error {
	return sdk.WithAdvice(Unsupported(field, format, args...),
		"remove it from config.json, or let containers share what the node has: isolation = \"share\" in [drivers."+r.Driver+"] of berth.toml")
}

// Refuse returns the error about the first request that is asked, or nil. With share those for isolation are
// passed over.
func (r Runtime) Refuse(requests []Request, share bool) error {
	for _, one := range requests {
		switch {
		case !one.Asked || one.Isolation && share:
		case one.Isolation:
			return r.Isolation(one.Field, "%s", one.Answer)
		default:
			return Unsupported(one.Field, "%s", one.Answer)
		}
	}
	return nil
}

// Caller sees to it that the container's user is the caller: for runtimes that map no other, and would take
// any ID for the caller's.
func (r Runtime) Caller(u specs.User, l *specs.Linux) error {
	for _, id := range []struct {
		field string
		id    uint32
		own   int
		maps  []specs.LinuxIDMapping
	}{{"uid", u.UID, os.Geteuid(), l.UIDMappings}, {"gid", u.GID, os.Getegid(), l.GIDMappings}} {
		outside := int64(-1)
		if len(id.maps) == 0 {
			outside = int64(id.id)
		}
		for _, m := range id.maps {
			if id.id >= m.ContainerID && id.id-m.ContainerID < m.Size {
				outside = int64(m.HostID) + int64(id.id-m.ContainerID)
			}
		}
		if outside != int64(id.own) {
			return Unsupported("process.user."+id.field, "%s can only run as its caller, %d on this node, not as %d", r.Name, id.own, outside)
		}
	}
	return nil
}
