package config

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

const chooseFile = `default_driver = "crun"

[drivers.acme]
path = "/opt/acme/driver"

[[rules]]
account = ["visitors", "guest?"]
user = ["a*"]
driver = "runc"

[[rules]]
partition = ["gpu*"]
driver = "nvidia"

[[rules]]
group = ["chem"]
driver = "charliecloud"

[[rules]]
gres = ["gpu:a100:*"]
driver = "nvidia"

[[rules]]
container = ["/apps/*/images"]
driver = "auto"

[[rules]]
qos = ["*"]
driver = "acme"

[policy]
user_drivers = ["crun", "runc", "acme"]
`

func mustParse(t *testing.T, file string) *Config {
	t.Helper()
	config, err := Parse("f", []byte(file))
	if err != nil {
		t.Fatal(lines(err))
	}
	return config
}

func TestChoose(t *testing.T) {
	config := mustParse(t, chooseFile)
	known := []string{"crun", "runc", "nvidia", "charliecloud"}
	for name, c := range map[string]struct {
		request         Request
		driver, because string
	}{
		"nothing known": {Request{}, "crun", "default_driver (f:1:1)"},
		"two conditions": {
			Request{Account: "guest7", User: "anna"}, "runc",
			`rule 1 (f:6:3): account "guest7" matches "guest?", user "anna" matches "a*"`,
		},
		"one condition of two":  {Request{Account: "visitors", User: "bert"}, "crun", "default_driver (f:1:1)"},
		"unknown second of two": {Request{Account: "visitors"}, "crun", "default_driver (f:1:1)"},
		"the first that matches": {
			Request{Partition: "gpu-a", Groups: []string{"chem"}}, "nvidia",
			`rule 2 (f:11:3): partition "gpu-a" matches "gpu*"`,
		},
		"any group": {Request{Groups: []string{"users", "chem"}}, "charliecloud", `rule 3 (f:15:3): group "chem" matches "chem"`},
		"any gres":  {Request{GRES: []string{"nic:1", "gpu:a100:2"}}, "nvidia", `rule 4 (f:19:3): gres "gpu:a100:2" matches "gpu:a100:*"`},
		"below a directory": {
			Request{Container: "/apps/chem/images/x/y"}, "auto",
			`rule 5 (f:23:3): container "/apps/chem/images" matches "/apps/*/images"`,
		},
		"whole names only": {Request{Container: "/apps/chem/images2"}, "crun", "default_driver (f:1:1)"},
		"catch-all needs a value": {
			Request{QOS: "normal"}, "acme", `rule 6 (f:27:3): qos "normal" matches "*"`,
		},
		"case counts": {Request{Partition: "GPU"}, "crun", "default_driver (f:1:1)"},

		"wish granted":           {Request{Wish: "runc", WishFrom: "--driver", Known: known}, "runc", "asked for by --driver"},
		"wish beats the rules":   {Request{Partition: "gpu", Wish: "crun", WishFrom: "BERTH_DRIVER"}, "crun", "asked for by BERTH_DRIVER"},
		"wish by path":           {Request{Wish: "acme", WishFrom: "--driver", Known: known}, "acme", "asked for by --driver"},
		"wish for what it gets":  {Request{Partition: "gpu", Wish: "nvidia", WishFrom: "--driver"}, "nvidia", `rule 2 (f:11:3): partition "gpu" matches "gpu*"`},
		"unknown what there is":  {Request{Wish: "runc", WishFrom: "--driver"}, "runc", "asked for by --driver"},
		"hostile text is quoted": {Request{Partition: "gpu\x1b[31m"}, "nvidia", `rule 2 (f:11:3): partition "gpu\x1b[31m" matches "gpu*"`},
	} {
		got, err := config.Choose(c.request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got.Driver != c.driver || got.Because != c.because {
			t.Errorf("%s: got %+v, want %s because %s", name, got, c.driver, c.because)
		}
	}
}

func TestChooseWithoutFile(t *testing.T) {
	for wish, want := range map[string]Choice{
		"":     {Driver: Auto, Because: "default_driver (the default)"},
		"auto": {Driver: Auto, Because: "default_driver (the default)"},
		"crun": {Driver: "crun", Because: "asked for by --driver"},
	} {
		got, err := Default().Choose(Request{Wish: wish, WishFrom: "--driver", Known: []string{"crun"}, Partition: "p"})
		if err != nil || got.Driver != want.Driver || got.Because != want.Because || len(got.Devices) > 0 {
			t.Errorf("%q: got %+v, %v", wish, got, err)
		}
	}
}

func TestChooseByRuleWithoutPatterns(t *testing.T) {
	got, err := mustParse(t, "[[rules]]\ndriver = \"runc\"\n").Choose(Request{})
	if want := (Choice{Driver: "runc", Because: "rule 1 (f:1:3): it has no conditions"}); err != nil || got.Driver != want.Driver || got.Because != want.Because || len(got.Devices) > 0 {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestChooseRefuses(t *testing.T) {
	known := []string{"charliecloud", "crun", "nvidia", "runc"}
	for name, c := range map[string]struct {
		file string
		wish string
		want string
	}{
		"not allowed": {
			chooseFile, "nvidia",
			`--driver: jobs may not ask for driver "nvidia", only for "crun", "runc" or "acme" ([policy] user_drivers, f:32:1)`,
		},
		"misspelt":          {chooseFile, "curn", `--driver: no driver "curn" is installed; did you mean "crun"?`},
		"misspelt, by path": {chooseFile, "acne", `--driver: no driver "acne" is installed; did you mean "acme"?`},
		"unknown":           {chooseFile, "docker", `--driver: no driver "docker" is installed; there are acme, charliecloud, crun, nvidia, runc`},
		"no name":           {chooseFile, "../crun", `--driver: "../crun" is not a driver's name: up to 32 lower-case letters, digits and "-", starting with a letter or digit`},
		"auto not allowed": {
			chooseFile, "auto",
			`--driver: jobs may not ask for driver "auto", only for "crun", "runc" or "acme" ([policy] user_drivers, f:32:1)`,
		},
		"no choice at all": {
			"default_driver = \"crun\"\npolicy.user_drivers = []", "runc",
			`--driver: jobs may not choose their driver here ([policy] user_drivers, f:2:8)`,
		},
	} {
		got, err := mustParse(t, c.file).Choose(Request{Wish: c.wish, WishFrom: "--driver", Known: known})
		if err == nil || err.Error() != c.want || got.Driver != "" {
			t.Errorf("%s: got %+v and\n %v, want\n %s", name, got, err, c.want)
		}
		if !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: the error is not an ErrInvalid", name)
		}
		if !strings.Contains(sdk.Advice(err), `"crun"`) {
			t.Errorf("%s: the advice %q does not name the site's choice", name, sdk.Advice(err))
		}
	}
}

func TestChooseRefusesWithNothingInstalled(t *testing.T) {
	_, err := Default().Choose(Request{Wish: "crun", WishFrom: "--driver", Known: []string{}})
	if want := `--driver: no driver "crun" is installed`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCheckDrivers(t *testing.T) {
	config := mustParse(t, "default_driver = \"curn\"\n[drivers.acme]\npath = \"/opt/acme\"\n[drivers.rumc]\n[[rules]]\ndriver = \"auto\"\n[[rules]]\ndriver = \"acme\"\n[[rules]]\ndriver = \"docker\"\n")
	want := strings.Join([]string{
		`f:1:1: no driver "curn" is installed; did you mean "crun"?`,
		`f:4:10: no driver "rumc" is installed; did you mean "runc"?`,
		`f:10:1: no driver "docker" is installed; there are acme, crun, runc`,
	}, "\n")
	if got := lines(config.CheckDrivers([]string{"runc", "crun"})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := mustParse(t, chooseFile).CheckDrivers([]string{"crun", "runc", "nvidia", "charliecloud"}); err != nil {
		t.Error(err)
	}
	if err := Default().CheckDrivers(nil); err != nil {
		t.Error(err)
	}
}

// Devices are the matching rule's, whatever driver the job wishes, or else the site's.
func TestChooseDevices(t *testing.T) {
	config, err := Parse("f", []byte(`
devices = ["/dev/fuse"]
[[rules]]
partition = ["gpu"]
driver = "crun"
devices = ["example.com/gpu=0", "/dev/kvm"]
[[rules]]
partition = ["bare"]
driver = "crun"
devices = []
[[rules]]
partition = ["cpu"]
driver = "crun"
`))
	if err != nil {
		t.Fatal(err)
	}
	for partition, want := range map[string][]string{
		"gpu": {"example.com/gpu=0", "/dev/kvm"}, "bare": {}, "cpu": {"/dev/fuse"}, "other": {"/dev/fuse"},
	} {
		for _, wish := range []string{"", "runc"} {
			got, err := config.Choose(Request{Partition: partition, Wish: wish, WishFrom: "--driver"})
			if err != nil || !slices.Equal(got.Devices, want) {
				t.Errorf("%s, wish %q: got %+v, %v, want %v", partition, wish, got, err, want)
			}
		}
	}
	_, err = Parse("f", []byte("devices = [\"gpu0\"]\n"))
	if err == nil || !strings.Contains(err.Error(), `f:1:12: devices: expected a device such as "nvidia.com/gpu=0" or "/dev/fuse", got "gpu0"`) {
		t.Error(err)
	}
}
