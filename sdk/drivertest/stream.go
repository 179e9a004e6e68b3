package drivertest

import (
	"bytes"
	"io"
	"os"
	"sync"
)

// stream collects what is written to a pipe.
type stream struct {
	from *os.File
	mu   sync.Mutex
	buf  bytes.Buffer
	eof  chan struct{}
}

func newStream(from *os.File) *stream {
	s := &stream{from: from, eof: make(chan struct{})}
	go func() {
		defer close(s.eof)
		_, _ = io.Copy(s, from)
	}()
	return s
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

// String is what has been read so far.
func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func (s *stream) done() bool {
	select {
	case <-s.eof:
		return true
	default:
		return false
	}
}
