package drivertest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
)

// isolations are the requests that shareNode takes away; ask puts one back from a whole bundle.
var isolations = []struct {
	field   string
	feature Feature
	ask     func(spec, whole *specs.Spec)
}{
	{"linux.namespaces", Isolation, askNamespace(specs.PIDNamespace)},
	{"linux.namespaces", Isolation, askNamespace(specs.IPCNamespace)},
	{"linux.namespaces", Isolation, askNamespace(specs.UTSNamespace)},
	{"hostname", Isolation, func(spec, whole *specs.Spec) { spec.Hostname = whole.Hostname }},
	{"process.capabilities", Capabilities, func(spec, whole *specs.Spec) { spec.Process.Capabilities = whole.Process.Capabilities }},
	{"mounts[2]", Isolation, func(spec, whole *specs.Spec) { spec.Mounts[2] = whole.Mounts[2] }},
	{"mounts[3]", Isolation, func(spec, whole *specs.Spec) { spec.Mounts[3] = whole.Mounts[3] }},
}

func askNamespace(kind specs.LinuxNamespaceType) func(spec, whole *specs.Spec) {
	return func(spec, _ *specs.Spec) {
		asks := func(n specs.LinuxNamespace) bool { return n.Type == kind }
		if !slices.ContainsFunc(spec.Linux.Namespaces, asks) {
			spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: kind})
		}
	}
}

// asking is a container that asks for one thing more than the cases' do, where those do without it.
func (t *trial) asking(one int) *container {
	whole := kit{probe: t.probe, ids: t.ids}
	c := t.container([]string{"exit", "0"})
	isolations[one].ask(c.spec, whole.newSpec(c.spec.Root.Path, c.about.ID, nil))
	t.must(writeSpec(c.about.Bundle, c.spec))
	return c
}

// refuses says whether err refuses the thing rightly: as unsupported, by the name of its field.
func refuses(err error, one int) bool {
	return errors.Is(err, sdk.ErrUnsupported) && strings.Contains(err.Error(), isolations[one].field)
}

// isolation is the case refusals/isolation.
func (t *trial) isolation() {
	ran := false
	for i, one := range isolations {
		lacks := t.lacks(Isolation) || one.feature == Capabilities && t.lacks(Capabilities)
		if !lacks && ran {
			continue // every container of the case asks for all that is not lacking
		}
		task := t.asking(i).run()
		_, err := task.plan()
		switch {
		case !lacks && task.status() != 0:
			t.Errorf("%s: %s", one.field, task.describe())
		case !lacks:
			ran = true
		case !errors.Is(err, sdk.ErrUnsupported):
			t.Errorf("%s: %s instead of %q: %v", one.field, kindName(err), sdk.ErrUnsupported, err)
		case !refuses(err, i):
			t.Errorf("the refusal does not name %s: %v", one.field, err)
		}
	}
	for _, feature := range []Feature{Isolation, Capabilities} {
		if t.lacks(feature) {
			t.Lacks("%s (checked: asking for it is refused)", t.cfg.Lacks[feature])
		}
	}
}

// undeclared finds out whether the driver rightly refuses what every bundle asks for, Isolation or
// Capabilities, and takes that as declared: there would be nothing to prove otherwise. It returns which,
// and the refusal; or nothing.
func (k *kit) undeclared(ctx context.Context) (found Feature, refusal string) {
	if k.lacks(Isolation) || k.lacks(Capabilities) {
		return "", ""
	}
	k.try(ctx, Case{Name: "isolation", run: func(t *trial) {
		err := t.container([]string{"exit", "0"}).planned()
		if !errors.Is(err, sdk.ErrUnsupported) {
			return
		}
		refusal = strings.Join(strings.Fields(err.Error()), " ")
		for _, feature := range []Feature{Capabilities, Isolation} {
			t.kit = k.lacking(feature, refusal)
			if found == "" && t.container([]string{"exit", "0"}).planned() == nil && t.refusesAll(feature) {
				found = feature
			}
		}
	}}, -1)
	if found != "" {
		k.cfg.Lacks = k.lacking(found, refusal).cfg.Lacks
	}
	return found, refusal
}

// lacking is the kit for a driver that lacks one thing more.
func (k *kit) lacking(feature Feature, reason string) *kit {
	other := *k
	other.cfg.Lacks = map[Feature]string{feature: reason}
	maps.Copy(other.cfg.Lacks, k.cfg.Lacks)
	return &other
}

// refusesAll says whether the driver rightly refuses each thing that the feature is about.
func (t *trial) refusesAll(feature Feature) bool {
	for i, one := range isolations {
		if (feature == Isolation || feature == one.feature) && !refuses(t.asking(i).planned(), i) {
			return false
		}
	}
	return true
}

// planned asks for a plan and does nothing with it.
func (c *container) planned() error {
	return c.ask(func(ctx context.Context, d *client.Driver) error { return c.plan(ctx, d) })
}
