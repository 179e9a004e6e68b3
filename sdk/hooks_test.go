package sdk_test

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

func TestOnlyCleanUp(t *testing.T) {
	own := specs.Hook{Path: "/x/berth-init", Args: []string{"/x/berth-init", "--rm", "/run/berth/1/c"}}
	elsewhere := specs.Hook{Path: "/x/berth-init", Args: []string{"/x/berth-init", "--rm", "/home"}}
	for name, test := range map[string]struct {
		hooks *specs.Hooks
		want  bool
	}{
		"none":         {nil, true},
		"empty":        {&specs.Hooks{}, true},
		"the host's":   {&specs.Hooks{Poststop: []specs.Hook{own}}, true},
		"and another":  {&specs.Hooks{Poststop: []specs.Hook{{Path: "/bin/true"}, own}}, false},
		"elsewhere":    {&specs.Hooks{Poststop: []specs.Hook{elsewhere}}, false},
		"other stages": {&specs.Hooks{Poststart: []specs.Hook{own}}, false},
		"containers":   {&specs.Hooks{StartContainer: []specs.Hook{{Path: "/bin/true"}}, Poststop: []specs.Hook{own}}, false},
	} {
		c := sdk.Container{Bundle: "/run/berth/1/c"}
		if got := c.OnlyCleanUp(test.hooks); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
