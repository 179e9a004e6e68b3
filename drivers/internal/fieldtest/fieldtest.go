// Package fieldtest proves that a driver of a runtime that takes no config.json acts on each of its fields or
// refuses it.
package fieldtest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// applied are the fields that drivers act on, or that ask for nothing of the runtime.
func applied() []string {
	return []string{
		"ociVersion", "annotations", "mounts", "root.path", "root.readonly",
		"process.terminal", "process.consoleSize", // the caller's terminal is the program's
		"process.args", "process.env", "process.cwd", "process.rlimits", "process.noNewPrivileges",
		"process.user.uid", "process.user.gid",
		"linux.uidMappings", "linux.gidMappings", "linux.devices",
		// Of other systems.
		"solaris", "windows", "vm", "zos", "freebsd", "process.commandLine", "process.user.username",
		// Their own fields are tried one by one.
		"process", "process.user", "linux", "root",
	}
}

// Run gives each field of config.json that is not applied something to ask for: it must be refused as
// unsupported, by its name. So must those that later versions of the specification add. start makes a
// container that is fine, and returns its config.json, to be changed, and what plans it then. also are fields
// that this driver acts on as well. Fewer than least fields to try are a mistake of the test's own.
func Run(t *testing.T, least int, also []string, start func() (spec *specs.Spec, plan func() error)) {
	t.Helper()
	tried, skip := 0, append(applied(), also...)
	for prefix, in := range map[string]func(*specs.Spec) reflect.Value{
		"":              func(s *specs.Spec) reflect.Value { return reflect.ValueOf(s).Elem() },
		"process.":      func(s *specs.Spec) reflect.Value { return reflect.ValueOf(s.Process).Elem() },
		"process.user.": func(s *specs.Spec) reflect.Value { return reflect.ValueOf(&s.Process.User).Elem() },
		"linux.":        func(s *specs.Spec) reflect.Value { return reflect.ValueOf(s.Linux).Elem() },
		"root.":         func(s *specs.Spec) reflect.Value { return reflect.ValueOf(s.Root).Elem() },
	} {
		spec, _ := start()
		fields := in(spec).Type()
		for i := range fields.NumField() {
			key, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
			name := prefix + key
			if slices.Contains(skip, name) {
				continue
			}
			tried++
			spec, plan := start()
			fill(in(spec).Field(i))
			if err := plan(); !errors.Is(err, sdk.ErrUnsupported) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if tried < least {
		t.Errorf("only %d fields were tried", tried)
	}
}

// fill gives a value something to ask for, whatever it is.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		element := reflect.New(v.Type().Elem()).Elem()
		fill(element)
		v.SetMapIndex(reflect.ValueOf("x"), element)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	}
}
