package state

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

func TestSystemDirectory(t *testing.T) {
	missing := func(t *testing.T, p string) { must(t, os.Remove(p)) }
	mode := func(m os.FileMode) func(*testing.T, string) {
		return func(t *testing.T, p string) { must(t, os.Chmod(p, m)) }
	}
	tests := []struct {
		name string
		make func(t *testing.T, system string)
		text string // "" where Open succeeds
	}{
		{"sticky", mode(0o777 | os.ModeSticky), ""},
		{"private", mode(0o700), ""},
		{"writable by all", mode(0o777), "without being sticky (mode 0777)"},
		{"writable by the group", mode(0o770), "without being sticky (mode 0770)"},
		{"symlink", func(t *testing.T, p string) { missing(t, p); must(t, os.Symlink(t.TempDir(), p)) }, "symbolic link"},
		{"file", func(t *testing.T, p string) { missing(t, p); must(t, os.WriteFile(p, nil, 0o600)) }, "no directory"},
		{"fifo", func(t *testing.T, p string) { missing(t, p); must(t, unix.Mkfifo(p, 0o600)) }, "no directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := place(t)
			test.make(t, p.System)
			r, err := Open(p)
			if test.text == "" {
				must(t, err)
				defer r.Close()
				st, err := os.Lstat(filepath.Join(p.System, uidName()))
				must(t, err)
				if st.Mode() != os.ModeDir|0o700 {
					t.Errorf("mode %v", st.Mode())
				}
				return
			}
			if !errors.Is(err, sdk.ErrUnavailable) || !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), p.System) {
				t.Errorf("error %v, want ErrUnavailable of %q: %q", err, p.System, test.text)
			}
			if !strings.Contains(sdk.Advice(err), "run as root: ") {
				t.Errorf("advice %q", sdk.Advice(err))
			}
		})
	}
}

func TestNoSystemDirectory(t *testing.T) {
	p := place(t)
	must(t, os.Remove(p.System))
	if os.Geteuid() == 0 {
		defer unix.Umask(unix.Umask(0o077))
		r, err := Open(p)
		must(t, err)
		r.Close()
		st, err := os.Lstat(p.System)
		must(t, err)
		if st.Mode() != os.ModeDir|os.ModeSticky|0o777 {
			t.Errorf("root made it with mode %v", st.Mode())
		}
		return
	}
	_, err := Open(p)
	if !errors.Is(err, sdk.ErrUnavailable) || sdk.Advice(err) != "run as root: install -d -m 1777 "+p.System {
		t.Errorf("%v, advice %q", err, sdk.Advice(err))
	}
}

func TestLookupMakesNothing(t *testing.T) {
	p := place(t)
	if _, err := Lookup(p); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
	if names := list(t, p.System); len(names) != 0 {
		t.Errorf("made %q", names)
	}
	must(t, os.Remove(p.System))
	if _, err := Lookup(p); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("without System: %v, want ErrNotFound", err)
	}
	p.UserRuntimeDir = t.TempDir()
	if _, err := Lookup(p); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("with a runtime directory: %v, want ErrNotFound", err)
	}
}

