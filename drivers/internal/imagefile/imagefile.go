// Package imagefile looks at an image in a file before a runtime does, which says less of what is wrong.
package imagefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// Kind is a kind of image, by what its head holds.
type Kind struct {
	name    string
	magic   string
	magicAt int
	lengths []int // where the numbers are, little-endian and of 64 bits, whose sum the file must hold
}

// SquashFS 4 has the length of the file system in its superblock (squashfs_fs.h).
func SquashFS() Kind { return Kind{name: "SquashFS", magic: "hsqs", lengths: []int{40}} }

// SIF has where its data begin and how long they are in its global header (sif, pkg/sif).
func SIF() Kind { return Kind{name: "SIF", magic: "SIF_MAGIC", magicAt: 32, lengths: []int{112, 120}} }

// headSize is what is read of a file: as much as the head of the longest kind has.
const headSize = 128

// Check says whether the file that root.path names is a whole image of one of the kinds. ErrInvalid: it is
// not, or no regular file. ErrUnavailable: it cannot be read.
func Check(path string, kinds ...Kind) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("root.path: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	var head []byte
	if info.Mode().IsRegular() {
		if head, err = readHead(path); err != nil {
			return fmt.Errorf("reading root.path: %w", sdk.Mark(err, sdk.ErrUnavailable))
		}
	}
	var names []string
	for _, k := range kinds {
		if k.begins(head) {
			return k.whole(path, head, uint64(info.Size()))
		}
		names = append(names, k.name)
	}
	return sdk.Mark(fmt.Errorf("root.path: %q is neither a directory nor a %s image", path, strings.Join(names, " or ")), sdk.ErrInvalid)
}

// readHead reads what a file begins with: less than headSize where there is no more.
func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

func (k Kind) begins(head []byte) bool {
	return len(head) >= k.magicAt && strings.HasPrefix(string(head[k.magicAt:]), k.magic)
}

// whole says whether a file of size bytes holds what its head promises.
func (k Kind) whole(path string, head []byte, size uint64) error {
	var want uint64
	for _, at := range k.lengths {
		if len(head) < at+8 {
			want = size + 1 // not even the head is whole
			break
		}
		want += binary.LittleEndian.Uint64(head[at:])
	}
	if size < want {
		return sdk.Mark(fmt.Errorf("root.path: the %s image %q is truncated: it has %d bytes", k.name, path, size), sdk.ErrInvalid)
	}
	return nil
}
