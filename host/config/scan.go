package config

import (
	"fmt"

	"github.com/pelletier/go-toml/v2/unstable"
)

// No site comes near these. They bound the decoder's time, which grows with the square of the
// number of keys, and its recursion, and that of the drivers which get a part of the tree.
const (
	maxKeys  = 10_000
	maxDepth = 64
)

var (
	errTooMany = fmt.Errorf("too many keys: %d are the most", maxKeys)
	errTooDeep = fmt.Errorf("tables and arrays are nested too deeply: %d levels are the most", maxDepth)
)

// scanner builds the tree of positions. It trusts the document to be valid TOML: for one that is
// not, the tree is of no use, and the decoder says why.
type scanner struct {
	parser unstable.Parser
	root   *node
	keys   int
	last   int // offset of the last key
	err    error
}

func newScanner(data []byte) *scanner {
	s := &scanner{root: &node{}}
	s.parser.Reset(data)
	return s
}

// scan goes through the document up to its end, the first fault of its syntax, or a limit.
func (s *scanner) scan() {
	table, depth := s.root, 0
	for s.err == nil && s.parser.NextExpression() {
		switch e := s.parser.Expression(); e.Kind {
		case unstable.Table:
			table, depth = s.descend(s.root, 0, e.Key())
		case unstable.ArrayTable:
			table, depth = s.descend(s.root, 0, e.Key())
			element := &node{offset: s.last}
			table.items = append(table.items, element)
			table = element
		case unstable.KeyValue:
			s.keyValue(table, depth, e)
		}
	}
}

// descend follows a dotted key from a table and returns the node it leads to, made where it is
// new. Below an array of tables it goes on in the last element.
func (s *scanner) descend(at *node, depth int, key unstable.Iterator) (*node, int) {
	for s.err == nil && key.Next() {
		depth++
		s.last = int(key.Node().Raw.Offset)
		if n := len(at.items); n > 0 {
			at = at.items[n-1]
		}
		next := at.keys[string(key.Node().Data)]
		if next == nil {
			next = &node{offset: s.last}
			s.count(depth)
			if at.keys == nil {
				at.keys = map[string]*node{}
			}
			at.keys[string(key.Node().Data)] = next
		}
		at = next
	}
	return at, depth
}

func (s *scanner) count(depth int) {
	s.keys++
	switch {
	case s.keys > maxKeys:
		s.err = errTooMany
	case depth > maxDepth:
		s.err = errTooDeep
	}
}

func (s *scanner) keyValue(table *node, depth int, e *unstable.Node) {
	at, depth := s.descend(table, depth, e.Key())
	s.value(at, depth, e.Value())
}

func (s *scanner) value(at *node, depth int, v *unstable.Node) {
	if depth > maxDepth {
		s.err = errTooDeep
	}
	if s.err != nil {
		return
	}
	children := v.Children()
	switch v.Kind {
	case unstable.Array:
		for children.Next() {
			element := &node{offset: at.offset}
			if raw := children.Node().Raw; raw.Length > 0 { // arrays have none
				element.offset = int(raw.Offset)
			}
			at.items = append(at.items, element)
			s.value(element, depth+1, children.Node())
		}
	case unstable.InlineTable:
		for children.Next() {
			s.keyValue(at, depth, children.Node())
		}
	}
}
