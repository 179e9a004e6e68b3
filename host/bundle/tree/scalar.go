package tree

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// number takes the longest number of RFC 8259, section 6.
func (p *parser) number() string {
	start := p.pos
	p.take('-')
	if !p.take('0') {
		p.digits()
	}
	if p.take('.') {
		p.digits()
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if !p.take('+') {
			p.take('-')
		}
		p.digits()
	}
	return p.src[start:p.pos]
}

func (p *parser) digits() {
	start := p.pos
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	if p.pos == start {
		p.unexpected("a digit")
	}
}

// str takes a string, which begins at the next byte, and returns its content.
func (p *parser) str() string {
	open := p.pos
	p.pos++
	start, plain := p.pos, true
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '"':
			raw := p.src[start:p.pos]
			if plain && utf8.ValidString(raw) {
				p.pos++
				return raw
			}
			return p.unescape(start, p.pos)
		case c < ' ':
			p.fail("control character U+%04X in a string", c)
			return ""
		case c == '\\':
			plain = false
			p.pos++
		}
		p.pos++
	}
	p.failAt(open, "the string that begins here has no end")
	return ""
}

// unescape reads the string between start and end again, character by character.
func (p *parser) unescape(start, end int) string {
	var out strings.Builder
	out.Grow(end - start)
	p.pos = start
	for p.pos < end && p.problem == "" {
		if p.src[p.pos] == '\\' {
			out.WriteRune(p.escape(end))
			continue
		}
		if c := p.src[p.pos]; c < utf8.RuneSelf {
			out.WriteByte(c)
			p.pos++
			continue
		}
		r, size := utf8.DecodeRuneInString(p.src[p.pos:end])
		if r == utf8.RuneError && size == 1 {
			p.fail("byte 0x%02X is not valid UTF-8", p.src[p.pos])
			return ""
		}
		out.WriteString(p.src[p.pos : p.pos+size])
		p.pos += size
	}
	if p.problem == "" {
		p.pos = end + 1
	}
	return out.String()
}

// escape takes one escape sequence, for surrogates two.
func (p *parser) escape(end int) rune {
	at := p.pos
	p.pos += 2
	c := p.src[at+1]
	if c != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			p.failAt(at, "unknown escape sequence in a string")
			return 0
		}
		return rune("\"\\/\b\f\n\r\t"[i])
	}
	r := p.hex(end)
	if utf16.IsSurrogate(r) {
		high := r
		r = utf8.RuneError
		if strings.HasPrefix(p.src[p.pos:end], `\u`) {
			p.pos += 2
			r = utf16.DecodeRune(high, p.hex(end))
		}
		if r == utf8.RuneError {
			p.failAt(at, "half a surrogate pair in a string")
		}
	}
	if r == 0 {
		// C programs end a string there and would read another value than we do.
		p.failAt(at, "NUL character in a string")
	}
	return r
}

// hex takes the four digits of a \u escape.
func (p *parser) hex(end int) rune {
	if p.pos+4 > end {
		p.fail("\\u without four hexadecimal digits")
		return 0
	}
	var r rune
	for _, c := range []byte(p.src[p.pos : p.pos+4]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			p.fail("\\u without four hexadecimal digits")
			return 0
		}
		r = r<<4 | rune(c)
	}
	p.pos += 4
	return r
}
