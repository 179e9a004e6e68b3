package oci

import (
	"os"
	"strings"
	"testing"
)

// Documents that are wrong, old or new.
func TestDocuments(t *testing.T) {
	const failed = "create: status 1"
	scenarios := []scenario{
		{name: "no bundle", play: document(func(b *box) string { return "/no/such/bundle" }), shows: failed},
		{name: "bundle is a file", play: document(func(b *box) string { return "/etc/passwd" }), shows: failed},
		{name: "no document", play: document(func(b *box) string { return b.shared() }), shows: failed, differs: map[string]string{"crun": "no such file or directory"}},
		{name: "document is a directory", play: document(directoryAsDocument), shows: failed},
		{name: "duplicate keys", play: document(duplicateKeys), shows: "?", differs: both(failed)},
		{name: "unknown keys", edits: []edit{set(object{"x": list{1, nil, true}}, "org.example.unknown"), set("y", "process", "unknown")}},
		{name: "letter case of keys", edits: []edit{set("/work", "process", "CWD")}, shows: "?", differs: both(failed)},
		{name: "null", edits: []edit{set(nil, "process", "rlimits"), set(nil, "hooks"), set(nil, "annotations")}, shows: "?"},
	}
	for name, text := range map[string]string{
		"empty": "", "not JSON": "surprise", "truncated": `{"ociVersion": "1.0.2", `, "an array": "[]", "null document": "null", "an empty object": "{}",
	} {
		scenarios = append(scenarios, scenario{name: name, play: document(func(b *box) string { return b.rawBundle(text) }), shows: "create: status", differs: panics(name)})
	}
	for name, e := range map[string]edit{
		"args of numbers": set(list{1, 2}, "process", "args"), "args a string": set("true", "process", "args"), "env an object": set(object{}, "process", "env"),
		"cwd a number": set(1, "process", "cwd"), "uid a string": set("0", "process", "user", "uid"), "uid negative": set(-1, "process", "user", "uid"),
		"uid too great": set(int64(1)<<40, "process", "user", "uid"), "root a string": set("/", "root"),
		"mounts a string": set("x", "mounts"), "mount without destination": add(object{"type": "tmpfs", "source": "tmpfs"}, "mounts"), "hostname a number": set(1, "hostname"),
		"hooks a list": set(list{}, "hooks"), "readonly a string": set("yes", "root", "readonly"),
	} {
		scenarios = append(scenarios, scenario{name: name, edits: []edit{e}, shows: "?", differs: map[string]string{"crun": failed}})
	}
	// crun 1.8 takes these for no namespaces at all, and mounts on the node.
	for name, e := range map[string]edit{"namespaces an object": set(object{}, "linux", "namespaces"), "linux a list": set(list{}, "linux")} {
		scenarios = append(scenarios, scenario{name: name, runtime: "runc", edits: []edit{e}, shows: failed})
	}
	for _, version := range []string{"1.0.0", "1.0.0-rc1", "1.0.1", "1.0.2-dev", "1.1.0", "1.1.0-rc.1", "1.2.0", "1.2.1", "1.3.0", "1.4.0", "2.0.0", "0.9.0", "1", "1.0", "surprise", ""} {
		scenarios = append(scenarios, scenario{name: "version " + version, edits: []edit{set(version, "ociVersion")}, shows: "?", differs: versionDiffers(version)})
	}
	scenarios = append(scenarios, scenario{name: "no version", edits: []edit{dropped("ociVersion")}, shows: "?", differs: versionDiffers("")})
	for i := range scenarios {
		scenarios[i].root = true // it is read alike whoever the user is
	}
	compare(t, scenarios)
}

// versionDiffers is what berth-oci makes of versions that runc does not look at, and crun 1.8 refuses
// from 1.2 on: what is no version 1 is refused, and a version newer than its document needs is lowered.
func versionDiffers(version string) map[string]string {
	switch version {
	case "1.2.0", "1.2.1", "1.3.0":
		return map[string]string{"crun": "container ended with 0"}
	case "2.0.0", "0.9.0", "1", "1.0", "surprise", "":
		return both("create: status 1")
	}
	return nil
}

// panics: runc 1.1 ends with a stack trace and status 2.
func panics(name string) map[string]string {
	if name == "null document" {
		return map[string]string{"runc": "create: status 1"}
	}
	return nil
}

// document plays a bundle that a function makes.
func document(bundle func(b *box) string) func(b *box) {
	return func(b *box) { b.engine(call{}, bundle(b)) }
}

func directoryAsDocument(b *box) string {
	b.check(os.MkdirAll(b.path("bundle/config.json"), 0o755))
	return b.path("bundle")
}

func duplicateKeys(b *box) string {
	text := read(b.bundle() + "/config.json")
	return b.rawBundle(strings.Replace(text, `"hostname":"differential"`, `"hostname":"first","hostname":"second"`, 1))
}
