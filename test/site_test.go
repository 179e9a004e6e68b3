package test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// site is an installation of berth for one test: its programs and its berth.toml beside each other.
// Everything that the test starts or makes carries the site's token in its name, its arguments or
// its environment.
type site struct {
	dir    string
	token  string
	driver string // for bundles that name none; "" leaves the choice to berth

	ids atomic.Int32
}

// newSite makes a site. When the test ends, nothing that carries its token may be left.
func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{token: "t" + strings.ToLower(rand.Text()[:10])}
	s.dir = filepath.Join(programs, s.token)
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close(t) })
	for _, name := range programNames {
		s.link(t, name, name)
	}
	return s
}

// link puts a program from the directory of programs into the site.
func (s *site) link(t testing.TB, name, from string) {
	t.Helper()
	if err := os.Link(filepath.Join(programs, from), s.path(name)); err != nil {
		t.Fatal(err)
	}
}

// misbehaving adds a driver that does what its settings say; see serveDriver.
func (s *site) misbehaving(t testing.TB, name string) { s.link(t, "berth-driver-"+name, "misbehaving") }

// path is the path of a file in the site.
func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// configure writes berth.toml.
func (s *site) configure(t testing.TB, text string) {
	t.Helper()
	s.write(t, "berth.toml", text, 0o644)
}

// write makes or replaces a file in the site.
func (s *site) write(t testing.TB, name, text string, mode os.FileMode) string {
	t.Helper()
	path := s.path(name)
	_ = os.Remove(path) // it may be a link to a program that others use
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// mkdir makes a directory in the site.
func (s *site) mkdir(t testing.TB, name string) string {
	t.Helper()
	if err := os.MkdirAll(s.path(name), 0o755); err != nil {
		t.Fatal(err)
	}
	return s.path(name)
}

// id makes up a container ID.
func (s *site) id() string { return fmt.Sprintf("%s-%d", s.token, s.ids.Add(1)) }

func (s *site) close(t testing.TB) {
	s.checkLeft(t)
	if err := os.RemoveAll(s.dir); err != nil {
		t.Error(err)
	}
}
