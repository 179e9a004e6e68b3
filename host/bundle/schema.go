package bundle

import (
	_ "embed" // schema.txt
	"fmt"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/host/bundle/tree"
)

// schemaText names every field that the OCI runtime specification 1.3 defines for Linux, one a
// line, indented by the object it is in: its name, its type ([] array of, {} map of, none an
// object), and the version that brought it when that is later than 1.0 (ChangeLog of the
// specification). A test compares it with the specification's Go types.
//
//go:embed schema.txt
var schemaText string

// field is what the specification says about one value.
type field struct {
	name     string
	kind     string // "string", "bool", "uint32"…; "{}" map, "[]" array, "" object with fields
	since    string // version that brought it; "" for 1.0
	element  *field // of a map or an array
	children []*field
}

// newSchema parses schemaText: a few tens of microseconds, spent only where a bundle is read.
func newSchema() *field {
	root := &field{}
	stack := []*field{root}
	for line := range strings.Lines(schemaText) {
		depth := strings.LastIndexByte(line, '\t') + 1
		line, since, _ := strings.Cut(strings.TrimSuffix(line[depth:], "\n"), " since ")
		name, kind, _ := strings.Cut(line, " ")
		f := &field{name: name, since: since}
		object := f.setKind(kind)
		parent := stack[depth]
		parent.children = append(parent.children, f)
		stack = append(stack[:depth+1], object)
	}
	return root
}

// setKind takes a type as schema.txt writes it and returns the field that gets the children.
func (f *field) setKind(text string) *field {
	if strings.HasPrefix(text, "[]") || strings.HasPrefix(text, "{}") {
		f.kind = text[:2]
		f.element = &field{}
		return f.element.setKind(text[2:])
	}
	f.kind = text
	return f
}

// child returns the field of an object that a JSON key names. exact is false where a reader that
// ignores case, as encoding/json in runc does, would take the key for that field and crun not.
func (f *field) child(key string) (c *field, exact bool) {
	for _, c := range f.children {
		if c.name == key {
			return c, true
		}
	}
	for _, c := range f.children {
		if strings.EqualFold(c.name, key) {
			return c, false
		}
	}
	return nil, false
}

// visitor walks a document beside the schema.
type visitor struct {
	found func(path string, f *field)                        // a field in use
	wrong func(path string, v *tree.Value, problem string)   // a value that the specification does not allow
	null  func(path string, parent *tree.Value, name string) // a member that is null, which means absent
}

func (w *visitor) walk(path string, f *field, v *tree.Value) {
	want := tree.String
	switch f.kind {
	case "":
		want = tree.Object
	case "{}":
		want = tree.Object
	case "[]":
		want = tree.Array
	case "bool":
		want = tree.Bool
	case "string":
	default:
		w.number(path, f, v)
		return
	}
	if v.Kind() != want {
		w.wrong(path, v, fmt.Sprintf("is %s where %s is expected", v.Kind(), want))
		return
	}
	switch f.kind {
	case "":
		w.members(path, f, v)
	case "{}":
		for i, name := range v.Names() {
			w.walk(path+"["+strconv.Quote(name)+"]", f.element, v.Items()[i])
		}
	case "[]":
		for i, item := range v.Items() {
			w.walk(path+"["+strconv.Itoa(i)+"]", f.element, item)
		}
	}
}

func (w *visitor) members(path string, f *field, v *tree.Value) {
	for i, name := range v.Names() {
		c, exact := f.child(name)
		if c == nil {
			continue // a newer key, or somebody's own: kept as it is
		}
		at, member := join(path, name), v.Items()[i]
		switch {
		case !exact:
			w.wrong(at, member, fmt.Sprintf("is spelled %q in the specification, and runtimes disagree about other spellings", c.name))
		case member.Kind() == tree.Null:
			w.null(at, v, name)
		default:
			w.found(at, c)
			w.walk(at, c, member)
		}
	}
}

// number checks the range too: runc refuses what does not fit, crun cuts it.
func (w *visitor) number(path string, f *field, v *tree.Value) {
	if v.Kind() != tree.Number {
		w.wrong(path, v, fmt.Sprintf("is %s where a number is expected", v.Kind()))
		return
	}
	digits := strings.TrimLeft(f.kind, "uint")
	bits, _ := strconv.Atoi(digits)
	if digits == "" {
		bits = 64
	}
	var err error
	if f.kind[0] == 'u' {
		_, err = strconv.ParseUint(v.Text(), 10, bits)
	} else {
		_, err = strconv.ParseInt(v.Text(), 10, bits)
	}
	if err != nil {
		w.wrong(path, v, fmt.Sprintf("is %.40s where a number of type %s is expected", v.Text(), f.kind))
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
