package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	toml "github.com/pelletier/go-toml/v2"
)

// MaxSize is the greatest size of a configuration, in bytes.
const MaxSize = 1 << 20

// Parse reads a configuration and checks all of it. The name stands for the file in errors and in
// Config.Source. Everything that is wrong is reported at once, as Errors, except that a fault of
// TOML's own syntax (a duplicate key or table is one) hides what would be found after it.
func Parse(name string, data []byte) (*Config, error) {
	p := problems{source: newSource(name, data)}
	values := p.read(data)
	if values == nil {
		return nil, p.err()
	}
	c := Default()
	c.Source, c.source = name, p.source
	keys := c.keys()
	d := &decoder{problems: p, top: keys}
	keys.decode(d, "", values, p.source.root)
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// read decodes the file's TOML and finds the positions. It returns nil where that is not possible.
func (p *problems) read(data []byte) map[string]any {
	if err := p.checkBytes(data); err != nil {
		p.found = Errors{err}
		return nil
	}
	s := newScanner(data)
	s.scan()
	if s.err != nil {
		p.found = Errors{newError(p.source.at(s.last), s.err)}
		return nil
	}
	p.source.root = s.root
	values := map[string]any{}
	if err := toml.Unmarshal(data, &values); err != nil {
		p.found = Errors{p.syntax(err)}
		return nil
	}
	return values
}

// checkBytes finds what TOML's decoder would give a less telling error for.
func (p *problems) checkBytes(data []byte) *Error {
	switch {
	case len(data) > MaxSize:
		return newError(Position{File: p.source.name}, fmt.Errorf("the file has %d bytes, more than the %d allowed", len(data), MaxSize))
	case bytes.HasPrefix(data, []byte("\ufeff")):
		return newError(p.source.at(0), errors.New("the file starts with a byte order mark; save it as UTF-8 without one"))
	case !utf8.Valid(data):
		return newError(p.source.at(invalidByte(data)), errors.New("the file is not valid UTF-8"))
	}
	return nil
}

func invalidByte(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}

func (p *problems) syntax(err error) *Error {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return newError(Position{File: p.source.name}, err)
	}
	line, column := decode.Position()
	text := strings.TrimPrefix(decode.Error(), "toml: ")
	return newError(Position{File: p.source.name, Line: line, Column: column}, errors.New(text))
}
