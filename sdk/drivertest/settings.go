package drivertest

import (
	"errors"
	"strings"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
)

func settingCases() []Case {
	return []Case{
		{"settings/described",
			"Every setting has a name that TOML takes bare, a type, an explanation and a default.",
			"A key that only its author knows what it is for.",
			(*trial).settingsDescribed},
		{"settings/unknown",
			"A key that the driver does not have is refused as invalid, by its name.",
			"A typo in a site's configuration that is silently the default.",
			(*trial).settingUnknown},
		{"settings/wrong-type",
			"A value of the wrong type is refused as invalid, by its key's name.",
			"\"false\", in quotes, taken for true.",
			(*trial).settingsTyped},
		{"settings/missing-runtime",
			"With the setting runtime naming no file, Run and Check are not available, and Check says what to do.",
			"A missing runtime reported as a failure of the user's program.",
			(*trial).settingRuntime},
	}
}

// trySettings asks the driver to run the container, with some settings set otherwise.
func (c *container) trySettings(other map[string]any) error {
	return c.t.ask(c.t.ctx, other, func(d *client.Driver) error { return c.plan(c.t.ctx, d) })
}

func (t *trial) blamesSetting(err error, key string) {
	var setting *sdk.SettingError
	switch {
	case !errors.Is(err, sdk.ErrInvalid):
		t.Errorf("setting %q: %s instead of %q: %v", key, kindName(err), sdk.ErrInvalid, err)
	case !errors.As(err, &setting):
		t.Errorf("setting %q: the error does not say which setting is meant: %v", key, err)
	case setting.Key != key:
		t.Errorf("setting %q: the error blames %q", key, setting.Key)
	}
}

func (t *trial) settingsDescribed() {
	types := map[string]bool{"string": true, "integer": true, "number": true, "boolean": true, "array": true, "table": true}
	for _, key := range t.about.Settings {
		switch {
		case key.Name == "" || strings.Trim(key.Name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "":
			t.Errorf("setting %q: the name is not in lower case letters, digits, _ and -", key.Name)
		case !types[key.Type]:
			t.Errorf("setting %q: unknown type %q", key.Name, key.Type)
		case strings.TrimSpace(key.Doc) == "":
			t.Errorf("setting %q: not explained", key.Name)
		case key.Default == "":
			t.Errorf("setting %q: no default", key.Name)
		}
	}
}

func (t *trial) settingUnknown() {
	const key = "no_such_setting"
	t.blamesSetting(t.container([]string{"exit", "0"}).trySettings(map[string]any{key: 1}), key)
}

func (t *trial) settingsTyped() {
	c := t.container([]string{"exit", "0"})
	for _, key := range t.about.Settings {
		var wrong any = []any{map[string]any{}}
		if key.Type == "array" {
			wrong = "text"
		}
		t.blamesSetting(c.trySettings(map[string]any{key.Name: wrong}), key.Name)
	}
	if len(t.about.Settings) == 0 {
		t.Lacks("the driver has no settings")
	}
}

func (t *trial) settingRuntime() {
	has := false
	for _, key := range t.about.Settings {
		has = has || key.Name == "runtime" && key.Type == "string"
	}
	if !has {
		t.Lacks("the driver has no setting \"runtime\"")
	}
	missing := map[string]any{"runtime": "/no/such/runtime"}
	if err := t.container([]string{"exit", "0"}).trySettings(missing); !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("Run: %s instead of %q: %v", kindName(err), sdk.ErrUnavailable, err)
	}
	if !t.can("check") {
		return
	}
	err := t.ask(t.ctx, missing, func(d *client.Driver) error {
		_, err := d.Check(t.ctx)
		return err
	})
	if !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("Check: %s instead of %q: %v", kindName(err), sdk.ErrUnavailable, err)
	}
	if advice := sdk.Advice(err); advice == "" || strings.Contains(advice, "\n") {
		t.Errorf("Check gives no advice of one line: %q", advice)
	}
}
