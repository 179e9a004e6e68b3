package oci

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// What differs from caller to caller: options, environment, descriptors, directory, log.
func TestCallers(t *testing.T) {
	compare(t, []scenario{
		{name: "global options", play: globalOptions},
		{name: "cgroup manager", play: cgroupManager("cgroupfs"), runtime: "crun"},
		{name: "no cgroup manager", play: cgroupManager("disabled"), runtime: "crun"},
		{name: "empty environment", play: emptyEnvironment},
		{name: "own root directory", root: true, play: withoutRoot},
		{name: "user's root directory", user: true, play: withoutRoot},
		{name: "root directory missing", play: newRoot},
		{name: "bundle in the working directory", play: inWorkingDirectory},
		{name: "relative bundle", play: relativeBundle},
		{name: "short option", play: shortOption},
		{name: "descriptors", play: descriptors(2, "--preserve-fds", "2"), shows: `"4 $DIR`},
		{name: "descriptors not preserved", play: descriptors(2)},
		{name: "descriptors, more than there are", play: descriptors(1, "--preserve-fds", "5"), shows: "?", differs: both("create: status 1")},
		{name: "notify socket", edits: []edit{ownRootfs}, play: notifySocket, shows: "?"},
		{name: "no pivot", root: true, play: createWith("--no-pivot")},
		{name: "no new keyring", play: createWith("--no-new-keyring")},
		{name: "standard input", play: standardInput, edits: []edit{script("cat; exit 4")}, shows: "status 4"},
		{name: "options after the ID", runtime: "runc", play: optionsAfter},
		{name: "pid file not writable", root: true, play: pidFileNowhere, shows: "create: status 1"},
		{name: "log in JSON", play: logged("json"), shows: "level", differs: map[string]string{"crun": "level error"}},
		{name: "log in text", play: logged("text"), shows: "log", differs: map[string]string{"crun": "does not exist"}},
		{name: "log of success", play: loggedSuccess},
		{name: "log not writable", play: logNowhere, shows: "?"},
		{name: "debug", play: debug},
	})
}

func globalOptions(b *box) {
	bundle := b.bundle()
	for _, global := range [][]string{{"--log-format", "json"}, {"--log-format=text"}, {"--rootless=auto"}, {"--rootless", "auto"}} {
		r := b.do(call{global: global, args: []string{"run", "--bundle", bundle, b.id}})
		b.note("%v: container ended with %d", global, r.status)
	}
}

func cgroupManager(name string) func(b *box) {
	return func(b *box) {
		r := b.tell(call{global: []string{"--cgroup-manager", name}, args: []string{"run", "--bundle", b.bundle(), b.id}})
		b.note("container ended with %d", r.status)
	}
}

// emptyEnvironment plays calls as podman's clean-up makes them: no PATH, no HOME.
func emptyEnvironment(b *box) {
	b.engine(call{env: []string{}}, b.bundle(b.edits...))
	for _, args := range [][]string{{"state", b.id}, {"kill", b.id, "KILL"}, {"delete", "--force", b.id}, {"list", "--quiet"}} {
		b.tell(call{args: args, env: []string{}})
	}
}

func withoutRoot(b *box) {
	r := b.do(call{args: []string{"run", "--bundle", b.bundle(), b.id}, noRoot: true})
	b.note("container ended with %d", r.status)
	b.tell(call{args: []string{"state", b.id}, noRoot: true})
	b.tell(call{args: []string{"delete", "--force", b.id}, noRoot: true})
}

func newRoot(b *box) {
	r := b.do(call{global: []string{"--root", b.path("other/root")}, args: []string{"run", "--bundle", b.bundle(), b.id}})
	b.note("container ended with %d", r.status)
}

func inWorkingDirectory(b *box) {
	b.bundle(args("/bin/probe", "exit", "0"))
	r := b.tell(call{args: []string{"run", b.id}, dir: b.path("bundle")})
	b.note("container ended with %d", r.status)
	r = b.do(call{args: []string{"run", b.id}, dir: b.dir})
	b.note("without a bundle: status %d", r.status)
}

