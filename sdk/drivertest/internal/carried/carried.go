// Package carried holds the kit's program for containers in programs that "make build" has built, so
// that they need neither Go nor a file beside them. Elsewhere there is none.
package carried

import "embed"

// built is a directory that "make build" puts the program into.
//
//go:embed all:program
var built embed.FS

// Probe is the program's file, or nil where it was not built.
func Probe() []byte {
	program, err := built.ReadFile("program/berth-probe")
	if err != nil {
		return nil
	}
	return program
}
