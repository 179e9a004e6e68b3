package bundle

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/sdk"
)

const effective = `{"process": {"args": ["/dev/.berth-init", "--init", "--", "sh"], "env": ["A=1", "B=2"], "cwd": "/", "user": {"uid": 0}}}`

func TestFurther(t *testing.T) {
	out, err := Further([]byte(effective), FurtherProcess{Args: []string{"ls", "-l", ""}, Env: []string{"B=3", "C="}, Workdir: "/tmp", Terminal: true})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"args": []any{"/dev/.berth-init", "--", "ls", "-l", ""}, "env": []any{"A=1", "B=3", "C="},
		"cwd": "/tmp", "terminal": true, "user": map[string]any{"uid": 0.0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFurtherRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		config  string
		process FurtherProcess
		says    string
	}{
		"no command":         {effective, FurtherProcess{}, "no command"},
		"relative directory": {effective, FurtherProcess{Args: []string{"x"}, Workdir: "tmp"}, "absolute"},
		"directory in proc":  {effective, FurtherProcess{Args: []string{"x"}, Workdir: "/proc/self/fd/7"}, "/proc"},
		"dots":               {effective, FurtherProcess{Args: []string{"x"}, Workdir: "/a/../.."}, `".."`},
		"nameless variable":  {effective, FurtherProcess{Args: []string{"x"}, Env: []string{"=x"}}, "NAME=VALUE"},
		"NUL":                {effective, FurtherProcess{Args: []string{"x\x00y"}}, "NUL"},
		"not UTF-8":          {effective, FurtherProcess{Args: []string{"\xff"}}, "UTF-8"},
		"damaged bundle":     {`{"process"`, FurtherProcess{Args: []string{"x"}}, "config.json"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Further([]byte(c.config), c.process)
			if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an ErrInvalid that says %s", err, c.says)
			}
		})
	}
}
