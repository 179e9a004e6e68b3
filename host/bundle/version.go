package bundle

import (
	"slices"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/host/bundle/tree"
)

// newest is the version whose fields schema.txt names.
const newest = "1.3"

func (b *Bundle) checkVersion() error {
	v := b.root.Get("ociVersion")
	if v == nil {
		return b.wrong(b.root, "ociVersion", "is missing")
	}
	if !isVersionOne(v.Text()) {
		return b.wrong(v, "ociVersion", "is %q: berth reads bundles of version 1.x.y of the OCI runtime specification", v.Text())
	}
	return nil
}

// isVersionOne says whether text is 1.x.y, with or without what semantic versions put behind that.
func isVersionOne(text string) bool {
	core, _, _ := strings.Cut(text, "-")
	core, _, _ = strings.Cut(core, "+")
	parts := strings.Split(core, ".")
	for _, part := range parts {
		if n, err := strconv.ParseUint(part, 10, 16); err != nil || strconv.FormatUint(n, 10) != part {
			return false
		}
	}
	return len(parts) == 3 && parts[0] == "1"
}

// version lowers ociVersion to the oldest one that defines every field in use: runtimes refuse
// versions newer than they are (crun 1.8.1 takes no "1.3.0"), whatever the document holds. It is
// never raised, and a version newer than we know stays: its fields are not known here.
func (a *adaptation) version() error {
	said := a.root.Get("ociVersion").Text()
	if compare(said, newest) > 0 && !strings.HasPrefix(said, newest+".") {
		return nil
	}
	needed := a.needed()
	if minor(said) == minor(needed) || compare(said, needed) <= 0 {
		return nil
	}
	for strings.Count(needed, ".") < 2 {
		needed += ".0"
	}
	a.root.Set("ociVersion", tree.NewString(needed))
	a.change("ociVersion", whyVersion)
	return nil
}

// Lower is Adapt for a runtime that gets the document as it is: it lowers ociVersion as Adapt does and
// says whether it had to; then paths are made independent of where the document lies, and nothing else.
// Errors are those of Adapt.
func (b *Bundle) Lower() (changed bool, err error) {
	a := &adaptation{Bundle: b}
	before := a.root.Get("ociVersion").Text()
	if err := a.version(); err != nil {
		return false, err
	}
	if a.root.Get("ociVersion").Text() == before {
		return false, nil
	}
	if err := a.rootPath(); err != nil {
		return false, err
	}
	return true, a.bundleMounts()
}

// needed returns the version that brought the newest field or value in use, "1.0.2" for none
// later than 1.0.
func (a *adaptation) needed() string {
	needed := "1.0.2"
	need := func(version string) {
		if version != "" && compare(version, needed) > 0 {
			needed = version
		}
	}
	w := &visitor{
		found: func(_ string, f *field) { need(f.since) },
		wrong: func(string, *tree.Value, string) {},
		null:  func(string, *tree.Value, string) {},
	}
	w.walk("", a.schema, a.root)
	for _, version := range a.valueVersions() {
		need(version)
	}
	return needed
}

// valueVersions returns the versions that brought new values of old fields in use here.
func (a *adaptation) valueVersions() []string {
	var versions []string
	if a.namespace("time") != nil {
		versions = append(versions, "1.1")
	}
	for _, m := range a.mounts().Items() {
		options := m.Get("options").Texts()
		if slices.Contains(options, "idmap") || slices.Contains(options, "ridmap") || !strings.HasPrefix(m.Get("destination").Text(), "/") {
			versions = append(versions, "1.2")
		}
	}
	seccomp := a.linux().Get("seccomp")
	used := append(seccomp.Get("flags").Texts(), seccomp.Get("architectures").Texts()...)
	used = append(used, seccomp.Get("defaultAction").Text())
	for _, rule := range seccomp.Get("syscalls").Items() {
		used = append(used, rule.Get("action").Text())
	}
	for _, value := range used {
		switch value {
		case "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_NOTIFY", "SCMP_ARCH_RISCV64", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV":
			versions = append(versions, "1.1")
		}
	}
	return versions
}

// minor returns the first two parts of a version.
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return parts[0] + "." + parts[1]
}

// compare compares versions number by number; what follows the third number does not count.
func compare(a, b string) int { return slices.Compare(numbers(a), numbers(b)) }

func numbers(version string) []int {
	version, _, _ = strings.Cut(version, "-")
	version, _, _ = strings.Cut(version, "+")
	list := make([]int, 3)
	for i, part := range strings.SplitN(version, ".", 3) {
		list[i], _ = strconv.Atoi(part)
	}
	return list
}
