package imagefile

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

// image is a file of a kind whose head promises these lengths, and that has size bytes.
func image(k Kind, size int, lengths ...uint64) string {
	text := make([]byte, headSize+size)
	copy(text[k.magicAt:], k.magic)
	for i, at := range k.lengths {
		binary.LittleEndian.PutUint64(text[at:], lengths[i])
	}
	return string(text[:size])
}

func TestCheck(t *testing.T) {
	both := []Kind{SIF(), SquashFS()}
	for name, c := range map[string]struct {
		text, want string
		kinds      []Kind
	}{
		"SquashFS":              {image(SquashFS(), 200, 200), "", both[1:]},
		"SquashFS, longer":      {image(SquashFS(), 300, 200), "", both},
		"SquashFS, truncated":   {image(SquashFS(), 199, 200), "SquashFS image ", both},
		"SquashFS, its head":    {image(SquashFS(), 47, 0), "has 47 bytes", both},
		"SIF":                   {image(SIF(), 200, 150, 50), "", both},
		"SIF, truncated":        {image(SIF(), 200, 150, 51), "SIF image ", both},
		"SIF, its head":         {image(SIF(), 127, 0, 0), "has 127 bytes", both},
		"SIF, where it is none": {image(SIF(), 200, 150, 50), "neither a directory nor a SquashFS image", both[1:]},
		"the magic and no more": {"hsqs", "is truncated", both},
		"nothing":               {"", "neither a directory nor a SIF or SquashFS image", both},
		"something else":        {strings.Repeat("x", 500), "neither a directory", both},
		"a magic elsewhere":     {" hsqs", "neither a directory", both},
	} {
		path := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := Check(path, c.kinds...)
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || sdk.Kind(err) != sdk.ErrInvalid) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A pipe that nobody writes is no image, and not waited for.
func TestCheckOfOtherFiles(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, pipe + "/none", "/dev/null"} {
		if err := Check(path, SquashFS()); sdk.Kind(err) != sdk.ErrInvalid {
			t.Errorf("%s: %v", path, err)
		}
	}
}
