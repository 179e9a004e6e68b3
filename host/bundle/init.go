package bundle

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// The names of what berth binds into a tmpfs of the container.
const (
	initName   = ".berth-init"
	statusName = ".berth-status"
)

// berthInit binds berth-init into the container and puts it in front of the command. Where there
// is no place for it, it is left out, unless the caller needs it as process 1.
func (a *adaptation) berthInit() error {
	if a.o.InitPath == "" {
		if a.o.Init {
			return sdk.Mark(errors.New("--init: berth-init is not installed on this node"), sdk.ErrUnavailable)
		}
		return nil
	}
	dir, err := a.placeForInit()
	if err != nil {
		if a.o.Init {
			return sdk.Mark(fmt.Errorf("--init: %w", err), sdk.ErrUnsupported)
		}
		a.noInit = err.Error()
		return nil
	}
	at := path.Join(dir, initName)
	a.addMount(newMount(at, "bind", a.o.InitPath, a.lockedOptions(a.o.InitPath, "bind", "ro", "nosuid", "nodev")), whyInit)
	args := append([]string{at}, a.initOptions(dir)...)
	args = append(append(args, "--"), a.root.Get("process", "args").Texts()...)
	if len(a.root.Get("process", "args").Items()) > 0 { // without a command, checkProcess will refuse
		a.root.Get("process").Set("args", tree.NewStrings(args))
		a.change("process.args", whyInit)
	}
	return nil
}

// initOptions returns berth-init's options as init/berth-init.c explains them.
func (a *adaptation) initOptions(dir string) []string {
	var options []string
	if a.o.WorkdirMayBeMissing && a.o.Workdir != "" {
		options = append(options, "--cwd", path.Clean(a.o.Workdir))
		a.change("process.args", whyCwdInit)
	}
	if a.o.ByName {
		options = append(options, "--by-name")
	}
	if !a.o.Init {
		return options
	}
	options = append(options, "--init")
	if a.o.Signals != "" {
		options = append(options, "--signals="+a.o.Signals)
	}
	if a.o.EndWithRuntime && a.o.Rootless {
		options = append(options, "--end-with-parent")
	}
	if a.o.PID > 0 && a.namespace("pid") != nil {
		options = append(options, "--pid", strconv.Itoa(a.o.PID))
		a.change("process.args", whyPids)
	}
	if a.o.StatusFile != "" {
		at := path.Join(dir, statusName)
		a.addMount(newMount(at, "bind", a.o.StatusFile, a.lockedOptions(a.o.StatusFile, "bind", "nosuid", "nodev", "noexec")), whyStatus)
		options = append(options, "--status", at)
	}
	return options
}

// placeForInit returns the directory of the container that can take berth-init without a trace in
// the image: a tmpfs that programs may be executed from, /dev if it is one.
func (a *adaptation) placeForInit() (string, error) {
	if _, err := os.Stat(a.o.InitPath); err != nil {
		return "", fmt.Errorf("berth-init cannot be bound: %w", err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(a.o.InitPath, &fs); err == nil && fs.Flags&unix.ST_NOEXEC != 0 {
		return "", fmt.Errorf("berth-init cannot be executed: %s is on a file system mounted noexec", a.o.InitPath)
	}
	place := ""
	for i, m := range a.mounts().Items() {
		d := destination(m)
		if (place != "/dev" || d == "/dev") && a.takesInit(m) && !a.covered(d, i) {
			place = d
		}
	}
	if place == "" {
		return "", errors.New("the container has no place for berth-init: /dev is not a tmpfs of its own, and there is no other tmpfs without noexec")
	}
	return place, nil
}

// takesInit says whether m is a tmpfs that berth-init can be bound into and executed from. The bind is a mount
// of its own, so that noexec does not matter, which podman writes for /dev; where other file systems
// have it, it is heeded.
func (a *adaptation) takesInit(m *tree.Value) bool {
	options := m.Get("options").Texts()
	isDev := destination(m) == "/dev"
	closed := slices.Contains(options, "ro") || slices.Contains(options, "noexec") // runtimes make /dev read-only last
	return m.Get("type").Text() == "tmpfs" && !isBind(m) && (isDev || !closed)
}

// covered says whether a later mount hides what the i-th one mounts on d.
func (a *adaptation) covered(d string, i int) bool {
	return slices.ContainsFunc(a.mounts().Items()[i+1:], func(m *tree.Value) bool { return within(destination(m), d) })
}

// lockedOptions returns options and the flags that the source's file system adds where a user
// namespace cannot clear them.
func (a *adaptation) lockedOptions(source string, options ...string) []string {
	var fs unix.Statfs_t
	if !a.inUserns() || unix.Statfs(source, &fs) != nil {
		return options
	}
	kept, _ := withLocked(options, int64(fs.Flags))
	return kept
}
