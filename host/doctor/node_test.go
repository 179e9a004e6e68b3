package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/host/config"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/host/layout"
	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/host/trust"
)

const (
	unified = "40 30 0:29 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
	procRow = "31 30 0:22 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
)

// goodNode is a node with an ordinary caller on which every check of files is content.
func goodNode(t *testing.T) *Node {
	t.Helper()
	n := &Node{
		Root: t.TempDir(), User: "alice", Program: "/usr/bin/berth",
		State: state.Place{System: filepath.Join(t.TempDir(), "berth"), UID: os.Geteuid()},
		Trust: trust.Rules{Caller: os.Geteuid(), Root: os.Geteuid(), BuildOwner: -1},
	}
	must(t, os.Mkdir(n.State.System, 0o700))
	must(t, os.Chmod(n.State.System, 0o777|os.ModeSticky))
	write(t, n, "proc/1/comm", "systemd\n")
	write(t, n, "proc/self/uid_map", "         0          0 4294967295\n")
	write(t, n, "proc/self/mountinfo", procRow+unified)
	write(t, n, "proc/self/cgroup", "0::/job\n")
	write(t, n, "sys/fs/cgroup/job/cgroup.procs", "")
	write(t, n, "proc/self/limits", "Limit                     Soft Limit           Hard Limit           Units     \n"+
		"Max processes             4096                 unlimited            processes \n"+
		"Max open files            1024                 524288               files     \n")
	write(t, n, "etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n")
	write(t, n, "etc/subuid", "bob:100000:65536\nalice:165536:65536\n")
	write(t, n, "etc/subgid", "bob:100000:65536\nalice:165536:65536\n")
	write(t, n, "usr/lib/tmpfiles.d/berth.conf", "# berth\nd "+n.State.System+" 1777 root root -\n")
	return n
}

// must, write, remove, examine: what every test does.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, n *Node, name, content string) {
	t.Helper()
	path := n.path(name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

func remove(t *testing.T, n *Node, name string) {
	t.Helper()
	must(t, os.Remove(n.path(name)))
}

// examine runs one check and proves of each finding what holds for all of them.
func examine(t *testing.T, n *Node, c check) []Finding {
	t.Helper()
	e := &examination{Node: *n, ctx: context.Background(), check: c.name}
	return look(t, e, c)
}

func look(t *testing.T, e *examination, c check) []Finding {
	t.Helper()
	c.look(e)
	if len(e.findings) == 0 {
		t.Errorf("%s found nothing, not even that all is well", c.name)
	}
	for _, f := range e.findings {
		judge(t, c, f)
	}
	return e.findings
}

// judge holds a finding to its check and to what a reader needs.
func judge(t *testing.T, c check, f Finding) {
	t.Helper()
	if f.Check != c.name || f.What == "" || strings.ContainsAny(f.What+f.Why+f.Mend, "\n\r\x1b") {
		t.Errorf("%+v: not a finding of %s, without text, or not one line", f, c.name)
	}
	if f.Status == StatusOK {
		if f.Why != "" || f.Mend != "" {
			t.Errorf("%+v: nothing is wrong and still explained", f)
		}
		return
	}
	for _, known := range c.faults {
		if known.why == f.Why && known.status == f.Status {
			if err := oneCommand(f.Mend); err != "" {
				t.Errorf("%s: mend %q: %s", f.Check, f.Mend, err)
			}
			return
		}
	}
	t.Errorf("%+v is none of the faults that %s lists", f, c.name)
}

// oneCommand says why a text is not one command for a shell, or returns "".
func oneCommand(text string) string {
	quoted, word := false, ""
	for i, r := range text {
		switch {
		case r == '\'':
			quoted = !quoted
		case !quoted && strings.ContainsRune(";|&`\n", r):
			return "more than one command"
		}
		if r == ' ' && word == "" {
			word = text[:i]
		}
	}
	switch {
	case quoted:
		return "a quote is not closed"
	case word == "":
		return "no program with arguments"
	case strings.ToLower(word) != word && word != "INSTALL" && word != "UPGRADE":
		return "does not begin with a program"
	}
	for _, unfilled := range []string{"DIR", "FILE", "MOUNT", "FIRST", "USER", "KIND", "PACKAGE", "INSTALL", "UPGRADE", "BERTH", "NAME"} {
		if strings.Contains(text, unfilled) {
			return unfilled + " was not filled in"
		}
	}
	return ""
}

// one expects a single finding.
func one(t *testing.T, findings []Finding, status Status, what, mend string) {
	t.Helper()
	if len(findings) != 1 {
		t.Fatalf("%d findings, want 1: %+v", len(findings), findings)
	}
	f := findings[0]
	if f.Status != status || !strings.Contains(f.What, what) || f.Mend != mend {
		t.Errorf("found %+v\nwant status %q, what %q, mend %q", f, status, what, mend)
	}
}

func needRoot(t *testing.T, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: " + why)
	}
}

// site is a directory that trust.Rules accept: below /var/lib for root, below the home directory for
// others.
func site(t *testing.T) string {
	t.Helper()
	parent := "/var/lib" // distributions mount /run noexec
	if os.Geteuid() != 0 {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Skip("needs a home directory that only its owner can write: ", err)
		}
		parent = home
	}
	dir, err := os.MkdirTemp(parent, "berth-doctor-")
	if err != nil {
		t.Skip("needs a home directory that only its owner can write: ", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	rules := trust.Rules{Caller: os.Geteuid(), BuildOwner: os.Geteuid()}
	must(t, os.WriteFile(filepath.Join(dir, "trial"), nil, 0o644))
	f, err := rules.Open(filepath.Join(dir, "trial"))
	if err != nil {
		t.Skip("needs a home directory that only its owner can write: ", err)
	}
	f.Close()
	return dir
}

// installed is a node with an installation of empty programs, and with a configuration.
func installed(t *testing.T, toml string) *Node {
	t.Helper()
	n := goodNode(t)
	dir := site(t)
	n.Layout = layout.Layout{
		Config: filepath.Join(dir, "berth.toml"), Drivers: filepath.Join(dir, "drivers"),
		Init: filepath.Join(dir, "berth-init"),
	}
	n.Program = filepath.Join(dir, "berth")
	n.Trust = trust.Rules{Caller: os.Geteuid(), BuildOwner: os.Geteuid()}
	must(t, os.Mkdir(n.Layout.Drivers, 0o755))
	for _, program := range []string{n.Program, n.Layout.Init, filepath.Join(n.Layout.Drivers, "berth-driver-runc")} {
		must(t, os.WriteFile(program, []byte("#!/bin/false\n"), 0o755))
	}
	must(t, os.WriteFile(n.Layout.Config, []byte(toml), 0o644))
	must(t, os.Chmod(n.Layout.Config, 0o644))
	load(t, n)
	return n
}

// load reads the configuration anew.
func load(t *testing.T, n *Node) {
	t.Helper()
	c, err := config.Load(os.Open, n.Layout.Config)
	if err != nil {
		n.Host, n.HostErr = nil, err
		return
	}
	n.Host = &dispatch.Host{Layout: n.Layout, Config: c, Trust: n.Trust}
}

func uidName() string { return strconv.Itoa(os.Geteuid()) }
