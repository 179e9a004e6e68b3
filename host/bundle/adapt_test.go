package bundle

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// TestAdaptRefuses: each error names the key and what is wrong with it.
func TestAdaptRefuses(t *testing.T) {
	doc := func(process, more string) string {
		return `{"ociVersion": "1.0.0", "process": {` + process + `}, ` + more + `}`
	}
	const ok = `"args": ["a"], "cwd": "/"`
	const root = `"root": {"path": "rootfs"}`
	tests := map[string]struct {
		config, want string
		set          func(o *Options)
	}{
		"no root":           {config: doc(ok, `"hostname": "x"`), want: "root.path is missing"},
		"root missing":      {config: doc(ok, `"root": {"path": "nowhere"}`), want: "root.path cannot be used: lstat"},
		"root a device":     {config: doc(ok, `"root": {"path": "/dev/null"}`), want: "which is neither a directory nor a file"},
		"no args":           {config: doc(`"cwd": "/"`, root), want: "process.args names no command"},
		"empty args":        {config: doc(`"cwd": "/", "args": []`, root), want: "process.args names no command"},
		"empty command":     {config: doc(`"cwd": "/", "args": ["", "x"]`, root), want: "process.args names no command"},
		"no process":        {config: `{"ociVersion": "1.0.0", ` + root + `}`, want: "process.cwd is missing"},
		"no cwd":            {config: doc(`"args": ["a"]`, root), want: "process.cwd is missing"},
		"relative cwd":      {config: doc(`"args": ["a"], "cwd": "tmp"`, root), want: `process.cwd is "tmp": the working directory must be an absolute path`},
		"cwd with dots":     {config: doc(`"args": ["a"], "cwd": "/tmp/../proc/self/fd/7"`, root), want: `must not contain ".."`},
		"cwd in proc":       {config: doc(`"args": ["a"], "cwd": "//proc/self/fd/8"`, root), want: "could lead out of the container"},
		"cwd in fd":         {config: doc(`"args": ["a"], "cwd": "/dev/fd/8"`, root), want: "could lead out of the container"},
		"workdir in proc":   {config: doc(ok, root), set: func(o *Options) { o.Workdir = "/proc/1" }, want: "could lead out"},
		"env no equals":     {config: doc(ok+`, "env": ["A=1", "FOO"]`, root), want: `process.env[1] is "FOO", which is not NAME=VALUE`},
		"env no name":       {config: doc(ok+`, "env": ["=x"]`, root), want: `process.env[0] is "=x"`},
		"option env":        {config: doc(ok, root), set: func(o *Options) { o.Env = []string{"FOO"} }, want: `environment variable "FOO" is not NAME=VALUE`},
		"option env UTF-8":  {config: doc(ok, root), set: func(o *Options) { o.Env = []string{"A=\xff"} }, want: `process.env[0] is "A=\xff", which is not valid UTF-8`},
		"option arg NUL":    {config: doc(ok, root), set: func(o *Options) { o.Args = []string{"a", "b\x00c"} }, want: "process.args[1] is \"b\\x00c\", which has a NUL"},
		"128 KiB string":    {config: doc(ok, root), set: func(o *Options) { o.Env = []string{"BIG=" + strings.Repeat("x", 1<<17)} }, want: "process.env[0] (BIG) has 131076 bytes: the kernel takes at most 131071"},
		"8 MiB in all":      {config: doc(ok, root), set: func(o *Options) { o.Args = slices.Repeat([]string{strings.Repeat("x", 1<<16)}, 128) }, want: "the largest is process.args[0] with 65536"},
		"mount source":      {config: doc(ok, root+`, "mounts": [{"destination": "/a", "type": "tmpfs"}, {"destination": "/b", "type": "none", "options": ["rbind"], "source": "/no/such"}]`), want: "mounts[1].source cannot be mounted: stat /no/such: no such file"},
		"mount no source":   {config: doc(ok, root+`, "mounts": [{"destination": "/a", "type": "bind"}]`), want: "mounts[0].source is missing"},
		"mount no place":    {config: doc(ok, root+`, "mounts": [{"type": "tmpfs"}]`), want: "mounts[0].destination is missing"},
		"device missing":    {config: doc(ok, root+`, "linux": {"devices": [{"path": "/dev/no-such", "type": "c", "major": 1, "minor": 3}]}`), want: "linux.devices[0].path cannot be used: stat /dev/no-such"},
		"option mount":      {config: doc(ok, root), set: func(o *Options) { o.Mounts = []Mount{{Source: "a", Destination: "/b"}} }, want: "both paths must be absolute"},
		"option mount gone": {config: doc(ok, root), set: func(o *Options) { o.Mounts = []Mount{{Source: "/no/such", Destination: "/b"}} }, want: `mount on "/b": stat /no/such`},
		"relative poststop": {config: doc(ok, root), set: func(o *Options) { o.Poststop = []string{"rm"} }, want: `poststop hook "rm": the path must be absolute`},
		"cpus limit":        {config: doc(ok, root+`, "linux": {"resources": {"cpu": {"cpus": "0-3"}}}`), want: "linux.resources.cpu.cpus cannot be set"},
		"unified limit":     {config: doc(ok, root+`, "linux": {"resources": {"unified": {"pids.max": "5"}}}`), want: "linux.resources.unified.pids.max cannot be set"},
		"hugepage limit":    {config: doc(ok, root+`, "linux": {"resources": {"hugepageLimits": [{"pageSize": "2MB", "limit": 0}]}}`), want: "linux.resources.hugepageLimits[0] cannot be set"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := Load(writeText(t, test.config))
			if err != nil {
				t.Fatal(err)
			}
			o := callers()["user"]
			if test.set != nil {
				test.set(&o)
			}
			if err := b.Adapt(o); !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %.300v, want an ErrInvalid with %q", err, test.want)
			}
		})
	}
}

