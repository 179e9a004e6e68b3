package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/fieldtest"
	"github.com/berth-hpc/berth/sdk"
)

// ociOf is the driver in OCI mode with the settings of a lab, whose container has no user namespace.
func ociOf(l *lab, root bool, sudo string) *oci {
	l.spec.Linux = &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.PIDNamespace}, {Type: specs.UTSNamespace}}}
	l.settings.Mode, l.settings.Sudo = ociMode, sudo
	return &oci{l.settings, root}
}

// asked is what the host asks: to run, and where that is unsupported to create.
func (l *lab) asked(t *testing.T, d *oci) (*sdk.Command, error) {
	t.Helper()
	writeConfig(t, l.c.Bundle, l.spec)
	cmd, err := d.Run(t.Context(), l.c)
	if !errors.Is(err, sdk.ErrUnsupported) {
		return cmd, err
	}
	cmd, createErr := d.Create(t.Context(), l.c)
	if errors.Is(createErr, sdk.ErrUnsupported) {
		return nil, err
	}
	return cmd, createErr
}

func TestOCIPlans(t *testing.T) {
	const apptainer, ce = "apptainer version 1.4.5", "singularity-ce version 4.1.0"
	withUserNamespace := func(l *lab) {
		l.spec.Linux.Namespaces = append(l.spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		l.spec.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Geteuid()), Size: 1}}
		l.spec.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}}
	}
	for name, test := range map[string]struct {
		calls  string
		root   bool
		sudo   string
		change func(l *lab)
	}{
		"apptainer":   {apptainer, true, "", func(*lab) {}},
		"singularity": {"singularity version 3.8.7", true, "", func(*lab) {}},
		"ce":          {ce, true, "", func(*lab) {}},
		"ce 3.9":      {"singularity-ce version 3.9.1", true, "", func(*lab) {}},
		"descriptors": {apptainer, true, "", func(l *lab) { l.c.Files, l.c.IO.PidFile = 40, "/run/pid" }},
		"terminal": {apptainer, true, "", func(l *lab) {
			l.spec.Process.Terminal, l.c.IO.ConsoleSocket = true, "/run/terminal"
		}},
		"user":            {apptainer, false, "", func(*lab) {}},
		"sudo":            {apptainer, false, "/usr/bin/sudo", func(l *lab) { l.spec.Process.User = specs.User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())} }},
		"sudo for root":   {apptainer, true, "/usr/bin/sudo", func(*lab) {}},
		"sudo ce":         {ce, false, "/usr/bin/sudo", func(l *lab) { withUserNamespace(l); l.c.IO.PidFile = "/run/pid" }},
		"sudo ce root":    {ce, false, "/usr/bin/sudo", func(*lab) {}},
		"sudo another":    {apptainer, false, "/usr/bin/sudo", func(l *lab) { l.spec.Process.User.UID = 5 }},
		"ce descriptors":  {ce, true, "", func(l *lab) { l.c.Files = 1 }},
		"ce console":      {ce, true, "", func(l *lab) { l.c.IO.ConsoleSocket = "/run/terminal" }},
		"ce user":         {ce, false, "", func(*lab) {}},
		"user namespace":  {apptainer, true, "", withUserNamespace},
		"sudo namespace":  {apptainer, false, "/usr/bin/sudo", withUserNamespace},
		"no berth-init":   {apptainer, true, "", func(l *lab) { l.spec.Process.Args = []string{"sh"} }},
		"no image":        {apptainer, true, "", func(l *lab) { l.spec.Root.Path = l.path("nowhere") }},
		"image file":      {apptainer, true, "", func(l *lab) { l.spec.Root.Path = l.path("image/file") }},
		"plus":            {apptainer, true, "", func(l *lab) { l.c.ID = "a+b" }},
		"missing source":  {apptainer, true, "", func(l *lab) { l.spec.Mounts = append(l.spec.Mounts, bindMount(l.path("nowhere"), "/data")) }},
		"mount option":    {apptainer, true, "", func(l *lab) { l.spec.Mounts = append(l.spec.Mounts, bindMount("/etc", "/data", "rro")) }},
		"too old":         {"apptainer version 1.0.3", true, "", func(*lab) {}},
		"another runtime": {"runc version 1.1.5", true, "", func(*lab) {}},
	} {
		l := newLab(t, test.calls)
		d := ociOf(l, test.root, test.sudo)
		test.change(l)
		got := l.result(l.asked(t, d))
		if text, err := os.ReadFile(filepath.Join(l.c.Bundle, "oci", sdk.ConfigFile)); err == nil && test.sudo == "" {
			got += strings.ReplaceAll(string(text), l.dir, "TEST") + "\n"
		}
		golden(t, "oci "+name, got)
	}
}

