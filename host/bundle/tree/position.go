package tree

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError is a document that cannot be read.
type SyntaxError struct {
	Line, Column int    // of the first character at fault, from 1
	Problem      string // what is wrong there
}

// Error returns "line:column: problem".
func (e *SyntaxError) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Problem) }

// Position returns the line and the column, in characters, of a byte of source, both from 1.
func Position(source string, offset int) (line, column int) {
	before := source[:min(offset, len(source))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}
