package probe

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Stream yields n bytes that look random and are always the same.
func Stream(n int64) io.Reader { return io.LimitReader(&stream{}, n) }

type stream struct{ x uint64 }

func (s *stream) Read(p []byte) (int, error) {
	n := len(p) &^ 7
	for i := 0; i < n; i += 8 {
		s.x = s.x*6364136223846793005 + 1442695040888963407 // Knuth's MMIX
		binary.LittleEndian.PutUint64(p[i:], s.x)
	}
	if n == 0 {
		return 0, io.ErrShortBuffer
	}
	return n, nil
}

// flood writes n bytes of Stream to stdout and ends at once.
func flood(n int64) int {
	w := bufio.NewWriterSize(os.Stdout, 64<<10)
	if _, err := io.Copy(w, bufio.NewReaderSize(Stream(n), 64<<10)); err != nil {
		return fail(122, "writing: %v", err)
	}
	if err := w.Flush(); err != nil {
		return fail(122, "writing: %v", err)
	}
	return 0
}

// writeOn writes to stdout until nobody reads it, which it tells by status 77.
func writeOn() int {
	signal.Ignore(syscall.SIGPIPE)
	block := make([]byte, 64<<10)
	for {
		_, err := os.Stdout.Write(block)
		switch {
		case errors.Is(err, syscall.EPIPE):
			return 77
		case err != nil:
			return fail(122, "writing: %v", err)
		}
	}
}
