package client

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sys/unix"
)

// What is kept of a driver's log. A driver that writes more is read on, so that it does not block,
// but not listened to.
const (
	maxLogLine  = 8 << 10 // bytes of one line
	maxLogLines = 500     // lines of one driver process
)

// driverLog reads a driver's stderr: hclog's JSON lines with their level, any other text for
// debugging, and as the driver's last words should it end.
type driverLog struct {
	log  hclog.Logger
	file *os.File // nil until start
	done chan struct{}

	mu    sync.Mutex
	last  string // last line that was not JSON, or last error's message
	cause string // the line that says why a Go program died
	lines int
	tail  []byte // the latest of what came after maxLogLines
}

func newDriverLog(log hclog.Logger) *driverLog {
	return &driverLog{log: log, done: make(chan struct{})}
}

// start reads stderr until it ends.
func (l *driverLog) start(stderr *os.File) {
	l.file = stderr
	go l.read(stderr)
}

func (l *driverLog) read(stderr *os.File) {
	defer close(l.done)
	r := bufio.NewReaderSize(&stderrPipe{stderr, -1}, maxLogLine)
	for l.lines < maxLogLines {
		line, tooLong, err := r.ReadLine()
		if len(line) > 0 {
			l.take(string(line))
		}
		for tooLong && err == nil {
			_, tooLong, err = r.ReadLine()
		}
		if err != nil {
			return
		}
	}
	l.drop(r)
}

// drop reads on without looking at it, and keeps the end, in which the driver's last words may be.
func (l *driverLog) drop(r io.Reader) {
	block := make([]byte, 4*maxLogLine)
	for warned := false; ; {
		n, err := r.Read(block)
		if n > 0 && !warned {
			warned = true
			l.log.Warn("the driver writes too much, the rest of its log is dropped", "lines", maxLogLines)
		}
		l.mu.Lock()
		l.tail = append(l.tail, block[:n]...)
		l.tail = l.tail[max(0, len(l.tail)-maxLogLine):]
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (l *driverLog) take(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines++
	var entry map[string]any
	if json.Unmarshal([]byte(line), &entry) == nil && entry["@message"] != nil {
		l.entry(entry)
		return
	}
	if text := strings.TrimSpace(line); text != "" {
		l.remember(text)
		l.log.Debug(quoteLine(text))
	}
}

// entry takes one line of hclog's JSON.
func (l *driverLog) entry(entry map[string]any) {
	message, _ := entry["@message"].(string)
	name, _ := entry["@level"].(string)
	level := hclog.LevelFromString(name)
	switch level {
	case hclog.Error:
		l.remember(message)
	case hclog.NoLevel, hclog.Off:
		level = hclog.Debug
	}
	var pairs []any
	for _, key := range slices.Sorted(maps.Keys(entry)) {
		if strings.HasPrefix(key, "@") {
			continue
		}
		text, ok := entry[key].(string)
		if !ok {
			text = fmt.Sprint(entry[key])
		}
		pairs = append(pairs, quoteLine(key), quoteLine(text))
	}
	l.log.Log(level, quoteLine(message), pairs...)
}

// remember keeps what may turn out to be the driver's last words.
func (l *driverLog) remember(text string) {
	if text == "" {
		return
	}
	l.last = text
	for _, start := range []string{"panic:", "fatal error:", "runtime:"} {
		if l.cause == "" && strings.HasPrefix(text, start) {
			l.cause = text
		}
	}
}

// finish reads what the driver had written before its end, but not what a stray child that holds the pipe
// may still write. Call it once the driver is reaped; again is no harm.
func (l *driverLog) finish() {
	if l.file == nil {
		return
	}
	_ = l.file.SetReadDeadline(time.Unix(1, 0)) // no waiting from here on: see stderrPipe
	<-l.done
}

// stderrPipe reads a driver's stderr until its end or, once there is no waiting for more, until the pipe is
// empty or as much has been read as can have been in it.
type stderrPipe struct {
	file *os.File
	left int // -1 as long as it waits
}

// Read implements io.Reader.
func (p *stderrPipe) Read(b []byte) (n int, err error) {
	if p.left < 0 {
		if n, err = p.file.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
	conn, err := p.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := conn.Control(func(fd uintptr) { // the deadline would keep conn.Read from trying
		if p.left < 0 {
			p.left, err = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0)
			p.left = max(p.left, 0)
		}
		n, err = unix.Read(int(fd), b[:min(len(b), p.left)])
	})
	n = max(n, 0)
	p.left -= n
	if controlErr != nil || err != nil || n == 0 {
		return n, io.EOF
	}
	return n, nil
}

// lastWords is the line that most likely says why the driver ended, or "".
func (l *driverLog) lastWords() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(string(l.tail)) {
		if !strings.HasPrefix(line, "{") {
			l.remember(strings.TrimSpace(line))
		}
	}
	words := l.last
	if l.cause != "" {
		words = l.cause
	}
	if words == "" {
		return ""
	}
	return quoteLine(words)
}

// quoteLine leaves harmless text alone and escapes the rest.
func quoteLine(text string) string {
	quoted := quote(text)
	if quoted == `"`+text+`"` {
		return text
	}
	return quoted
}
