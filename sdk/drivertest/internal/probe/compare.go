package probe

import (
	"bytes"
	"fmt"
	"io"
)

// Comparer says how much of what is written to it is as Stream has it.
type Comparer struct {
	stream stream
	block  [4096]byte
	next   []byte // what has to follow
	n      int64  // bytes so far
	wrong  bool   // one of them was
}

// Write implements io.Writer.
func (c *Comparer) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if len(c.next) == 0 {
			_, _ = c.stream.Read(c.block[:]) // never fails, and fills the block
			c.next = c.block[:]
		}
		k := min(len(rest), len(c.next))
		c.wrong = c.wrong || !bytes.Equal(rest[:k], c.next[:k])
		rest, c.next = rest[k:], c.next[k:]
	}
	c.n += int64(len(p))
	return len(p), nil
}

// String is what Unaltered says, if nothing was altered.
func (c *Comparer) String() string {
	if c.wrong {
		return fmt.Sprintf("%d bytes, altered", c.n)
	}
	return Unaltered(c.n)
}

// Unaltered is how kit and probe write down that n bytes of Stream have arrived.
func Unaltered(n int64) string { return fmt.Sprintf("%d bytes, unaltered", n) }

// compare says what it has read on stdin.
func compare(from io.Reader) int {
	var c Comparer
	if _, err := io.Copy(&c, from); err != nil {
		return fail(122, "reading: %v", err)
	}
	fmt.Println(c.String())
	return 0
}
