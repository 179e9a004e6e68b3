// Package bundle reads an OCI bundle's config.json, says whether policy allows what is in it, and
// makes it the effective config.json that drivers see.
//
// A Bundle goes through Load, Judge and Adapt, in this order: policy judges what the user wrote,
// before the host's own edits. The document is parsed once, strictly; runtimes get our
// serialisation of what was judged, so that none of them reads it differently (runc and crun
// disagree on duplicate keys, letter case, trailing data and more).
//
// Errors name the file with line and column, and the key: "/b/config.json:12:9: process.cwd …".
package bundle

import (
	"fmt"
	"iter"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// Bundle is one bundle's configuration in memory. It is not safe for concurrent use.
type Bundle struct {
	dir     string // absolute, without symbolic links
	file    string // of config.json
	source  string
	root    *tree.Value
	schema  *field
	changes []Change
	pinned  map[string]string // node paths that policy judged, and what they were; nil: not restricted
	noInit  string
}

// Dir returns the bundle's directory: absolute and free of symbolic links.
func (b *Bundle) Dir() string { return b.dir }

// Annotations returns a copy of the document's annotations as they are now.
func (b *Bundle) Annotations() map[string]string {
	m := make(map[string]string)
	for name, v := range members(b.root.Get("annotations")) {
		m[name] = v.Text()
	}
	return m
}

// JSON returns the document as it is now: members in the order of the source, numbers as they
// were written there, indented by tabs, a newline at the end.
func (b *Bundle) JSON() []byte { return append(b.root.AppendJSON(nil), '\n') }

// wrong returns an ErrInvalid about one value of the document.
func (b *Bundle) wrong(v *tree.Value, path, format string, args ...any) error {
	where := b.file
	if offset, ok := v.Offset(); ok {
		line, column := tree.Position(b.source, offset)
		where = fmt.Sprintf("%s:%d:%d", b.file, line, column)
	}
	return sdk.Mark(fmt.Errorf("%s: %s %w", where, path, fmt.Errorf(format, args...)), sdk.ErrInvalid)
}

// members yields the names and values of an object.
func members(v *tree.Value) iter.Seq2[string, *tree.Value] {
	return func(yield func(string, *tree.Value) bool) {
		for i, name := range v.Names() {
			if !yield(name, v.Items()[i]) {
				return
			}
		}
	}
}

// RootPath returns the document's root.path as it is now: absolute once it is adapted.
func (b *Bundle) RootPath() string { return b.root.Get("root", "path").Text() }

// Env returns a copy of the environment of the document's process as it is now.
func (b *Bundle) Env() []string { return b.root.Get("process", "env").Texts() }

// Terminal says whether the document's process gets a terminal as it is now.
func (b *Bundle) Terminal() bool { return b.root.Get("process", "terminal").True() }

// ConsoleSize returns the size of the process's terminal as it is now, 0 and 0 where it is not named.
func (b *Bundle) ConsoleSize() (rows, columns int) {
	size := b.root.Get("process", "consoleSize")
	height, _ := size.Get("height").Int()
	width, _ := size.Get("width").Int()
	return int(height), int(width)
}

// NewNamespace says whether the document gives the container a new namespace of a type, such as
// "network", as it is now.
func (b *Bundle) NewNamespace(kind string) bool {
	for _, ns := range b.root.Get("linux", "namespaces").Items() {
		if ns.Get("type").Text() == kind && ns.Get("path").Text() == "" {
			return true
		}
	}
	return false
}