func relativeBundle(b *box) {
	b.engineIn(b.dir, "bundle")
}

func (b *box) engineIn(dir, bundle string) {
	b.bundle(b.edits...)
	b.engine(call{dir: dir}, bundle)
}

func shortOption(b *box) {
	r := b.ask("run", "-b", b.bundle(), b.id)
	b.note("container ended with %d", r.status)
}

// descriptors plays create with n more descriptors.
func descriptors(n int, options ...string) func(b *box) {
	return func(b *box) {
		var files []*os.File
		for range n {
			f := b.temp("extra")
			defer f.Close()
			files = append(files, f)
		}
		b.engine(call{files: files}, b.bundle(b.edits...), options...)
	}
}

func notifySocket(b *box) {
	b.engine(call{env: append(os.Environ(), "NOTIFY_SOCKET=/no/such/notify")}, b.bundle(b.edits...))
}

func createWith(option string) func(b *box) {
	return func(b *box) { b.engine(call{}, b.bundle(b.edits...), option) }
}

func standardInput(b *box) {
	b.check(os.WriteFile(b.path("input"), []byte("from the caller\n"), 0o644))
	in, err := os.Open(b.path("input"))
	b.check(err)
	defer in.Close()
	b.tell(call{args: []string{"run", "--bundle", b.bundle(b.edits...), b.id}, stdin: in})
}

func optionsAfter(b *box) {
	r := b.ask("run", b.id, "--bundle", b.bundle())
	b.note("container ended with %d", r.status)
}

func pidFileNowhere(b *box) {
	cmd, _, errs := b.start(call{args: []string{"create", "--bundle", b.bundle(), "--pid-file", "/no/such/directory/pid", b.id}})
	b.note("create: status %d", b.wait(cmd))
	b.note("error: %s", kinds(b.content(errs)))
	b.ask("state", b.id)
	b.ask("delete", "--force", b.id)
}

// logged plays failures whose reason goes to a log file, from which docker takes the last line.
func logged(format string) func(b *box) {
	return func(b *box) {
		for _, args := range [][]string{
			{"create", "--bundle", b.bundle(args("no-such-program")), b.id}, {"create", "--bundle", "/no/such/bundle", b.id},
			{"start", b.id}, {"state", b.id}, {"kill", b.id, "KILL"}, {"delete", b.id}, {"exec", b.id, "true"},
		} {
			log := b.path("log")
			_ = os.Remove(log)
			cmd, _, errs := b.start(call{global: []string{"--log", log, "--log-format", format}, args: args})
			b.note("%s: status %d, stderr %s", args[0], b.wait(cmd), kinds(b.content(errs)))
			b.noteLog(read(log), format)
			_ = b.do(call{args: []string{"delete", "--force", b.id}})
		}
	}
}

// noteLog notes level, keys and kind of the last line of a log.
func (b *box) noteLog(text, format string) {
	last := ""
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		last = lines.Text()
	}
	if format != "json" {
		b.note("log: %s", kinds(last))
		return
	}
	var entry map[string]any
	err := json.Unmarshal([]byte(last), &entry)
	b.note("log: %v, level %v, time %v, %s", err, entry["level"], entry["time"] != nil, kinds(last))
}

func loggedSuccess(b *box) {
	log := b.path("log")
	r := b.do(call{global: []string{"--log", log, "--log-format", "json"}, args: []string{"run", "--bundle", b.bundle(), b.id}})
	b.note("container ended with %d", r.status)
	b.note("log: %s", read(log))
}

func logNowhere(b *box) {
	b.tell(call{global: []string{"--log", "/no/such/directory/log"}, args: []string{"run", "--bundle", b.bundle(), b.id}})
}

func debug(b *box) {
	r := b.do(call{global: []string{"--debug"}, args: []string{"run", "--bundle", b.bundle(args("true")), b.id}})
	b.note("container ended with %d", r.status)
}
