package config

import (
	"fmt"
	"sort"
)

// Position is a place in a file. The zero Position is none.
type Position struct {
	File   string
	Line   int // from 1; 0: the file as a whole
	Column int // from 1, in bytes
}

// String returns "file:line:column", the form that editors and terminals turn into a link.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// node is where a key or an element of an array stands in a file, and what is below it. The
// decoder of TOML returns values without positions; a tree of nodes has the shape of its values.
type node struct {
	offset int
	keys   map[string]*node // of a table
	items  []*node          // of an array
}

// child returns the node of a table's key, or nil. It may be called on nil.
func (n *node) child(key string) *node {
	if n == nil {
		return nil
	}
	return n.keys[key]
}

// item returns the node of an array's element, or nil. It may be called on nil.
func (n *node) item(i int) *node {
	if n == nil || i < 0 || i >= len(n.items) {
		return nil
	}
	return n.items[i]
}

// source is the file that a configuration came from.
type source struct {
	name  string
	lines []int // offset of each line's first byte
	root  *node
}

func newSource(name string, data []byte) *source {
	lines := []int{0}
	for i, b := range data {
		if b == '\n' {
			lines = append(lines, i+1)
		}
	}
	return &source{name: name, lines: lines}
}

// position returns where a node stands: the file as a whole for nil.
func (s *source) position(n *node) Position {
	if n == nil {
		return Position{File: s.name}
	}
	return s.at(n.offset)
}

// node returns the node of a dotted key, or nil.
func (c *Config) node(steps ...string) *node {
	if c.source == nil {
		return nil
	}
	at := c.source.root
	for _, step := range steps {
		at = at.child(step)
	}
	return at
}

func (s *source) at(offset int) Position {
	line := sort.SearchInts(s.lines, offset+1) // the number of lines that start at or before it
	return Position{File: s.name, Line: line, Column: offset - s.lines[line-1] + 1}
}
