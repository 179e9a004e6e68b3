package tree

import "strconv"

// Kind is the JSON type of a Value.
type Kind uint8

// The kinds of value. The zero Kind is that of a nil Value: nothing there.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String returns the kind as people say it: "a string".
func (k Kind) String() string {
	return [...]string{"absent", "null", "true or false", "a number", "a string", "an array", "an object"}[k]
}

// Value is one value of a document. A nil *Value stands for a value that is not there; every
// method that reads works on it.
type Value struct {
	kind   Kind
	text   string   // String: its content; Number and Bool: as written
	names  []string // Object: names[i] belongs to values[i]
	values []*Value // Array and Object
	offset int      // of the first byte in the source plus one; 0 for a value that was made
}

// NewString returns a string value.
func NewString(s string) *Value { return &Value{kind: String, text: s} }

// NewInt returns a number value.
func NewInt(n int64) *Value { return &Value{kind: Number, text: strconv.FormatInt(n, 10)} }

// NewBool returns a boolean value.
func NewBool(b bool) *Value { return &Value{kind: Bool, text: strconv.FormatBool(b)} }

// NewObject returns an empty object.
func NewObject() *Value { return &Value{kind: Object} }

// NewArray returns an array of items.
func NewArray(items ...*Value) *Value { return &Value{kind: Array, values: items} }

// NewStrings returns an array of strings.
func NewStrings(items []string) *Value {
	a := &Value{kind: Array, values: make([]*Value, len(items))}
	for i, s := range items {
		a.values[i] = NewString(s)
	}
	return a
}

// Kind returns the JSON type of v, Absent for nil.
func (v *Value) Kind() Kind {
	if v == nil {
		return Absent
	}
	return v.kind
}

// Text returns the content of a string or the text of a number as written, "" for anything else.
func (v *Value) Text() string {
	if k := v.Kind(); k == String || k == Number {
		return v.text
	}
	return ""
}

// True says whether v is the value true.
func (v *Value) True() bool { return v.Kind() == Bool && v.text == "true" }

// Int returns the number v when it is a whole one, written without fraction or exponent, that an
// int64 can hold.
func (v *Value) Int() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	return n, err == nil
}

// Texts returns the content of every item of an array of strings.
func (v *Value) Texts() []string {
	items := v.Items()
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = item.Text()
	}
	return texts
}

// Offset returns where v begins in the parsed source, in bytes from 0; false for a value that
// was not parsed.
func (v *Value) Offset() (int, bool) {
	if v == nil || v.offset == 0 {
		return 0, false
	}
	return v.offset - 1, true
}
