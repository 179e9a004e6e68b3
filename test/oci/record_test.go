package oci

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// note adds a line to the record that is compared.
func (b *box) note(format string, args ...any) {
	b.said.WriteString(b.normal(fmt.Sprintf(format, args...)))
	b.said.WriteByte('\n')
}

// called says which word stands in the record for a name.
func (b *box) called(name, word string) { b.names = append(b.names, name, word) }

// calledNamespaces gives words to the namespaces of a process.
func (b *box) calledNamespaces(pid int, word string) {
	for _, kind := range [...]string{"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "user", "uts"} {
		if link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind)); err == nil {
			name, _, _ := strings.Cut(link, ":")
			b.called(link, name+":"+word)
		}
	}
}

// changing are what differs between two runs of anything, and what the record has instead.
var changing = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\b(cgroup|ipc|mnt|net|pid|time|user|uts):\[\d+\]`), "$1:its own"},
	{regexp.MustCompile(`\b(pipe|socket):\[\d+\]`), "$1"},
	{regexp.MustCompile(`("pid"|pid|Pid):( *)[1-9]\d*`), "$1:${2}PID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "TIME"},
	{regexp.MustCompile(`\b(pid|parent) ([2-9]|\d\d+)\b`), "$1 PID"},
	{regexp.MustCompile(`(?m)^(stdout: )?\d+ \d+ \d+:\d+ `), "$1"}, // of mountinfo
	{regexp.MustCompile(`/proc/\d+/`), "/proc/PID/"},
	{regexp.MustCompile(`/dev/pts/\d+`), "/dev/pts/N"},
	{regexp.MustCompile(`/root/\$ID/rt/\$ID/`), "/root/$$ID/"}, // a runtime's state behind berth-oci
}

// normal is text with what is the box's own or chance replaced.
func (b *box) normal(text string) string {
	text = strings.NewReplacer(b.names...).Replace(text)
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.instead)
	}
	return text
}

// tell makes a call and notes everything that came of it. Of a failure's text only what callers can
// go by is noted: kinds.
func (b *box) tell(c call) result {
	b.t.Helper()
	r := b.do(c)
	b.note("$ %s%s", strings.Join(append(c.global, ""), " "), strings.Join(c.args, " "))
	b.note("status %d", r.status)
	switch {
	case c.args[0] == "state" && r.status == 0:
		b.note("state: %s", stateOf(r.stdout))
	case r.stdout != "":
		b.note("stdout: %s", r.stdout)
	}
	switch {
	case r.status != 0:
		b.note("error: %s", kinds(r.stderr))
	case warnings.ReplaceAllString(r.stderr, "") != "":
		b.note("stderr: %s", r.stderr)
	}
	return r
}

// warnings are what runc says in passing when it has no cgroup of its own. A driver keeps them.
var warnings = regexp.MustCompile("(?m)^time=.* level=warning .*\n")

// stateOf are the members of a state document that the specification names, but for the version, which
// is the runtime's own and berth-oci's where the record alone tells the state. What runtimes and
// berth-oci add to them is theirs.
func stateOf(document string) string {
	var state struct {
		Version     string            `json:"ociVersion"`
		ID          string            `json:"id"`
		Status      string            `json:"status"`
		Pid         int               `json:"pid"`
		Bundle      string            `json:"bundle"`
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal([]byte(document), &state); err != nil || state.Version == "" {
		return fmt.Sprintf("not a state document (%v): %s", err, document)
	}
	delete(state.Annotations, "org.berth.driver")
	return fmt.Sprintf("%s, status %s, pid %v, bundle %s, annotations %q", state.ID, state.Status, state.Pid > 0, state.Bundle, state.Annotations)
}

// ask is tell with arguments alone.
func (b *box) ask(args ...string) result {
	b.t.Helper()
	return b.tell(call{args: args})
}

// phrases are what callers look for in the text of an error. By the first three podman and docker
// tell their exit statuses 126 and 127.
var phrases = []*regexp.Regexp{
	regexp.MustCompile("executable file (`[^`]*' )?not found in \\$PATH"),
	regexp.MustCompile(`[Nn]o such file or directory`),
	regexp.MustCompile(`[Pp]ermission denied|[Oo]peration not permitted`),
	regexp.MustCompile(`already exists`),
	regexp.MustCompile(`does not exist`),
	regexp.MustCompile(`[Ee]xec format error`),
	regexp.MustCompile(`error running .*hook`),
	regexp.MustCompile(`error executing hook`),
}

// unknownToCrun is what crun says of an ID that it does not know, where runc and berth-oci say that the
// container does not exist.
var unknownToCrun = regexp.MustCompile("error opening file [`'][^`']*/status[`']: No such file or directory")

// started is what crun says of a container that has been started already.
var started = regexp.MustCompile("/exec.fifo[`']: No such file or directory")

// kinds are the phrases in the text of an error.
func kinds(text string) string {
	if unknownToCrun.MatchString(text) {
		return `["does not exist"]`
	}
	if started.MatchString(text) {
		return "some text"
	}
	text = strings.Replace(text, "config.json not found", "no such file or directory", 1)
	var found []string
	for _, p := range phrases {
		if match := p.FindString(text); match != "" {
			found = append(found, strings.ToLower(match)) // podman looks for them in any letter case
		}
	}
	if len(found) == 0 && strings.TrimSpace(text) != "" {
		return "some text"
	}
	return fmt.Sprintf("%q", found)
}
