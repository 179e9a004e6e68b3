package oci

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
)

// What a runtime tells of containers and of itself.
func TestQueries(t *testing.T) {
	compare(t, []scenario{
		{name: "list", play: lists, shows: "running"},
		{name: "list of nothing", play: listOfNothing, shows: "status 0"},
		{name: "ps", root: true, play: processes, shows: "2 pids"},
		{name: "ps for a user", user: true, play: processes, shows: "?", differs: both("2 pids")},
		{name: "events", root: true, play: events, shows: "?", differs: map[string]string{"runc": ".data.memory", "crun": ".data.memory"}},
		{name: "spec", play: spec, shows: `"ociVersion"`, differs: map[string]string{"crun": `"ociVersion"`}},
		{name: "features", play: features, shows: "?", differs: both(`"ociVersionMin"`)},
		{name: "unknown command", play: unknownCommand, shows: "failed true"},
		{name: "unknown option", play: unknownOptions, shows: "failed true"},
	})
}

func lists(b *box) {
	r := b.running()
	b.ask("list", "--quiet")
	b.ask("list", "-q")
	b.noteList("list", "--format", "json")
	b.noteList("list", "-f", "json")
	b.noteTable("list")
	b.noteTable("list", "--format", "table")
	b.ask("list", "--format", "surprise")
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.noteTable("list")
	b.noteList("list", "--format", "json")
	b.ask("delete", b.id)
}

func listOfNothing(b *box) {
	b.noteTable("list")
	b.ask("list", "--quiet")
	b.noteList("list", "--format", "json")
}

// noteList notes what both runtimes have in a list in JSON.
func (b *box) noteList(args ...string) {
	r := b.do(call{args: args})
	var containers []object
	b.note("%q: status %d, %v", args, r.status, json.Unmarshal([]byte(r.stdout), &containers))
	for _, c := range containers {
		b.note("%v %v, pid %v, bundle %v, created %v", c["id"], c["status"], c["pid"] != 0.0, c["bundle"], c["created"])
	}
}

// noteTable notes the first five columns of a table. Their names differ between the runtimes.
func (b *box) noteTable(args ...string) {
	r := b.do(call{args: args})
	b.note("%q: status %d", args, r.status)
	for line := range strings.Lines(r.stdout) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] != "PATH" && fields[4] != "CREATED" {
			b.note("%s, pid %v, %s", fields[0], fields[1] != "0", strings.Join(fields[2:5], ", "))
		}
	}
	if r.stderr != "" {
		b.note("stderr: %s", kinds(r.stderr))
	}
}

func processes(b *box) {
	b.edits = append(b.edits, script("sleep 100000 & echo ready; wait"))
	r := b.running()
	b.notePids("ps", "--format", "json", b.id)
	b.notePids("ps", "-f", "json", b.id)
	if b.runtime == "runc" { // crun knows but pids
		b.noteProcesses("ps", b.id)
		b.noteProcesses("ps", "--format", "table", b.id)
		b.noteProcesses("ps", b.id, "-o", "pid,comm")
	}
	b.ask("ps", "--format", "surprise", b.id)
	b.ask("kill", b.id, "KILL")
	b.reap(r.pidFile)
	b.ask("delete", b.id)
}

func (b *box) notePids(args ...string) {
	r := b.do(call{args: args})
	var pids []int
	err := json.Unmarshal([]byte(r.stdout), &pids)
	b.note("%q: status %d, %d pids (%v), %s", args, r.status, len(pids), err, kinds(r.stderr))
}

// noteProcesses notes the columns of a table of processes and the commands in it.
func (b *box) noteProcesses(args ...string) {
	r := b.do(call{args: args})
	b.note("%q: status %d, %s", args, r.status, kinds(r.stderr))
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	b.note("columns %q", strings.Fields(lines[0]))
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		b.note("process %s", strings.TrimLeft(strings.Join(fields[max(0, len(fields)-2):], " "), "0123456789"))
	}
}

// events notes which figures there are, not what they are.
func events(b *box) {
	r := b.running()
	s := b.do(call{args: []string{"events", "--stats", b.id}})
	b.note("status %d, %s", s.status, kinds(s.stderr))
	var document any
	if json.Unmarshal([]byte(s.stdout), &document) == nil {
		keys := keys(document, "")
		sort.Strings(keys)
		b.note("%s", strings.Join(slices.Compact(keys), "\n"))
	}
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}

// keys are the paths of all members of a JSON document.
func keys(document any, at string) []string {
	var all []string
	switch d := document.(type) {
	case object:
		for key, value := range d {
			all = append(append(all, at+"."+key), keys(value, at+"."+key)...)
		}
	case list:
		for _, value := range d {
			all = append(all, keys(value, at+"[]")...)
		}
	}
	return all
}

// named are the members of a new bundle in which a runtime names itself, and the type, of which a bind
// mount has two.
var named = regexp.MustCompile(`("ociVersion"|"hostname"|"type"): "[^"]*"`)

func spec(b *box) {
	for _, options := range [][]string{{}, {"--rootless"}} {
		_ = os.Remove(b.path("config.json"))
		b.ask(append([]string{"spec"}, options...)...)
		b.note("%s", named.ReplaceAllString(strings.TrimSpace(read(b.path("config.json"))), "$1: its own"))
		b.ask(append([]string{"spec"}, options...)...)
	}
	b.check(os.MkdirAll(b.path("elsewhere"), 0o755))
	b.ask("spec", "--bundle", b.path("elsewhere"))
	b.note("%v", read(b.path("elsewhere/config.json")) != "")
	b.ask("spec", "--bundle", "/no/such/directory")
}

func features(b *box) { b.ask("features") }

func unknownCommand(b *box) {
	b.note("failed %v", b.do(call{args: []string{"surprise"}}).status != 0)
}

func unknownOptions(b *box) {
	for _, c := range []call{
		{args: []string{"state", "--surprise", b.id}}, {args: []string{"create", "--surprise", b.id}},
		{global: []string{"--surprise"}, args: []string{"state", b.id}},
	} {
		b.note("failed %v", b.do(c).status != 0)
	}
	for _, args := range [][]string{{"--help"}, {"create", "--help"}, {"--version"}, {"-v"}} {
		b.note("%v: status %s", args, fmt.Sprint(b.do(call{args: args}).status))
	}
}
