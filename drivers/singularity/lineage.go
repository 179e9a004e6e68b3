package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/berth-hpc/berth/sdk"
)

// lineage is one of the three runtimes that came of Singularity 3, and its differences from the others.
type lineage struct {
	name   string // as doctor and the user know it
	prefix string // of the variables that it obeys
	least  release
	// partial: it can be told to leave out the program fakeroot where it makes root of the caller.
	partial bool
	// wraps is the first release whose oci commands hand what they are told to crun or runc.
	wraps release
	// literal is the first release with --no-eval; before, only what SINGULARITYENV_ names is evaluated,
	// which berth does not use.
	literal release
	// bindPaths is the first release whose --no-mount leaves out the site's own bind paths.
	bindPaths release
	// ociExec is the first release whose configuration can have exec run containers in its OCI mode.
	ociExec release
	// fuse is the first release that mounts images by FUSE without setuid; before, it unpacks them.
	fuse release
}

// release is the first two numbers of a version.
type release [2]int

func (r release) before(other release) bool {
	return r[0] < other[0] || r[0] == other[0] && r[1] < other[1]
}

var never = release{1 << 20, 0}

// lineages are told apart by how the program calls itself: "apptainer version 1.4.5",
// "singularity-ce version 4.1.0", "singularity version 3.8.7".
func lineages() []lineage {
	return []lineage{
		{name: "apptainer", prefix: "APPTAINER", least: release{1, 1}, partial: true, wraps: never, bindPaths: release{1, 2}, ociExec: never, fuse: release{1, 1}},
		{name: "singularity-ce", prefix: "SINGULARITY", least: release{3, 9}, wraps: release{3, 10}, literal: release{3, 10}, bindPaths: release{3, 11}, ociExec: release{4, 0}, fuse: release{4, 1}},
		{name: "singularity", prefix: "SINGULARITY", least: release{3, 8}, wraps: never, literal: never, bindPaths: never, ociExec: never, fuse: never},
	}
}

// found is the runtime of this node.
type found struct {
	lineage
	release release
	version string
}

func (f *found) has(since release) bool { return !f.release.before(since) }

// look asks the runtime which one it is, within the deadline of the call: where many tasks start at
// once, that takes its time.
func look(ctx context.Context, s *settings) (*found, error) {
	if _, err := exec.LookPath(s.Runtime); err != nil {
		return nil, unavailable(err, "runtime not usable on this node",
			"install Apptainer or SingularityCE, or name its program as runtime in [drivers.singularity] of berth.toml")
	}
	cmd := exec.CommandContext(ctx, s.Runtime, "--version")
	cmd.Env = ownEnvironment()
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		var f *found
		if f, err = parseVersion(string(out)); err == nil {
			return f, f.recent()
		}
	}
	return nil, unavailable(err, fmt.Sprintf("asking %s for its version", s.Runtime),
		"name a working apptainer or singularity as runtime in [drivers.singularity] of berth.toml")
}

// recent refuses releases that are known not to do.
func (f *found) recent() error {
	if f.has(f.least) {
		return nil
	}
	return unavailable(fmt.Errorf("version %d.%d is the first that works with berth", f.least[0], f.least[1]),
		fmt.Sprintf("%s %s is too old", f.name, f.version),
		"upgrade it, or name another one as runtime in [drivers.singularity] of berth.toml")
}

// parseVersion reads what --version prints.
func parseVersion(out string) (*found, error) {
	name, version, _ := strings.Cut(strings.TrimSpace(out), " version ")
	for _, l := range lineages() {
		if l.name != name {
			continue
		}
		numbers := strings.SplitN(version, ".", 3)
		if len(numbers) < 2 {
			break
		}
		major, err1 := strconv.Atoi(numbers[0])
		minor, err2 := strconv.Atoi(numbers[1])
		if err := errors.Join(err1, err2); err == nil {
			return &found{lineage: l, release: release{major, minor}, version: version}, nil
		}
	}
	return nil, sdk.Mark(fmt.Errorf("it is neither Apptainer nor Singularity: it calls itself %q", out[:min(len(out), 200)]), sdk.ErrUnavailable)
}
