package bundle

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// terminal settles whether the container gets one, and its size: crun starts with none otherwise.
func (a *adaptation) terminal() error {
	if a.o.Terminal != nil && *a.o.Terminal != a.root.Get("process", "terminal").True() {
		a.root.Get("process").Set("terminal", tree.NewBool(*a.o.Terminal))
		a.change("process.terminal", whyTerminal)
	}
	process := a.root.Get("process")
	if process.Get("terminal").True() && process.Get("consoleSize") == nil && a.o.Rows > 0 && a.o.Columns > 0 {
		size := tree.NewObject()
		size.Set("height", tree.NewInt(int64(a.o.Rows)))
		size.Set("width", tree.NewInt(int64(a.o.Columns)))
		process.Set("consoleSize", size)
		a.change("process.consoleSize", whySize)
	}
	return nil
}

// process settles command, environment and working directory.
func (a *adaptation) process() error {
	if a.o.Args != nil {
		a.root.Get("process").Set("args", tree.NewStrings(a.o.Args))
		a.change("process.args", whyArgs)
	}
	if err := a.environment(); err != nil {
		return err
	}
	a.umask()
	a.openFiles()
	return a.cwd()
}

// runtimesUmask is what runc and crun set where config.json names none, although it should stay the
// task's own then (runtime-spec, config.md).
const runtimesUmask = 0o022

func (a *adaptation) umask() {
	user := a.root.Get("process", "user")
	if a.o.Umask == nil || *a.o.Umask == runtimesUmask || user.Get("umask") != nil {
		return
	}
	if user == nil {
		user = tree.NewObject()
		a.root.Get("process").Set("user", user)
	}
	user.Set("umask", tree.NewInt(int64(*a.o.Umask)))
	a.change("process.user.umask", whyUmask)
}

// environment sets the variables that options give and keeps the last of those named twice, which
// is what programs disagree on otherwise.
func (a *adaptation) environment() error {
	env := a.root.Get("process", "env")
	for i, v := range env.Items() {
		if name, _, found := strings.Cut(v.Text(), "="); name == "" || !found {
			return a.wrong(v, fmt.Sprintf("process.env[%d]", i), "is %s, which is not NAME=VALUE", quoted(v.Text()))
		}
	}
	for _, text := range a.o.Env {
		name, _, found := strings.Cut(text, "=")
		if name == "" || !found {
			return sdk.Mark(fmt.Errorf("environment variable %s is not NAME=VALUE", quoted(text)), sdk.ErrInvalid)
		}
		a.change("process.env["+name+"]", whyEnv)
	}
	if env == nil {
		if len(a.o.Env) > 0 {
			a.root.Get("process").Set("env", tree.NewStrings(lastOf(a.o.Env)))
		}
		return nil
	}
	for _, name := range twice(env.Texts()) {
		a.change("process.env["+name+"]", whyEnvTwice)
	}
	a.root.Get("process").Set("env", tree.NewStrings(lastOf(slices.Concat(env.Texts(), a.o.Env))))
	return nil
}

// twice returns the names of variables that are there more than once.
func twice(env []string) []string {
	count := make(map[string]int, len(env))
	var names []string
	for _, text := range env {
		name, _, _ := strings.Cut(text, "=")
		if count[name]++; count[name] == 2 {
			names = append(names, name)
		}
	}
	return names
}

// lastOf keeps the last of the variables that have the same name, at the place of the first.
func lastOf(env []string) []string {
	place := make(map[string]int, len(env))
	var last []string
	for _, text := range env {
		name, _, _ := strings.Cut(text, "=")
		if i, ok := place[name]; ok {
			last[i] = text
			continue
		}
		place[name] = len(last)
		last = append(last, text)
	}
	return last
}

// cwd settles the working directory.
func (a *adaptation) cwd() error {
	v := a.root.Get("process", "cwd")
	if a.o.Workdir != "" {
		if err := badWorkdir(a.o.Workdir); err != nil {
			return sdk.Mark(fmt.Errorf("working directory %s %w", quoted(a.o.Workdir), err), sdk.ErrInvalid)
		}
		if !a.o.WorkdirMayBeMissing { // else berth-init goes there from the bundle's own
			v = tree.NewString(a.o.Workdir)
			a.root.Get("process").Set("cwd", v)
			a.change("process.cwd", whyWorkdir)
		}
	}
	dir := v.Text()
	if dir == "" {
		return a.wrong(a.root.Get("process"), "process.cwd", "is missing: it names the working directory")
	}
	if err := badWorkdir(dir); err != nil {
		return a.wrong(v, "process.cwd", "is %q: the working directory %v", dir, err)
	}
	if clean := path.Clean(dir); clean != dir {
		a.root.Get("process").Set("cwd", tree.NewString(clean))
		a.change("process.cwd", whyCwdClean)
	}
	return nil
}

// badWorkdir says why dir cannot be a working directory. A path below /proc or /dev/fd could lead to
// a descriptor of the runtime's, and by it out of the container; ".." could lead there unseen.
func badWorkdir(dir string) error {
	clean := path.Clean(dir)
	switch {
	case !path.IsAbs(dir):
		return errors.New("must be an absolute path")
	case slices.Contains(strings.Split(dir, "/"), ".."):
		return errors.New("must not contain \"..\"")
	case within("/proc", clean) || within("/dev/fd", clean):
		return errors.New("must not lead below /proc or /dev/fd: it could lead out of the container")
	}
	return nil
}

// quoted returns text as an error can show it, cut where it is long.
func quoted(text string) string {
	const most = 60
	if len(text) > most {
		return fmt.Sprintf("%.*q…", most, text)
	}
	return fmt.Sprintf("%q", text)
}