func TestOnlyOnesOwnContainers(t *testing.T) {
	p := place(t)
	p.UID++
	for name, open := range map[string]func(Place) (*Root, error){"Open": Open, "Lookup": Lookup} {
		if _, err := open(p); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// Whatever another user leaves under our name, we get a directory of our own, and find it again.
func TestSquatting(t *testing.T) {
	squats := map[string]func(t *testing.T, path string){
		"directory of another": func(t *testing.T, p string) {
			needRoot(t, "makes what belongs to another user")
			must(t, os.Mkdir(p, 0o700))
			must(t, os.Chown(p, 2000, 2000))
		},
		"open directory":     func(t *testing.T, p string) { must(t, os.Mkdir(p, 0o700)); must(t, os.Chmod(p, 0o777)) },
		"readable directory": func(t *testing.T, p string) { must(t, os.Mkdir(p, 0o755)) },
		"file":               func(t *testing.T, p string) { must(t, os.WriteFile(p, nil, 0o600)) },
		"fifo":               func(t *testing.T, p string) { must(t, unix.Mkfifo(p, 0o600)) },
		"socket":             func(t *testing.T, p string) { must(t, unix.Mknod(p, unix.S_IFSOCK|0o600, 0)) },
		"symlink to ours":    func(t *testing.T, p string) { must(t, os.Symlink(t.TempDir(), p)) },
		"symlink to nothing": func(t *testing.T, p string) { must(t, os.Symlink("/nowhere", p)) },
	}
	for name, squat := range squats {
		t.Run(name, func(t *testing.T) {
			p := place(t)
			squat(t, filepath.Join(p.System, uidName()))
			squat(t, filepath.Join(p.System, uidName()+".00000000"))
			first := open(t, p)
			d := create(t, first, "x")
			if !strings.HasPrefix(first.Path(), filepath.Join(p.System, uidName()+".")) {
				t.Errorf("made %q", first.Path())
			}
			second := open(t, p)
			if second.Path() != first.Path() {
				t.Errorf("found %q, made %q", second.Path(), first.Path())
			}
			must(t, os.RemoveAll(filepath.Join(p.System, uidName()))) // the squatter gives up
			third := open(t, p)
			if found, err := third.Find("x"); err != nil || found.Path() != d.Path() {
				t.Errorf("found %v, %v; want %q", found, err, d.Path())
			}
			if len(list(t, p.System)) != 2 {
				t.Errorf("left %q", list(t, p.System))
			}
		})
	}
}

// Tasks that meet a squatted name at the same moment may make several directories. None is lost.
func TestSeveralHomes(t *testing.T) {
	p := place(t)
	for _, name := range []string{".1", ".2"} {
		must(t, os.Mkdir(filepath.Join(p.System, uidName()+name), 0o700))
	}
	all := open(t, p)
	second := &Root{uid: all.uid, homes: all.homes[1:]}
	create(t, second, "b")
	create(t, all, "a")
	if _, err := all.Create(record(t, "b")); !errors.Is(err, sdk.ErrExists) {
		t.Errorf("second container of one ID: %v, want ErrExists", err)
	}
	ids, err := all.IDs()
	must(t, err)
	if !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("IDs %q", ids)
	}
	// Others' uids that begin like ours are not ours.
	must(t, os.Mkdir(filepath.Join(p.System, uidName()+"9"), 0o700))
	if again := open(t, p); len(again.homes) != 2 {
		t.Errorf("%d homes, want 2", len(again.homes))
	}
}

func TestRuntimeDirectory(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, dir string) string
		text string
	}{
		{"good", func(t *testing.T, d string) string { return d }, ""},
		{"200 characters", func(t *testing.T, d string) string {
			d = filepath.Join(d, strings.Repeat("x", 200))
			must(t, os.Mkdir(d, 0o700))
			return d
		}, ""},
		{"relative", func(t *testing.T, d string) string { return "run" }, "not an absolute path"},
		{"missing", func(t *testing.T, d string) string { return d + "/missing" }, "no such file or directory"},
		{"writable by others", func(t *testing.T, d string) string { must(t, os.Chmod(d, 0o777)); return d }, "not private"},
		{"of another", func(t *testing.T, d string) string {
			needRoot(t, "makes what belongs to another user")
			must(t, os.Chown(d, 2000, 2000))
			return d
		}, "not private"},
		{"symlink", func(t *testing.T, d string) string { must(t, os.Symlink(d, d+"/l")); return d + "/l" }, "symbolic link"},
		{"berth is a symlink", func(t *testing.T, d string) string { must(t, os.Symlink("/tmp", d+"/berth")); return d }, "mode 0700"},
		{"berth is open", func(t *testing.T, d string) string { must(t, os.Mkdir(d+"/berth", 0o755)); return d }, "mode 0700"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := place(t)
			dir := t.TempDir()
			must(t, os.Chmod(dir, 0o700))
			p.UserRuntimeDir = test.make(t, dir)
			// Root would make System: keep it from that, as from a user, by a missing parent.
			p.System = filepath.Join(p.System, "missing", "berth")
			r, err := Open(p)
			if test.text == "" {
				must(t, err)
				defer r.Close()
				if want := filepath.Join(p.UserRuntimeDir, "berth"); r.Path() != want {
					t.Errorf("path %q, want %q", r.Path(), want)
				}
				return
			}
			if !errors.Is(err, sdk.ErrUnavailable) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want ErrUnavailable with %q", err, test.text)
			}
			if want := "run as root: install -d -m 1777 " + p.System; sdk.Advice(err) != want {
				t.Errorf("advice %q, want %q", sdk.Advice(err), want)
			}
		})
	}
}
