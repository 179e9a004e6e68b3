package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// imageKind is a kind of file that some drivers take as root.path.
type imageKind struct {
	capability, name string
	magic            string
	at               int // where the file has it
}

func imageKinds() []imageKind {
	return []imageKind{
		{sdk.ImageSquashFS, "a SquashFS image", "hsqs", 0}, // squashfs_fs.h
		{sdk.ImageSIF, "a SIF image", "SIF_MAGIC\x00", 32}, // sylabs/sif, behind a launch line of 32 bytes
	}
}

// kindOf looks at a file. A directory, or a file of no kind that is known, is nil.
func kindOf(path string) *imageKind {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, 64)
	n, _ := io.ReadFull(f, head) // a shorter file has no magic; a directory cannot be read
	for _, kind := range imageKinds() {
		if n >= kind.at && bytes.HasPrefix(head[kind.at:n], []byte(kind.magic)) {
			return &kind
		}
	}
	return nil
}

// orOthers adds to a driver's refusal of an image that it does not take which drivers would. Only here
// are they started: nobody else pays for the answer.
func (p *Plan) orOthers(ctx context.Context, d *Driver, r Request, root string, refusal error) error {
	if !errors.Is(refusal, sdk.ErrUnsupported) && !errors.Is(refusal, sdk.ErrInvalid) {
		return refusal
	}
	kind := kindOf(root)
	if kind == nil || d.takes(ctx, kind) {
		return refusal
	}
	names, err := p.host.candidates()
	if err != nil {
		return refusal
	}
	var able []string
	for _, name := range names {
		if name != d.Name && p.host.mayTake(ctx, name, r, kind) {
			able = append(able, name)
		}
	}
	if len(able) == 0 {
		return sdk.WithAdvice(refusal, "no driver of this node takes "+kind.name+"; unpack it into a directory")
	}
	return sdk.WithAdvice(refusal, fmt.Sprintf("drivers of this node that take %s: %s", kind.name, strings.Join(able, ", ")))
}

// takes says whether the driver describes itself as one that takes images of a kind.
func (d *Driver) takes(ctx context.Context, kind *imageKind) bool {
	about, err := d.Describe(ctx)
	return err == nil && slices.Contains(about.Capabilities, kind.capability)
}

// mayTake says whether a driver takes images of a kind, works on this node, and may be asked for.
func (h *Host) mayTake(ctx context.Context, name string, r Request, kind *imageKind) bool {
	q := r.Match
	q.Container, q.Wish, q.WishFrom = r.container(), name, "--driver"
	if _, err := h.Config.Choose(q); err != nil {
		return false
	}
	d, err := h.OpenDriver(ctx, name)
	if err != nil {
		return false
	}
	defer d.Close()
	return d.takes(ctx, kind) && h.check(ctx, d) == nil
}
