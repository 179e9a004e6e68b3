package settings

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/sdk"
)

type table struct {
	Runtime string   `json:"runtime" doc:"absolute path of the runtime"`
	Debug   bool     `json:"debug,omitempty" doc:"say more"`
	Level   int8     `json:"level"`
	Ratio   float64  `json:"ratio"`
	Args    []string `json:"args"`
	Limit   *int     `json:"limit"`
	Nested  nested   `json:"nested"`
	Plain   string
	Hidden  string `json:"-"`
	private string
}

type nested struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

var errRefused = errors.New("refused")

func (s *table) Validate() error {
	switch s.Runtime {
	case "bad":
		return &sdk.SettingError{Key: "runtime", Err: errRefused}
	case "worse":
		return errRefused
	}
	return nil
}

func defaults() *table { return &table{Runtime: "/usr/bin/x", Level: 3, private: "p"} }

func TestFill(t *testing.T) {
	five := 5
	tests := []struct {
		data string
		want table
	}{
		{"", *defaults()},
		{"{}", *defaults()},
		{"null", *defaults()},
		{`{"runtime":"/y","debug":true,"level":-1,"ratio":0.5,"args":["a",""],"limit":5,"nested":{"name":"n"},"Plain":"p"}`,
			table{Runtime: "/y", Debug: true, Level: -1, Ratio: 0.5, Args: []string{"a", ""}, Limit: &five, Nested: nested{Name: "n"}, Plain: "p", private: "p"}},
		{`{"level":0}`, table{Runtime: "/usr/bin/x", private: "p"}},
	}
	for _, tt := range tests {
		got := defaults()
		if err := Fill(got, []byte(tt.data)); err != nil {
			t.Errorf("%s: %v", tt.data, err)
		}
		if diff := cmp.Diff(tt.want, *got, cmp.AllowUnexported(table{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.data, diff)
		}
	}
}

func TestFillRefuses(t *testing.T) {
	tests := []struct{ data, key, text string }{
		{`{"runtim":"/y"}`, "runtim", `setting runtim: unknown setting; did you mean "runtime"?`},
		{`{"zzz":1}`, "zzz", "setting zzz: unknown setting; the driver knows runtime, debug, level, ratio, args, limit, nested, Plain"},
		{`{"zzy":1,"zzx":1}`, "zzx", "setting zzx: unknown setting"},
		{`{"Hidden":"x"}`, "Hidden", "unknown setting"},
		{`{"private":"x"}`, "private", "unknown setting"},
		{`{"Runtime":"x"}`, "Runtime", `did you mean "runtime"?`},
		{`{"runtime":5}`, "runtime", "setting runtime: must be a string, not a number"},
		{`{"runtime":{"a":1}}`, "runtime", "must be a string, not a table"},
		{`{"debug":"yes"}`, "debug", "must be a boolean, not a string"},
		{`{"level":"3"}`, "level", "must be an integer, not a string"},
		{`{"level":1.5}`, "level", "must be an integer, not a number"},
		{`{"level":300}`, "level", "is out of range: 300"},
		{`{"ratio":true}`, "ratio", "must be a number, not a boolean"},
		{`{"args":"a"}`, "args", "must be an array, not a string"},
		{`{"args":[1]}`, "args", "must be a string, not a number"},
		{`{"limit":[]}`, "limit", "must be an integer, not an array"},
		{`{"nested":{"name":5}}`, "nested", "name must be a string, not a number"},
		{`{"nested":{"nam":"x"}}`, "nested", `unknown field "nam"`},
		{`{"runtime":"bad"}`, "runtime", "setting runtime: refused"},
		{`{"runtime":"worse"}`, "", "refused"},
		{`{"runtime":`, "", "parsing the settings"},
		{`[]`, "", "parsing the settings"},
		{`{} {}`, "", "parsing the settings"},
	}
	for _, tt := range tests {
		err := Fill(defaults(), []byte(tt.data))
		if err == nil || !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want %q", tt.data, err, tt.text)
		}
		var setting *sdk.SettingError
		if errors.As(err, &setting) != (tt.key != "") || tt.key != "" && setting.Key != tt.key {
			t.Errorf("%s: about %v, want %q", tt.data, setting, tt.key)
		}
	}
}

func TestNoSettings(t *testing.T) {
	if err := Fill(nil, []byte("{}")); err != nil {
		t.Error(err)
	}
	if err := Fill(nil, []byte(`{"a":1}`)); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("a driver without settings took one: %v", err)
	}
	if keys, err := Keys(nil); keys != nil || err != nil {
		t.Error(keys, err)
	}
}

func TestKeys(t *testing.T) {
	got, err := Keys(defaults())
	if err != nil {
		t.Fatal(err)
	}
	want := []Key{
		{"runtime", "string", "absolute path of the runtime", `"/usr/bin/x"`},
		{"debug", "boolean", "say more", "false"},
		{"level", "integer", "", "3"},
		{"ratio", "number", "", "0"},
		{"args", "array", "", "null"},
		{"limit", "integer", "", "null"},
		{"nested", "table", "", `{"name":"","size":0}`},
		{"Plain", "string", "", `""`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := Keys(&struct{ F func() }{}); err == nil {
		t.Error("a field that is no setting was described")
	}
}

func FuzzFill(f *testing.F) {
	f.Add([]byte(`{"runtime":"/y","level":1,"args":["a"],"nested":{"name":"n","size":2}}`))
	f.Add([]byte(`{"runtim":5}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := Fill(defaults(), data); err != nil && !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("not an ErrInvalid: %v", err)
		}
	})
}