// adapt returns the effective document of one that has mounts and the like in it.
func adapt(t *testing.T, config string, o Options) *Bundle {
	t.Helper()
	b, err := Load(writeText(t, config))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Adapt(o); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestInitPlace(t *testing.T) {
	const shm = `{"destination": "/dev/shm", "type": "tmpfs", "options": ["noexec"]}`
	const tmp = `{"destination": "/tmp", "type": "tmpfs"}`
	const devBind = `{"destination": "/dev", "type": "bind", "source": "/dev", "options": ["rbind"]}`
	tests := map[string]struct{ mounts, want string }{
		"none":           {"", "/dev/.berth-init"},
		"dev tmpfs":      {`{"destination": "/dev", "type": "tmpfs"}, ` + tmp, "/dev/.berth-init"},
		"dev after":      {tmp + `, {"destination": "/dev/", "type": "tmpfs"}`, "/dev/.berth-init"},
		"node's dev":     {devBind, ""},
		"node's dev shm": {devBind + ", " + shm, ""},
		"node's dev tmp": {devBind + ", " + tmp, "/tmp/.berth-init"},
		"dev noexec":     {`{"destination": "/dev", "type": "tmpfs", "options": ["noexec"]}, ` + tmp, "/dev/.berth-init"},
		"covered":        {devBind + ", " + tmp + `, {"destination": "/tmp", "type": "bind", "source": "/tmp"}`, ""},
		"dev covered":    {`{"destination": "/dev", "type": "tmpfs"}, ` + devBind, ""},
		"tmp read-only":  {devBind + `, {"destination": "/tmp", "type": "tmpfs", "options": ["ro"]}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := callers()["user"]
			config := `{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "process": {"args": ["cmd", "arg"], "cwd": "/"}, "mounts": [` + test.mounts + `]}`
			dir := writeText(t, config)
			o.InitPath = dir + "/init"
			b := adapt(t, config, o)
			want := []string{"cmd", "arg"}
			if test.want != "" {
				want = []string{test.want, "--", "cmd", "arg"}
			}
			if diff := cmp.Diff(want, b.root.Get("process", "args").Texts()); diff != "" {
				t.Errorf("args (-want +got):\n%s", diff)
			}
			if (b.InitLeftOut() == "") != (test.want != "") {
				t.Errorf("InitLeftOut is %q", b.InitLeftOut())
			}
			again, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			o.Init = true
			if err := again.Adapt(o); test.want == "" && !errors.Is(err, sdk.ErrUnsupported) {
				t.Errorf("--init without a place for it: %v", err)
			}
		})
	}
	t.Run("not installed", func(t *testing.T) {
		b, err := Load(write(t, "minimal"))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Adapt(Options{Init: true}); !errors.Is(err, sdk.ErrUnavailable) {
			t.Errorf("--init without berth-init: %v", err)
		}
	})
}

func TestVersion(t *testing.T) {
	tests := map[string]struct{ said, more, want string }{
		"nothing new":        {"1.3.0", "", "1.0.2"},
		"from 1.1":           {"1.1.0", "", "1.0.2"},
		"development":        {"1.0.2-dev", "", "1.0.2-dev"},
		"oldest":             {"1.0.0", "", "1.0.0"},
		"patch stays":        {"1.0.1", "", "1.0.1"},
		"not raised":         {"1.0.2", `, "domainname": "x"`, "1.0.2"},
		"domainname":         {"1.2.1", `, "domainname": "x"`, "1.1.0"},
		"time namespace":     {"1.2.1", `, "linux": {"namespaces": [{"type": "mount"}, {"type": "time"}]}`, "1.1.0"},
		"seccomp action":     {"1.2.0", `, "linux": {"seccomp": {"defaultAction": "SCMP_ACT_KILL_PROCESS"}}`, "1.1.0"},
		"seccomp rule":       {"1.2.0", `, "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["x"], "action": "SCMP_ACT_NOTIFY"}]}}`, "1.1.0"},
		"idmap":              {"1.3.0", `, "mounts": [{"destination": "/a", "type": "bind", "source": "/", "options": ["bind", "idmap"]}]`, "1.2.0"},
		"relative place":     {"1.3.0", `, "mounts": [{"destination": "a", "type": "tmpfs"}]`, "1.2.0"},
		"memory policy":      {"1.3.0", `, "linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0"}}`, "1.3.0"},
		"newer than we know": {"1.4.0", "", "1.4.0"},
		"patch of newest":    {"1.3.9", "", "1.0.2"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := adapt(t, `{"ociVersion": "`+test.said+`", "root": {"path": "rootfs"}, "process": {"args": ["a"], "cwd": "/"}`+test.more+`}`, Options{Caller: Caller{InitialUserns: true}})
			if got := b.root.Get("ociVersion").Text(); got != test.want {
				t.Errorf("ociVersion %q, want %q", got, test.want)
			}
		})
	}
}

// TestNodeMessageQueue: the node's message queues where they are mounted, none where not.
func TestNodeMessageQueue(t *testing.T) {
	b := adapt(t, `{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "process": {"args": ["a"], "cwd": "/"},
		"mounts": [{"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid"]}]}`, callers()["user"])
	var found *tree.Value
	for _, m := range b.root.Get("mounts").Items() {
		if destination(m) == "/dev/mqueue" {
			found = m
		}
	}
	if _, err := os.Stat("/dev/mqueue"); err != nil {
		if found != nil {
			t.Errorf("mounts %s, which the node does not have", found.AppendJSON(nil))
		}
		return
	}
	if found.Get("source").Text() != "/dev/mqueue" || !isBind(found) {
		t.Errorf("mounts %s, want the node's", found.AppendJSON(nil))
	}
}