// By sudo, and with isolation shared, an ordinary user's program is the caller without a user namespace.
func TestOCIAsCaller(t *testing.T) {
	l := newLab(t, "apptainer version 1.4.5")
	d := ociOf(l, false, "/usr/bin/sudo")
	l.settings.Isolation = share
	l.spec.Linux.Namespaces = append(l.spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	l.spec.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Geteuid()), Size: 1}, {ContainerID: 1, HostID: 1000000, Size: 65536}}
	l.spec.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}}
	l.spec.Process.Capabilities = &specs.LinuxCapabilities{Ambient: []string{"CAP_SYS_ADMIN"}, Effective: []string{"CAP_SYS_ADMIN"}}
	if _, err := l.asked(t, d); err != nil {
		t.Fatal(err)
	}
	spec, err := (&sdk.Container{Bundle: filepath.Join(l.c.Bundle, "oci")}).Spec()
	must(t, err)
	p := spec.Process
	if int(p.User.UID) != os.Geteuid() || int(p.User.GID) != os.Getegid() || !p.NoNewPrivileges || len(p.Capabilities.Ambient)+len(p.Capabilities.Effective) > 0 {
		t.Errorf("%+v, %+v, no_new_privs %v", p.User, p.Capabilities, p.NoNewPrivileges)
	}
	if namespace(spec.Linux, specs.UserNamespace) || len(spec.Linux.UIDMappings)+len(spec.Linux.GIDMappings) > 0 || len(spec.Linux.Namespaces) != 3 {
		t.Errorf("%+v", spec.Linux)
	}
	l.spec.Process.User.UID = 5
	if _, err := l.asked(t, d); !errors.Is(err, sdk.ErrUnsupported) || !strings.Contains(err.Error(), "process.user.uid") {
		t.Errorf("another user: %v", err)
	}
}

