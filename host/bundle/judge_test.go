package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

func trusted(string) error { return nil }

// TestJudge has for every rule what is refused by default, what allows it, and ways around it.
func TestJudge(t *testing.T) {
	hook := `"hooks": {"createContainer": [{"path": "/opt/hook"}]}`
	tests := map[string]struct {
		document string // members beside ociVersion
		policy   Policy
		want     string // in the refusal; empty: allowed
		advice   string
	}{
		"nothing special":      {document: `"annotations": {"org.opencontainers.image.title": "x", "org.berth.driver": "crun"}`},
		"hook":                 {document: hook, want: `config.json:1:55: hooks.createContainer[0] is not allowed: policy of this node refuses the hook "/opt/hook"`, advice: `[policy] hooks = ["/opt/hook"]`},
		"hook allowed":         {document: hook, policy: Policy{Hooks: []string{"/opt/hook"}, Trusted: trusted}},
		"hook any":             {document: hook, policy: Policy{AnyHooks: true}},
		"hook other":           {document: hook, policy: Policy{Hooks: []string{"/opt/hook2", "/opt"}, Trusted: trusted}, want: "hooks.createContainer[0]"},
		"hook unclean":         {document: `"hooks": {"poststop": [{"path": "/opt/../opt/hook"}]}`, policy: Policy{Hooks: []string{"/opt/hook"}, Trusted: trusted}, want: "hooks.poststop[0]"},
		"hook without a path":  {document: `"hooks": {"poststop": [{}]}`, policy: Policy{Hooks: []string{"/opt/hook"}, Trusted: trusted}, want: "hooks.poststop[0]"},
		"hook second":          {document: `"hooks": {"poststop": [{"path": "/opt/hook"}, {"path": "/bin/sh"}]}`, policy: Policy{Hooks: []string{"/opt/hook"}, Trusted: trusted}, want: "hooks.poststop[1]"},
		"hook not trusted":     {document: hook, policy: Policy{Hooks: []string{"/opt/hook"}, Trusted: func(string) error { return errors.New("anybody may write it") }}, want: "is not allowed: anybody may write it"},
		"hook nobody vouches":  {document: hook, policy: Policy{Hooks: []string{"/opt/hook"}}, want: "nothing vouches"},
		"hook of a new stage":  {document: `"hooks": {"someday": [{"path": "/x"}]}`, want: "hooks.someday[0]"},
		"hook of a new shape":  {document: `"hooks": {"someday": {"path": "/x"}}`, want: "hooks.someday is not allowed"},
		"no hooks":             {document: `"hooks": {"prestart": [], "poststop": []}`},
		"annotation":           {document: `"annotations": {"run.oci.handler": "krun"}`, want: `annotations["run.oci.handler"] is not allowed`, advice: `[policy] annotations = ["run.oci.handler"]`},
		"annotation allowed":   {document: `"annotations": {"com.example.a": "", "com.example.b": ""}`, policy: Policy{Annotations: []string{"com.example."}}},
		"annotation all":       {document: `"annotations": {"x": ""}`, policy: Policy{Annotations: []string{""}}},
		"annotation prefix":    {document: `"annotations": {"org.berthx": ""}`, want: `annotations["org.berthx"]`},
		"namespace path":       {document: `"linux": {"namespaces": [{"type": "pid"}, {"type": "network", "path": "/proc/1/ns/net"}]}`, want: "linux.namespaces[1].path is not allowed", advice: "[policy] namespace_paths = true"},
		"namespace allowed":    {document: `"linux": {"namespaces": [{"type": "network", "path": "/proc/1/ns/net"}]}`, policy: Policy{NamespacePaths: true}},
		"seccomp listener":     {document: `"linux": {"seccomp": {"listenerPath": "/run/x"}}`, want: "linux.seccomp.listenerPath is not allowed", advice: "seccomp_listener"},
		"seccomp allowed":      {document: `"linux": {"seccomp": {"listenerPath": "/run/x"}}`, policy: Policy{SeccompListener: true}},
		"network devices":      {document: `"linux": {"netDevices": {"eth0": {}}}`, want: "linux.netDevices is not allowed", advice: "net_devices"},
		"network allowed":      {document: `"linux": {"netDevices": {"eth0": {}}}`, policy: Policy{NetDevices: true}},
		"device":               {document: `"linux": {"devices": [{"path": "/dev/fuse", "type": "c"}]}`, want: `linux.devices[0] is not allowed: policy of this node refuses the device node "/dev/fuse"`, advice: `devices = ["/dev/fuse"]`},
		"device allowed":       {document: `"linux": {"devices": [{"path": "/dev/nvidia0"}]}`, policy: Policy{Devices: []string{"/dev/nvidia*"}}},
		"device unclean":       {document: `"linux": {"devices": [{"path": "/dev/nvidia0/.."}]}`, policy: Policy{Devices: []string{"/dev/*/*"}}, want: "linux.devices[0]"},
		"device not a pattern": {document: `"linux": {"devices": [{"path": "/dev/a"}]}`, policy: Policy{Devices: []string{"/dev/["}}, want: "linux.devices[0]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := Load(writeText(t, `{"ociVersion": "1.0.0", `+test.document+`}`))
			if err != nil {
				t.Fatal(err)
			}
			wantRefused(t, b.Judge(test.policy), test.want)
			if got := sdk.Advice(b.Judge(test.policy)); !strings.Contains(got, test.advice) {
				t.Errorf("advice %q, want %q", got, test.advice)
			}
		})
	}
}

