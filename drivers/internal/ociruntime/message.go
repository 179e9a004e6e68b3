package ociruntime

import (
	"errors"
	"strconv"
	"strings"
	"unicode"

	"github.com/berth-hpc/berth/sdk"
)

// message is how a runtime tells a kind of error.
type message struct {
	part string // of its error message, in lower case; each "*" stands for anything
	kind error
}

// in says whether text, in lower case, contains the message.
func (m message) in(text string) bool {
	for _, part := range strings.Split(m.part, "*") {
		_, rest, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}

// errDamaged: the runtime cannot read its own state of the container.
var errDamaged = errors.New("the runtime's state of the container is damaged")

// kind returns the kind of error that the runtime's words tell, or nil.
func (r Runtime) kind(text string) error {
	text = strings.ToLower(text)
	for _, m := range r.messages {
		if m.in(text) {
			return m.kind
		}
	}
	return nil
}

// classify turns what the runtime wrote before it failed into an error of the right kind.
func (r Runtime) classify(text string) error {
	words := said(text)
	err := errors.New(words)
	kind := r.kind(words)
	switch {
	case kind == nil:
		return err
	case errors.Is(kind, errDamaged):
		return sdk.WithAdvice(sdk.Mark(err, kind), "remove the container with berth delete --force")
	case errors.Is(kind, sdk.ErrUnsupported) && strings.Contains(words, "version"):
		return sdk.WithAdvice(sdk.Mark(err, kind), "upgrade "+r.name+", or lower ociVersion in config.json")
	}
	return sdk.Mark(err, kind)
}

// maxWords bounds what is repeated of a runtime's error message, in bytes.
const maxWords = 512

// ErrorText is what is worth repeating of what a runtime wrote before it failed: one line.
func ErrorText(stderr string) string { return said(stderr) }

// said extracts the error from a runtime's stderr: the messages of runc's error lines where there
// are any, else the lines themselves. Warnings are not the error.
func said(stderr string) string {
	var errs, plain []string
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		level, text, structured := logrus(line)
		switch {
		case structured && (level == "error" || level == "fatal"):
			errs = append(errs, text)
		case !structured && line != "":
			plain = append(plain, line)
		}
	}
	if len(errs) == 0 {
		errs = plain
	}
	if len(errs) == 0 {
		return "no reason given"
	}
	return printable(strings.Join(errs, "; "))
}

// logrus takes a line of the form: time="…" level=error msg="…".
func logrus(line string) (level, text string, ok bool) {
	_, rest, ok := strings.Cut(line, "level=")
	if !ok || !strings.HasPrefix(line, "time=") {
		return "", "", false
	}
	level, rest, _ = strings.Cut(rest, " ")
	_, quoted, ok := strings.Cut(rest, "msg=")
	if prefix, err := strconv.QuotedPrefix(quoted); err == nil {
		text, err = strconv.Unquote(prefix)
		return level, text, err == nil
	}
	text, _, _ = strings.Cut(quoted, " ") // logrus quotes only what needs it
	return level, text, ok
}

// printable makes a runtime's words one line of bounded length without control characters.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + "…"
	}
	return text
}
