package supervise

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What a container has printed is all written, though somebody keeps its terminal open and no time is left to wait:
// nothing here depends on how fast that is.
func TestRestOfTheOutput(t *testing.T) {
	master, terminal := terminal(t)
	lines := strings.Repeat("a line\n", 100)
	if _, err := terminal.WriteString(lines + "the last line\n"); err != nil {
		t.Fatal(err)
	}
	if err := master.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if _, err := io.Copy(&out, master); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	copyRest(&out, master)
	if want := strings.ReplaceAll(lines+"the last line\n", "\n", "\r\n"); out.String() != want {
		t.Errorf("wrote %q", out.String())
	}
}

// terminal makes a pseudoterminal whose master is as receive returns it.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "master")
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}
