package callers

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// document is what there is to do in a part of a document below docs.
type document struct {
	files map[string]string // by path: a code block after a line that ends with its path in backquotes and a colon
	steps []step            // of the code blocks called console
}

// step is a command after a user's prompt, "$ ", or root's, "# ", and what it prints.
type step struct {
	asRoot          bool
	command, output string
}

var (
	pathOfFile = regexp.MustCompile("`((?:/|~/)[^`]+)`:$")
	number     = regexp.MustCompile(`\d+`)
)

// part reads what stands under a heading of the second level.
func part(t testing.TB, name, heading string) document {
	t.Helper()
	content, err := os.ReadFile("../../docs/" + name)
	check(t, err)
	_, rest, found := strings.Cut(string(content), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/%s has no part %q", name, heading)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	d := document{files: map[string]string{}}
	before := ""
	for text != "" {
		line, after, _ := strings.Cut(text, "\n")
		text = after
		language, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence:
			indent := line[:strings.Index(line, "```")]
			block, after, _ := strings.Cut(text, "\n"+indent+"```\n")
			text = after
			d.add(before, language, strings.ReplaceAll("\n"+block+"\n", "\n"+indent, "\n")[1:])
		case strings.TrimSpace(line) != "":
			before = line
		}
	}
	return d
}

func (d *document) add(before, language, block string) {
	if file := pathOfFile.FindStringSubmatch(before); file != nil {
		d.files[file[1]] += block
		return
	}
	if language != "console" {
		return
	}
	for line := range strings.Lines(block) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			d.steps = append(d.steps, step{command: strings.TrimSpace(command)})
		} else if command, ok := strings.CutPrefix(line, "# "); ok {
			d.steps = append(d.steps, step{command: strings.TrimSpace(command), asRoot: true})
		} else {
			d.steps[len(d.steps)-1].output += line
		}
	}
}

// install does on the node what a part asks of root, and writes its files, an ordinary user's into his
// home directory.
func (n *node) install(t testing.TB, d document) {
	t.Helper()
	for path, content := range d.files {
		below, private := strings.CutPrefix(path, "~/")
		if private {
			path = "/home/" + cluster.User + "/" + below
		}
		check(t, n.WriteFile(path, content, 0o644))
		if private {
			top, _, _ := strings.Cut(below, "/")
			n.asRoot(t, "chown", "-R", cluster.User, "/home/"+cluster.User+"/"+top)
		}
	}
	for _, s := range d.steps {
		if s.asRoot {
			n.asRoot(t, "sh", "-c", s.command)
		}
	}
}

// follow runs an ordinary user's steps of a part. Each prints what the document says, numbers excepted.
func (n *node) follow(t *testing.T, d document, env ...string) {
	for _, s := range d.steps {
		if s.asRoot {
			continue
		}
		r := n.as(t, cluster.User, env, "sh", "-c", s.command).begin().wait()
		if want := number.ReplaceAllString(s.output, "N"); number.ReplaceAllString(r.stdout, "N") != want || r.stderr != "" {
			t.Errorf("%q: status %d, stderr %q, stdout:\n%s\nnot as it is written:\n%s", s.command, r.status, r.stderr, r.stdout, s.output)
		}
	}
}

// The first part of docs/podman.md, step by step. Its files are those of all tests here.
func TestPodmanDocument(t *testing.T) {
	n := local(t)
	t.Parallel()
	podman(cluster.User, "berth", "crun")(t, n)
	n.follow(t, part(t, "podman.md", "On the node"))
}

func TestDockerDocument(t *testing.T) {
	n := local(t)
	t.Parallel()
	e := docker(cluster.User, "berth", "crun")(t, n)
	n.follow(t, part(t, "docker.md", "On the node"), e.env...)
}
