package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// Error is one thing that is wrong with the configuration. It is an sdk.ErrInvalid.
type Error struct {
	Position Position
	Err      error
}

// Error returns "file:line:column: what is wrong", on one line.
func (e *Error) Error() string { return e.Position.String() + ": " + e.Err.Error() }

// Unwrap returns what is wrong, and sdk.ErrInvalid.
func (e *Error) Unwrap() []error { return []error{e.Err, sdk.ErrInvalid} }

// Errors is everything that is wrong with a file, in the file's order: never empty.
type Errors []*Error

// Error returns the first of them, and how many there are besides: a job gets one line. Whoever
// mends the file goes through the slice.
func (e Errors) Error() string {
	switch len(e) {
	case 1:
		return e[0].Error()
	case 2:
		return e[0].Error() + " (and 1 more error)"
	default:
		return fmt.Sprintf("%v (and %d more errors)", e[0], len(e)-1)
	}
}

// Unwrap returns each of them.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, err := range e {
		all[i] = err
	}
	return all
}

// problems collects what is wrong with a file.
type problems struct {
	source *source
	found  Errors
}

func (p *problems) add(at *node, format string, args ...any) {
	p.found = append(p.found, newError(p.source.position(at), fmt.Errorf(format, args...)))
}

// err returns what was found, or nil. Tables are decoded in no order.
func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	slices.SortStableFunc(p.found, func(a, b *Error) int {
		return cmp.Or(
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
			cmp.Compare(a.Err.Error(), b.Err.Error()),
		)
	})
	if len(p.found) > 1 {
		return sdk.WithAdvice(p.found, "run \"berth config check\" for all of them")
	}
	return p.found
}

// newError makes an Error whose text is safe to print: keys and values of the file are quoted in
// it, and those can hold anything.
func newError(at Position, err error) *Error {
	if text := err.Error(); text != printable(text) {
		err = errors.New(printable(text))
	}
	return &Error{Position: at, Err: err}
}

const maxText = 400 // letters of one message

func printable(text string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?' // control characters, line separators and overrides of the writing direction
		}
		return r
	}, text)
	letters := 0
	for i := range clean {
		if letters == maxText {
			return clean[:i] + "…"
		}
		letters++
	}
	return clean
}
