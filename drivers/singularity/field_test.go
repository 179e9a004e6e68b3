package main

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// recent is what a runtime calls itself that has everything.
const recent = "apptainer version 1.4.5"

// applied are the fields of config.json that the driver acts on, or that ask for nothing of the
// runtime. All others must be refused, by name: also those that later versions of the specification add.
var applied = []string{
	"ociVersion", "annotations", "mounts", "root.path", "root.readonly",
	"process.terminal", "process.consoleSize", // the caller's terminal is the program's
	"process.args", "process.env", "process.cwd", "process.rlimits", "process.noNewPrivileges",
	"process.user.uid", "process.user.gid",
	"linux.uidMappings", "linux.gidMappings", "linux.devices",
	// Of other systems.
	"solaris", "windows", "vm", "zos", "freebsd", "process.commandLine", "process.user.username",
}

func TestEveryFieldIsAppliedOrRefused(t *testing.T) {
	tried := 0
	for _, at := range []struct {
		prefix string
		in     func(l *lab) reflect.Value
	}{
		{"", func(l *lab) reflect.Value { return reflect.ValueOf(l.spec).Elem() }},
		{"process.", func(l *lab) reflect.Value { return reflect.ValueOf(l.spec.Process).Elem() }},
		{"process.user.", func(l *lab) reflect.Value { return reflect.ValueOf(&l.spec.Process.User).Elem() }},
		{"linux.", func(l *lab) reflect.Value { return reflect.ValueOf(l.spec.Linux).Elem() }},
		{"root.", func(l *lab) reflect.Value { return reflect.ValueOf(l.spec.Root).Elem() }},
	} {
		fields := at.in(newLab(t, recent)).Type()
		for i := range fields.NumField() {
			key, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
			name := at.prefix + key
			if slices.Contains(applied, name) || slices.Contains([]string{"process", "process.user", "linux", "root"}, name) {
				continue
			}
			tried++
			l := newLab(t, recent)
			fill(at.in(l).Field(i))
			_, err := l.plan(t)
			if !errors.Is(err, sdk.ErrUnsupported) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if tried < 20 {
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

// With isolation shared, only what is about isolation is passed over.
func TestSharingPassesOverIsolationOnly(t *testing.T) {
	for name, change := range map[string]func(l *lab){
		"cgroup namespace": func(l *lab) {
			l.spec.Linux.Namespaces = append(l.spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.CgroupNamespace})
		},
		"own sysfs": func(l *lab) {
			l.spec.Mounts = append(l.spec.Mounts, specs.Mount{Destination: "/sys", Type: "sysfs"})
		},
		"capabilities": func(l *lab) { l.spec.Process.Capabilities = &specs.LinuxCapabilities{} },
		"masked paths": func(l *lab) { l.spec.Linux.MaskedPaths = []string{"/proc/kcore"} },
		"device rules": func(l *lab) { l.spec.Linux.Resources = &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{}}} },
	} {
		for _, choice := range []string{refuse, share} {
			l := newLab(t, recent)
			l.addSubordinateIDs()
			l.settings.Isolation = choice
			change(l)
			if _, err := l.plan(t); (err == nil) != (choice == share) {
				t.Errorf("%s, isolation = %q: %v", name, choice, err)
			}
		}
	}
	l := newLab(t, recent)
	l.settings.Isolation = share
	l.spec.Linux.Seccomp = &specs.LinuxSeccomp{}
	if _, err := l.plan(t); !errors.Is(err, sdk.ErrUnsupported) {
		t.Errorf("seccomp: %v", err)
	}
}