func wantRefused(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && (!errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want an ErrInvalid with %q", err, want)
	}
}

// TestJudgeSources: sources are judged by what they are, and mounted as what was judged.
func TestJudgeSources(t *testing.T) {
	allowed, secret := t.TempDir(), t.TempDir()
	evil := allowed + "evil"
	for _, err := range []error{os.Mkdir(evil, 0o755), os.Mkdir(allowed+"/sub", 0o755), os.Symlink(secret, allowed+"/out"), os.Symlink(allowed+"/sub", secret+"/in")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	bind := func(source string) string {
		return `{"destination": "/m", "type": "bind", "source": "` + source + `"}`
	}
	tests := map[string]struct{ mount, want string }{
		"below":          {bind(allowed + "/sub"), ""},
		"itself":         {bind(allowed), ""},
		"bundle's own":   {bind("data"), ""},
		"link inside":    {bind(secret + "/in"), ""},
		"elsewhere":      {bind(secret), "mounts[0] is not allowed"},
		"prefix of name": {bind(evil), "mounts[0] is not allowed"},
		"link outside":   {bind(allowed + "/out"), "mounts[0] is not allowed"},
		"dots":           {bind(allowed + "/sub/../../"), "mounts[0] is not allowed"},
		"disguised":      {`{"destination": "/m", "type": "proc", "source": "` + secret + `", "options": ["rbind"]}`, "mounts[0] is not allowed"},
		"overlay":        {`{"destination": "/m", "type": "overlay", "source": "x", "options": ["lowerdir=` + secret + `"]}`, "overlay"},
		"no type":        {`{"destination": "/m", "source": "` + secret + `"}`, "it has no type"},
		"tmpfs":          {`{"destination": "/m", "type": "tmpfs", "source": "tmpfs"}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := Load(writeText(t, `{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "mounts": [`+test.mount+`]}`))
			if err != nil {
				t.Fatal(err)
			}
			wantRefused(t, b.Judge(Policy{MountSources: []string{allowed}}), test.want)
		})
	}
	t.Run("root", func(t *testing.T) {
		b, err := Load(writeText(t, `{"ociVersion": "1.0.0", "root": {"path": "`+secret+`"}}`))
		if err != nil {
			t.Fatal(err)
		}
		wantRefused(t, b.Judge(Policy{MountSources: []string{allowed}}), "root.path is not allowed")
	})
	t.Run("asked for", func(t *testing.T) {
		b, err := Load(write(t, "minimal"))
		if err != nil {
			t.Fatal(err)
		}
		p := Policy{MountSources: []string{allowed}}
		wantRefused(t, b.Judge(p, Mount{Source: secret}), "is not allowed")
		link := Mount{Source: secret + "/in", Destination: "/m"}
		wantRefused(t, b.Judge(p, link), "")
		if err := b.Adapt(Options{Caller: Caller{InitialUserns: true}, Mounts: []Mount{link}}); err != nil {
			t.Fatal(err)
		}
		real, err := filepath.EvalSymlinks(allowed + "/sub")
		if err != nil {
			t.Fatal(err)
		}
		mounts := b.root.Get("mounts").Items()
		if got := mounts[len(mounts)-1].Get("source").Text(); got != real {
			t.Errorf("mounts %q, want what was judged, %q", got, real)
		}
	})
}
