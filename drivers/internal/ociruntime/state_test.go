package ociruntime

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/internal/await"
)

func TestParseState(t *testing.T) {
	for _, test := range []struct{ name, text, fault string }{
		{"runc", `{"ociVersion":"1.0.2-dev","id":"c","pid":19108,"status":"created","bundle":"/b","rootfs":"/r","created":"2026-11-23T16:09:41.985579536Z","owner":""}`, ""},
		{"crun", "{\n \"ociVersion\": \"1.0.0\",\"id\": \"c\",\"pid\": 20184,\"status\": \"running\",\"bundle\": \"/b\",\"systemd-scope\": \"\",\"owner\": \"u\"\n}\n\n", ""},
		{"paused", `{"id":"c","pid":5,"status":"paused"}`, ""},
		{"empty", "", "unexpected end"},
		{"two documents", `{"id":"c","status":"stopped"}{}`, "after top-level value"},
		{"text before", `warning {"id":"c","status":"stopped"}`, "invalid character"},
		{"other container", `{"id":"d","status":"stopped"}`, `it speaks of "d"`},
		{"unknown status", `{"id":"c","status":"sleeping"}`, `unknown status "sleeping"`},
		{"pid of init", `{"id":"c","pid":1,"status":"running"}`, "impossible pid 1"},
		{"negative pid", `{"id":"c","pid":-1,"status":"running"}`, "impossible pid -1"},
		{"wrong type", `{"id":"c","pid":"7","status":"running"}`, "cannot unmarshal"},
	} {
		t.Run(test.name, func(t *testing.T) {
			state, err := parseState([]byte(test.text), "c")
			if test.fault == "" && (err != nil || state.ID != "c") {
				t.Errorf("got %v, %v", state, err)
			}
			if test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
				t.Errorf("got %v, want %q", err, test.fault)
			}
		})
	}
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"ociVersion":"1.0.2","id":"c","pid":7,"status":"running","bundle":"/b"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		state, err := parseState(text, "c")
		if err == nil && (state.ID != "c" || state.Pid < 0 || state.Pid == 1 || !json.Valid(text)) {
			t.Errorf("%q gives %+v", text, state)
		}
	})
}

func TestUnreapedIsDead(t *testing.T) {
	child := exec.Command("/proc/self/exe", "-test.run=^$")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child is dead before it is reaped", func() bool { return Dead(child.Process.Pid) })
	if p, ok := processAt(child.Process.Pid); !ok || p.parent != os.Getpid() {
		t.Errorf("it is no zombie of ours: %+v", p)
	}
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
	if Dead(os.Getpid()) {
		t.Error("this process is dead")
	}
}

// eventually polls until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	await.True(t, func() string { return what }, ok)
}

func TestMembers(t *testing.T) {
	own := process{pid: 1, mounts: "host", pids: "host"}
	all := []process{
		own,
		{pid: 10, parent: 1, mounts: "m", pids: "host"},  // the first process
		{pid: 11, parent: 10, mounts: "m", pids: "host"}, // its child
		{pid: 12, parent: 1, mounts: "m", pids: "host"},  // an orphan of it
		{pid: 13, parent: 9, mounts: "m", pids: "host"},  // a further program, of a runtime outside
		{pid: 14, parent: 12, mounts: "n", pids: "p"},    // in namespaces that the orphan made
		{pid: 15, parent: 14},                            // unreadable
		{pid: 20, parent: 1, mounts: "host", pids: "host"},
		{pid: 21, parent: 20, mounts: "o", pids: "host"}, // of another container
		{pid: 22, parent: 1},
	}
	pids := func(list []process) (out []int) {
		for _, p := range list {
			out = append(out, p.pid)
		}
		return out
	}
	if diff := cmp.Diff([]int{10, 11, 12, 13, 14, 15}, pids(members(all[1], all, own))); diff != "" {
		t.Error(diff)
	}
	shared := process{pid: 20, parent: 1, mounts: "host", pids: "host"}
	if diff := cmp.Diff([]int{20, 21}, pids(members(shared, all, own))); diff != "" {
		t.Errorf("without namespaces of its own: %s", diff)
	}
	hidden := process{pid: 22, parent: 1}
	if diff := cmp.Diff([]int{22}, pids(members(hidden, all, own))); diff != "" {
		t.Errorf("with unreadable namespaces: %s", diff)
	}
}
