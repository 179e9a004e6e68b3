package bundle

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestSchemaComplete compares schema.txt with the specification's Go types, both ways: a key that
// the schema lacks could be spelled otherwise and get past policy.
func TestSchemaComplete(t *testing.T) {
	want := map[string]string{"linux.intelRdt.enableCMT": "bool", "linux.intelRdt.enableMBM": "bool"} // 1.1 to 1.2
	fromType(want, "", reflect.TypeFor[specs.Spec]())
	got := map[string]string{}
	fromSchema(got, "", newSchema())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("specification and schema.txt (-want +got):\n%s", diff)
	}
}

func fromSchema(all map[string]string, path string, f *field) {
	all[path] = f.kind
	switch f.kind {
	case "":
		for _, c := range f.children {
			fromSchema(all, join(path, c.name), c)
		}
	case "[]", "{}":
		fromSchema(all, path+f.kind, f.element)
	}
}

func fromType(all map[string]string, path string, typ reflect.Type) {
	switch typ.Kind() {
	case reflect.Pointer:
		fromType(all, path, typ.Elem())
	case reflect.Struct:
		all[path] = ""
		fromFields(all, path, typ)
	case reflect.Slice:
		all[path] = "[]"
		fromType(all, path+"[]", typ.Elem())
	case reflect.Map:
		all[path] = "{}"
		fromType(all, path+"{}", typ.Elem())
	default:
		all[path] = typ.Kind().String()
	}
}

func fromFields(all map[string]string, path string, typ reflect.Type) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			fromFields(all, path, f.Type)
		case path == "" && strings.Contains(" solaris windows vm zos freebsd ", " "+name+" "):
			// not of Linux
		default:
			fromType(all, join(path, name), f.Type)
		}
	}
}
