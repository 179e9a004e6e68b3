package oci

import (
	"path/filepath"
	"testing"
)

// Hooks: order, arguments, environment, place, the state on their standard input, and what becomes of
// a container when one fails.
func TestHooks(t *testing.T) {
	var scenarios []scenario
	for _, kind := range [...]string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"} {
		scenarios = append(scenarios,
			scenario{name: kind, edits: []edit{bind("bind"), hook(kind, "one")}, shows: "one", differs: elsewhere(kind)},
			scenario{name: kind + " fails", edits: []edit{bind("bind"), failing(kind), hook(kind, "after")}, shows: "?", differs: elsewhere(kind)},
			scenario{name: kind + " missing", runtime: "runc", edits: []edit{bind("bind"), hooks(kind, object{"path": "/no/such/hook"})}, shows: "?", differs: elsewhere(kind)},
		)
	}
	compare(t, append(scenarios,
		scenario{name: "all", edits: []edit{bind("bind"), everyHook}, shows: "poststop", differs: elsewhere("poststop")},
		scenario{name: "all, in a container that is run", edits: []edit{bind("bind"), everyHook}, play: foreground, shows: "poststop"},
		scenario{name: "two of a kind", edits: []edit{bind("bind"), hook("createRuntime", "one"), hook("createRuntime", "two")}, shows: "two"},
		scenario{name: "timeout", edits: []edit{hooks("createRuntime", object{"path": "/bin/sleep", "args": list{"sleep", "100000"}, "timeout": 1})}, shows: "create: status 1"},
		scenario{name: "timeout not needed", edits: []edit{hooks("createRuntime", object{"path": "/bin/cat", "timeout": 86400})}},
		scenario{name: "relative", runtime: "runc", edits: []edit{hooks("createRuntime", object{"path": "bin/true"})}, shows: "?"},
		scenario{name: "without arguments", edits: []edit{hooks("createRuntime", object{"path": "/bin/cat"})}},
		scenario{name: "unknown kind", edits: []edit{hooks("preflight", object{"path": "/bin/false"})}, shows: "?"},
		scenario{name: "with annotations", edits: []edit{bind("bind"), set(object{"org.example.x": "y"}, "annotations"), hook("createRuntime", "one")}, shows: "org.example.x"},
	))
}

// elsewhere: a driver has runc delete a container, in the root directory. That runs the poststop hooks,
// whose failure runc tells of and nobody else.
func elsewhere(kind string) map[string]string {
	if kind == "poststop" {
		return map[string]string{"runc": "container ended with 0"}
	}
	return nil
}

// hooks adds a hook of that kind.
func hooks(kind string, hook object) edit { return add(hook, "hooks", kind) }

// hook adds a hook that notes how it was called in /shared, the directory of the box that bind binds.
func hook(kind, name string) edit {
	return func(b *box, config object) {
		path, log := filepath.Join(programs, "probe"), b.path("shared/hooks.log")
		if kind == "startContainer" { // which runs within the container
			path, log = "/bin/probe", "/shared/hooks.log"
		}
		hooks(kind, object{"path": path, "args": list{name + " " + kind, "hook", log}, "env": list{"HOOK=" + name, "PATH=/bin:/usr/bin"}})(b, config)
	}
}

// failing adds a hook that fails, having said why.
func failing(kind string) edit {
	path := "/bin/sh"
	return hooks(kind, object{"path": path, "args": list{"sh", "-c", "cat >/dev/null; echo hook says no >&2; exit 3"}})
}

func everyHook(b *box, config object) {
	for _, kind := range [...]string{"poststop", "poststart", "startContainer", "createContainer", "createRuntime", "prestart"} {
		if kind != "startContainer" || b.runtime == "runc" { // crun runs it at the same time as the poststart hook
			hook(kind, "hook")(b, config)
		}
	}
}
