package oci

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Further processes in a container.
func TestExec(t *testing.T) {
	compare(t, []scenario{
		{name: "facts", play: execute("exec", "$ID", "/bin/probe", "facts"), shows: `"argv"`},
		{name: "status", play: execute("exec", "$ID", "/bin/probe", "exit", "42"), shows: "status 42"},
		{name: "killed", play: execute("exec", "$ID", "sh", "-c", "kill -KILL $$"), shows: "status 137"},
		{name: "output", play: execute("exec", "$ID", "sh", "-c", "echo out; echo err >&2"), shows: "stderr: err"},
		{name: "options", play: execute("exec", "--cwd", "/work", "--env", "A=b", "--env", "C=d e", "$ID", "/bin/probe", "facts"), shows: `"A=b"`, differs: map[string]string{"crun": `"NAME=value"`}},
		{name: "user", root: true, play: execute("exec", "--user", "1000:1000", "$ID", "/bin/probe", "facts"), shows: "1000 1000"},
		{name: "no new privileges", play: execute("exec", "--no-new-privs", "$ID", "/bin/probe", "facts"), shows: "NoNewPrivs: 1"},
		{name: "capability", edits: []edit{capabilities("CAP_KILL", "CAP_CHOWN")}, play: execute("exec", "--cap", "CAP_FOWNER", "$ID", "/bin/probe", "facts"), shows: `"argv"`, differs: map[string]string{"crun": `"argv"`}},
		{name: "missing program", play: execute("exec", "$ID", "no-such-program"), shows: "status 255"},
		{name: "missing path", play: execute("exec", "$ID", "/no/such/program"), shows: "o such file or directory"},
		{name: "not executable", play: execute("exec", "$ID", "/bin/not-executable"), shows: "ermission denied"},
		{name: "no command", play: execute("exec", "$ID"), shows: "status", differs: map[string]string{"crun": "status 255"}},
		{name: "option of the command", play: execute("exec", "$ID", "sh", "-c", "echo $0 $@", "--detach", "-t"), shows: "--detach -t"},
		{name: "process", play: execProcess(nil), shows: `"FROM=document"`},
		{name: "process with user", root: true, play: execProcess(object{"user": object{"uid": 1000, "gid": 1000, "additionalGids": list{7}}}), shows: "[7"},
		{name: "process with capabilities", play: execProcess(object{"capabilities": object{"bounding": list{"CAP_KILL"}, "effective": list{"CAP_KILL"}, "permitted": list{"CAP_KILL"}}}), shows: "CapEff: 0000000000000020"},
		{name: "process, missing document", play: execute("exec", "--process", "/no/such/document", "$ID"), shows: "status", differs: map[string]string{"crun": "status 255"}},
		{name: "process, malformed", play: execMalformed, shows: "status", differs: map[string]string{"crun": "status 255"}},
		{name: "detached", play: execDetached, shows: "exec ended with 5"},
		// crun 1.8 enters an ordinary user's container that is not started by chance.
		{name: "in a created container", play: execCreated, shows: "status", runtime: "runc"},
		{name: "in a created container", root: true, play: execCreated, shows: "status", runtime: "crun"},
		{name: "in a stopped container", play: execStopped, shows: "status", differs: map[string]string{"crun": "status 255"}},
		{name: "descriptors", play: execDescriptors, shows: `"3 $DIR`},
	})
}

// execute plays a call of exec in a running container; $ID stands for its ID.
func execute(args ...string) func(b *box) {
	return func(b *box) {
		r := b.running()
		b.tell(call{prefix: []string{filepath.Join(programs, "probe"), "monitor"}, args: b.withID(args)})
		b.ask("kill", b.id, "KILL")
		b.reap(r.pidFile)
		b.ask("delete", b.id)
	}
}

func (b *box) withID(args []string) []string {
	own := append([]string{}, args...)
	for i, arg := range own {
		if arg == "$ID" {
			own[i] = b.id
		}
	}
	return own
}

// processDocument writes a document for --process.
func (b *box) processDocument(more object, args ...any) string {
	process := object{"args": list(args), "env": list{"PATH=/bin", "FROM=document"}, "cwd": "/work", "user": object{"uid": 0, "gid": 0}}
	for key, value := range more {
		process[key] = value
	}
	text, err := json.Marshal(process)
	b.check(err)
	b.check(os.WriteFile(b.path("process.json"), text, 0o644))
	return b.path("process.json")
}

func execProcess(more object) func(b *box) {
	return func(b *box) {
		execute("exec", "--process", b.processDocument(more, "/bin/probe", "facts"), "$ID")(b)
	}
}

func execMalformed(b *box) {
	b.check(os.WriteFile(b.path("process.json"), []byte(`{"args": [`), 0o644))
	execute("exec", "--process", b.path("process.json"), "$ID")(b)
}

func execDetached(b *box) {
	r := b.running()
	pidFile := b.path("exec.pid")
	document := b.processDocument(nil, "sh", "-c", "echo detached; exit 5")
	cmd, out, errs := b.start(call{args: []string{"exec", "--pid-file", pidFile, "--process", document, "--detach", b.id}})
	b.note("exec: status %d", b.wait(cmd))
	b.note("exec ended with %d", b.reap(pidFile))
	b.note("stdout: %s", b.content(out))
	b.note("stderr: %s", b.content(errs))
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}

func execCreated(b *box) {
	r := b.created()
	b.ask("exec", b.id, "/bin/probe", "exit", "3")
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", "--force", b.id)
}

func execStopped(b *box) {
	r := b.running()
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("exec", b.id, "true")
	b.ask("delete", b.id)
}

func execDescriptors(b *box) {
	r := b.running()
	extra := b.temp("extra")
	defer extra.Close()
	b.tell(call{args: []string{"exec", "--preserve-fds", "1", b.id, "/bin/probe", "facts"}, files: []*os.File{extra}})
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}
