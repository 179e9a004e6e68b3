// Package settings fills a driver's settings struct from its table of berth.toml, which travels
// as JSON, and describes the struct's keys.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/internal/nearest"
	"github.com/berth-hpc/berth/sdk"
)

// Key is one key that a driver's table may hold.
type Key struct {
	Name    string
	Type    string // "string", "integer", "number", "boolean", "array" or "table"
	Doc     string
	Default string // as JSON
}

// Fill decodes the JSON object data into the struct that into points to and calls its method
// Validate() error where it has one. into may be nil for a driver without settings; then any
// key is unknown. Errors are sdk.ErrInvalid, and an sdk.SettingError where they are about one key.
func Fill(into any, data []byte) error {
	var table map[string]json.RawMessage
	if len(data) > 0 {
		if err := json.Unmarshal(data, &table); err != nil {
			return fmt.Errorf("parsing the settings: %w", sdk.Mark(err, sdk.ErrInvalid))
		}
	}
	known := map[string]reflect.Value{}
	var names []string
	fields(into, func(name string, field reflect.StructField, value reflect.Value) {
		known[name] = value
		names = append(names, name)
	})
	for _, name := range slices.Sorted(maps.Keys(table)) {
		value, ok := known[name]
		if !ok {
			return unknown(name, names)
		}
		if err := decode(table[name], value.Addr().Interface()); err != nil {
			return &sdk.SettingError{Key: name, Err: err}
		}
	}
	if v, ok := into.(interface{ Validate() error }); ok {
		return sdk.Mark(v.Validate(), sdk.ErrInvalid)
	}
	return nil
}

// Keys describes the keys of the struct that into points to, in the struct's order. The defaults
// are the values that it holds.
func Keys(into any) ([]Key, error) {
	var keys []Key
	var failed error
	fields(into, func(name string, field reflect.StructField, value reflect.Value) {
		text, err := json.Marshal(value.Interface())
		if err != nil {
			failed = fmt.Errorf("describing setting %s: %w", name, err)
		}
		keys = append(keys, Key{Name: name, Type: kindName(field.Type), Doc: field.Tag.Get("doc"), Default: string(text)})
	})
	return keys, failed
}

// fields calls visit for each exported field. Reflection is what keeps a key, its type and its
// explanation in one place, the author's struct.
func fields(into any, visit func(name string, field reflect.StructField, value reflect.Value)) {
	if into == nil {
		return
	}
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = field.Name
		}
		visit(name, field, v.Field(i))
	}
}

func decode(raw json.RawMessage, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return wrongType(wrong)
	}
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: ")) // unknown field "x"
}

// wrongType says what is wrong in the words of the configuration's author.
func wrongType(wrong *json.UnmarshalTypeError) error {
	where := ""
	if wrong.Field != "" {
		where = wrong.Field + " "
	}
	want := kindName(wrong.Type)
	if number, ok := strings.CutPrefix(wrong.Value, "number "); ok && want == "integer" && !strings.ContainsAny(number, ".eE") {
		return fmt.Errorf("%sis out of range: %s", where, number)
	}
	return fmt.Errorf("%smust be %s, not %s", where, article(want), article(wrong.Value))
}

func unknown(name string, names []string) error {
	err := errors.New("unknown setting")
	if near := nearest.To(name, names); near != "" {
		err = fmt.Errorf("unknown setting; did you mean %q?", near)
	} else if len(names) > 0 {
		err = fmt.Errorf("unknown setting; the driver knows %s", strings.Join(names, ", "))
	}
	return &sdk.SettingError{Key: name, Err: err}
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "integer"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Pointer:
		return kindName(t.Elem())
	default:
		return "table"
	}
}

// article writes a JSON or Go type for people; encoding/json calls a boolean "bool" and a table "object".
func article(kind string) string {
	kind, _, _ = strings.Cut(kind, " ")
	switch kind {
	case "bool":
		kind = "boolean"
	case "object":
		kind = "table"
	}
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}