// The program's words may be as long as the kernel takes; all else has a bound, above which the runtime crashes at random.
func TestOCILongConfig(t *testing.T) {
	for name, c := range map[string]struct {
		change func(l *lab)
		want   error
	}{
		"program":    {func(l *lab) { l.spec.Process.Args = append(l.spec.Process.Args, strings.Repeat("x", 1<<20)) }, nil},
		"below":      {func(l *lab) { l.spec.Annotations = map[string]string{"a": strings.Repeat("x", maxConfig*3/4)} }, nil},
		"annotation": {func(l *lab) { l.spec.Annotations = map[string]string{"a": strings.Repeat("x", maxConfig)} }, sdk.ErrUnsupported},
		"NUL":        {func(l *lab) { l.spec.Process.Env = []string{"A=b\x00LD_PRELOAD=/evil.so"} }, sdk.ErrInvalid},
	} {
		l := newLab(t, recent)
		d := ociOf(l, true, "")
		c.change(l)
		if _, err := l.asked(t, d); (err != nil) != (c.want != nil) || c.want == sdk.ErrInvalid && sdk.Kind(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// appliedByOCI are the further fields of config.json that the runtime acts on in OCI mode, or refuses itself.
var appliedByOCI = []string{
	"process.user.umask", "process.user.additionalGids", "process.capabilities", "process.apparmorProfile", "process.selinuxLabel", "process.oomScoreAdj",
	"linux.sysctl", "linux.resources", "linux.cgroupsPath", "linux.namespaces", "linux.rootfsPropagation", "linux.maskedPaths", "linux.readonlyPaths", "linux.mountLabel",
}

func TestEveryFieldIsAppliedOrRefusedByOCI(t *testing.T) {
	fieldtest.Run(t, 8, appliedByOCI, func() (*specs.Spec, func() error) {
		l := newLab(t, recent)
		d := ociOf(l, true, "")
		l.spec.Linux.Namespaces = l.spec.Linux.Namespaces[:2] // a host name needs the third
		return l.spec, func() error {
			_, err := l.asked(t, d)
			return err
		}
	})
}

// The settings choose, and what is chosen claims what it can do.
func TestModes(t *testing.T) {
	d := &native{}
	d.Settings()
	if got := d.Choose(); got != sdk.Driver(d) {
		t.Errorf("by default %T", got)
	}
	if _, claims := sdk.Driver(d).(sdk.Lifecycle); claims {
		t.Error("native mode claims to keep state")
	}
	d.settings.Mode = ociMode
	chosen, ok := d.Choose().(*oci)
	if _, creates := d.Choose().(sdk.Creator); !ok || !creates || chosen.root != nodesRoot() {
		t.Errorf("%T", d.Choose())
	}
}

// What the runtime says is given its kind; one that is not marked is not asked.
func TestOCIMessages(t *testing.T) {
	for said, want := range map[string]error{
		"FATAL:   no container found with name c1":                                         sdk.ErrNotFound,
		"FATAL:   cannot kill 'c1', the state of the container must be created or running": sdk.ErrState,
		"FATAL:   c1 already exists":                                                       sdk.ErrExists,
		"FATAL:   no such process":                                                         sdk.ErrState,
		`FATAL:   "apptainer oci state" command requires root privileges`:                  sdk.ErrUnavailable,
		"sudo: a password is required":                                                     sdk.ErrUnavailable,
		"error opening file /run/singularity-oci/c1/status: No such file or directory":     sdk.ErrNotFound,
		"something else": nil,
	} {
		l := newLab(t, "")
		d := ociOf(l, true, "")
		d.settings.Runtime = l.path("runtime")
		must(t, os.WriteFile(d.settings.Runtime, []byte("#!/bin/sh\necho '"+strings.ReplaceAll(said, "'", `'"'"'`)+"' >&2; exit 255\n"), 0o755))
		if err := d.Start(t.Context(), l.c); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("without a mark: %v", err)
		}
		must(t, os.WriteFile(mark(l.c), nil, 0o600))
		err := d.Start(t.Context(), l.c)
		if err == nil || sdk.Kind(err) != want || strings.Contains(err.Error(), "FATAL") {
			t.Errorf("%s: %v, kind %v", said, err, sdk.Kind(err))
		}
	}
}

// A monitor that was killed notes nothing any more: the container is stopped, with a status that nobody knows.
func TestOCIState(t *testing.T) {
	l := newLab(t, "")
	d := ociOf(l, true, "")
	d.settings.Runtime = l.path("runtime")
	says := func(text string) {
		must(t, os.WriteFile(d.settings.Runtime, []byte("#!/bin/sh\necho '"+text+"'\n"), 0o755))
	}
	must(t, os.WriteFile(mark(l.c), nil, 0o600))
	says(`{"id":"c1","status":"stopped","pid":77,"exitCode":137,"annotations":{"a":"b"}}`)
	state, err := d.State(t.Context(), l.c)
	if err != nil || state.Pid != 0 || state.Annotations[sdk.ExitStatusAnnotation] != "137" || state.Annotations["a"] != "b" {
		t.Errorf("%+v, %v", state, err)
	}
	says(`{"id":"c1","status":"running","pid":4194305}`) // beyond what a pid can be
	state, err = d.State(t.Context(), l.c)
	if err != nil || state.Status != specs.StateStopped || state.Annotations[sdk.ExitStatusAnnotation] != "" {
		t.Errorf("%+v, %v", state, err)
	}
	if err := d.Kill(t.Context(), l.c, syscall.Signal(65), false); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("signal 65: %v", err)
	}
}
