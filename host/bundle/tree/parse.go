package tree

import (
	"fmt"
	"strings"
)

// Limits bound what Parse takes, and with it the memory and time that it takes.
type Limits struct {
	Depth  int // of objects and arrays within each other
	Values int // in all
}

// Parse reads the one JSON document (RFC 8259) in source. The tree shares source's memory. The
// error is a *SyntaxError.
func Parse(source string, limits Limits) (*Value, error) {
	p := &parser{src: source, depth: limits.Depth, values: limits.Values}
	p.space()
	v := p.value()
	p.space()
	if p.problem == "" && p.pos < len(p.src) {
		p.fail("there is more after the end of the document")
	}
	if p.problem != "" {
		line, column := Position(source, p.at)
		return nil, &SyntaxError{Line: line, Column: column, Problem: p.problem}
	}
	return v, nil
}

// parser keeps the first problem; the loops end at it.
type parser struct {
	src           string
	pos           int
	depth, values int // what is left of the limits
	at            int // where the problem is
	problem       string
}

func (p *parser) fail(format string, args ...any) { p.failAt(p.pos, format, args...) }

func (p *parser) failAt(pos int, format string, args ...any) {
	if p.problem == "" {
		p.at, p.problem = pos, fmt.Sprintf(format, args...)
	}
}

func (p *parser) space() {
	for p.pos < len(p.src) {
		if c := p.src[p.pos]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return
		}
		p.pos++
	}
}

// peek returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

// take goes past c if it is next.
func (p *parser) take(c byte) bool {
	if p.pos < len(p.src) && p.src[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *parser) value() *Value {
	if p.values--; p.values < 0 {
		p.fail("the document has too many values")
		return nil
	}
	v := &Value{offset: p.pos + 1}
	switch c := p.peek(); {
	case c == '{':
		p.object(v)
	case c == '[':
		p.array(v)
	case c == '"':
		v.kind, v.text = String, p.str()
	case c == '-' || c >= '0' && c <= '9':
		v.kind, v.text = Number, p.number()
	default:
		p.word(v)
	}
	return v
}

func (p *parser) word(v *Value) {
	for _, w := range [...]struct {
		text string
		kind Kind
	}{{"true", Bool}, {"false", Bool}, {"null", Null}} {
		if strings.HasPrefix(p.src[p.pos:], w.text) {
			v.kind, v.text = w.kind, w.text
			p.pos += len(w.text)
			return
		}
	}
	p.unexpected("a value")
}

// unexpected says what is there in place of what is wanted.
func (p *parser) unexpected(wanted string) {
	if p.pos >= len(p.src) {
		p.fail("the document ends where %s is expected", wanted)
		return
	}
	for _, r := range p.src[p.pos:] {
		p.fail("%q where %s is expected", r, wanted)
		return
	}
}
