package drivertest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

// bulk is more than any pipe or socket on the way holds, in bytes.
const bulk = 20 << 20

func stdioCases() []Case {
	return []Case{
		{"stdio/same-files",
			"The program's standard streams are the task's own files, by device and inode; where the runtime puts pipes between, that is noted.",
			"A copying relay that loses what a program seeks, truncates or locks, and the last bytes of a killed job.",
			(*trial).stdioSame},
		{"stdio/separate",
			"What the program writes on stdout and stderr arrives there and nowhere else, and nothing is added to stdout.",
			"go-plugin replaces os.Stdout in a driver; a driver that starts the runtime itself loses the output.",
			(*trial).stdioSeparate},
		{"stdio/bulk-out",
			"20 MiB from the program arrive unaltered.",
			"A relay that drops what does not fit its buffer.",
			(*trial).stdioOut},
		{"stdio/bulk-in",
			"20 MiB on stdin reach the program unaltered, none of it eaten by the driver.",
			"go-plugin gives the driver the job's stdin.",
			(*trial).stdioIn},
		{"stdio/burst",
			"A burst of 20 MiB just before the program's end is whole in the job's output file.",
			"A runtime that stops copying when the program ends.",
			(*trial).stdioBurst},
		{"stdio/at-end",
			"With nothing on stdin, and with /dev/null, the program reads the end at once.",
			"A relay that keeps its end of the stdin pipe open, so that cat never ends.",
			(*trial).stdioAtEnd},
		{"stdio/closed",
			"With stdin closed altogether, the container runs, or the task fails with a message, and does not hang.",
			"crun fails with a bare \"Bad file descriptor\" where the caller closed a stream.",
			(*trial).stdioClosed},
		{"stdio/reader-gone",
			"Where the reader of stdout goes away the program learns it and the task ends.",
			"A relay that reads on for ever, or is killed by SIGPIPE and leaves the program behind.",
			(*trial).stdioReaderGone},
	}
}

// file makes a file of the case's own, open for reading and writing.
func (t *trial) file(name string) *os.File {
	f, err := os.OpenFile(filepath.Join(t.dir, name), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	t.must(err)
	t.Cleanup(func() { f.Close() })
	return f
}

func identity(f *os.File) (dev, ino uint64) {
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil {
		return 0, 0
	}
	return st.Dev, st.Ino
}

func (t *trial) stdioSame() {
	std := []*os.File{t.file("stdin"), t.file("stdout"), t.file("stderr")}
	c := t.container([]string{"report"})
	task := c.launch(launcher.Request{}, streams{stdin: std[0], stdout: std[1], stderr: std[2]})
	if status := task.wait(); status != 0 {
		text, _ := os.ReadFile(std[2].Name())
		t.Fatalf("status %d: %s", status, clip(string(text)))
	}
	out, err := os.ReadFile(std[1].Name())
	t.must(err)
	r := t.parseReport(out)
	for fd, name := range []string{"stdin", "stdout", "stderr"} {
		dev, ino := identity(std[fd])
		switch got := r.Files[fd]; {
		case got.Dev == dev && got.Ino == ino:
		case got.Type == "pipe":
			t.Notef("%s is a pipe: the runtime copies between it and the task's own file", name)
		default:
			t.Errorf("%s is another %s than the task's own file", name, got.Type)
		}
	}
}

func (t *trial) stdioSeparate() {
	task := t.container([]string{"say", "to out\n", "to err\n"}).run()
	if out := task.out.String(); out != "to out\n" {
		t.Errorf("stdout has %q", clip(out))
	}
	switch err := task.err.String(); {
	case err == "to err\n":
	case bytes.Contains([]byte(err), []byte("to err\n")):
		t.Notef("the runtime writes on stderr by itself: %q", clip(err))
	default:
		t.Errorf("stderr has %q", clip(err))
	}
}

func (t *trial) stdioOut() {
	r, w, err := os.Pipe()
	t.must(err)
	t.untilGivenUp(r)
	task := t.container([]string{"flood", fmt.Sprint(bulk)}).launch(launcher.Request{}, streams{stdout: w})
	w.Close()
	task.stdin.Close()
	t.arrives(task, r)
	r.Close()
}

// arrives checks that the task ends well and that from holds what "flood" writes.
func (t *trial) arrives(task *task, from io.Reader) {
	var got probe.Comparer
	_, err := io.Copy(&got, from)
	t.must(err)
	if status := task.wait(); status != 0 || got.String() != probe.Unaltered(bulk) {
		t.Errorf("%s instead of %s; %s", &got, probe.Unaltered(bulk), task.describe())
	}
}

func (t *trial) stdioIn() {
	task := t.container([]string{"compare"}).launch(launcher.Request{}, streams{})
	t.untilGivenUp(task.stdin)
	if _, err := io.Copy(task.stdin, probe.Stream(bulk)); err != nil {
		t.Errorf("writing to the program: %v", err)
	}
	task.stdin.Close()
	task.wait()
	t.hasRead(task, bulk)
}

// hasRead checks what the program says that it has read.
func (t *trial) hasRead(task *task, n int64) {
	if got := task.out.String(); got != probe.Unaltered(n)+"\n" {
		t.Errorf("the program read %q instead of %q: %s", got, probe.Unaltered(n), task.describe())
	}
}

// stdioBurst uses a file, which takes everything at once, and so tells what was lost on the way.
func (t *trial) stdioBurst() {
	out := t.file("stdout")
	task := t.container([]string{"flood", fmt.Sprint(bulk)}).launch(launcher.Request{}, streams{stdout: out})
	task.stdin.Close()
	task.wait()
	_, err := out.Seek(0, io.SeekStart)
	t.must(err)
	t.arrives(task, out)
}

func (t *trial) stdioAtEnd() {
	null, err := os.Open(os.DevNull)
	t.must(err)
	defer null.Close()
	for _, s := range []streams{{}, {stdin: null}} {
		task := t.container([]string{"compare"}).launch(launcher.Request{}, s)
		if task.stdin != nil {
			task.stdin.Close()
		}
		task.wait()
		t.hasRead(task, 0)
	}
}

func (t *trial) stdioClosed() {
	task := t.container([]string{"exit", "7"}).launch(launcher.Request{CloseStdin: true}, streams{})
	status := task.wait()
	switch {
	case status == 7:
	case status != 0 && task.err.String() != "":
		t.Notef("the runtime wants a stdin: %q", clip(task.err.String()))
	default:
		t.Errorf("neither ran nor told why: %s", task.describe())
	}
}

func (t *trial) stdioReaderGone() {
	r, w, err := os.Pipe()
	t.must(err)
	t.untilGivenUp(r)
	task := t.container([]string{"write-on"}).launch(launcher.Request{}, streams{stdout: w})
	w.Close()
	if _, err := io.CopyN(io.Discard, r, 1<<20); err != nil {
		t.Errorf("reading from the program: %v", err)
	}
	r.Close()
	switch status := task.wait(); status {
	case 77:
	case 0:
		t.Errorf("the task reports success")
	default:
		t.Notef("the task ends with status %d instead of the program's own", status)
	}
}
