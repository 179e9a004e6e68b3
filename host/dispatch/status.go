package dispatch

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Inspect tells what the record says of a container, and its exit status where berth-init stayed to
// see it. It starts no driver, and leaves Status empty.
func (h *Host) Inspect(id string) (Entry, error) {
	c, err := h.find(id)
	if err != nil {
		return Entry{}, err
	}
	defer c.close()
	e := c.recordedEntry()
	status, err := openStatus(c.dir.Path())
	if err != nil || status == nil {
		return e, err
	}
	defer status.Close()
	e.ExitStatus, err = readStatus(status)
	return e, err
}

// openStatus opens the file into which berth-init writes the exit status, nil where there is none.
func openStatus(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, statusFile), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if os.IsNotExist(err) {
		return nil, nil
	}
	return f, err
}

// readStatus returns the status in decimal, "" where it was never written. The container's program
// could have written the file too: anything but a number is no status.
func readStatus(f *os.File) (string, error) {
	text, err := io.ReadAll(io.LimitReader(f, 8))
	if err != nil {
		return "", err
	}
	status := strings.TrimSpace(string(text))
	if strings.Trim(status, "0123456789") != "" {
		return "", nil
	}
	return status, nil
}
