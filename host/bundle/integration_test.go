package bundle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRuns runs every kind of bundle as an ordinary user with real runtimes.
func TestRuns(t *testing.T) {
	ordinary(t, func(t *testing.T, s subject, runtime string) {
		documents := []string{"stock", "rootless-other", "engine", "minimal"}
		if filepath.Base(runtime) == "crun" {
			// Its process is not the container's root, which runc wants to be the caller: it
			// gives its exec fifo to that id.
			documents = append(documents, "umoci")
		}
		for _, document := range documents {
			t.Run(document+"/single", func(t *testing.T) {
				o := Options{Caller: s.caller, Rootless: true}
				o.Caller.SubUIDs, o.Caller.SubGIDs = nil, nil
				runDocument(t, s, runtime, document, o)
			})
			t.Run(document+"/subids", func(t *testing.T) {
				if len(s.caller.SubUIDs) == 0 || len(s.caller.SubGIDs) == 0 {
					t.Skip("needs a user with subordinate ids (/etc/subuid, /etc/subgid) and newuidmap")
				}
				runDocument(t, s, runtime, document, Options{Caller: s.caller, Rootless: true})
			})
		}
	})
}

func runDocument(t *testing.T, s subject, runtime, document string, o Options) {
	dir := scene(t, s)
	data, err := os.ReadFile("testdata/bundles/" + document + ".json")
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "config.json"), data, 0o644))
	off := false
	o.Terminal = &off
	o.Args = []string{"/bin/cat", "/grp/secret"}
	o.Mounts = []Mount{{Source: dir + "/grp", Destination: "/grp", Options: []string{"ro"}}}
	if s.group < 0 {
		t.Log("the user has no supplementary group: reading by group is not tested")
	}
	if got := runAdapted(t, s, runtime, dir, o); got != "for the group" {
		t.Errorf("output %q, want the group's file", got)
	}
}

// TestRunsReadOnlyFromNosuid binds, read-only and with another atime mode, from a file system that
// the node has mounted nosuid: a runtime that only asks for "ro" is refused by the kernel.
func TestRunsReadOnlyFromNosuid(t *testing.T) {
	ordinary(t, func(t *testing.T, s subject, runtime string) {
		for _, options := range [][]string{{"ro"}, {"bind", "ro", "suid", "dev", "strictatime"}, {"ro", "noatime"}} {
			t.Run(strings.Join(options, ","), func(t *testing.T) {
				dir := scene(t, s)
				source := nosuidDirectory(t, filepath.Join(dir, "data"))
				data, err := os.ReadFile("testdata/bundles/stock.json")
				check(t, err)
				check(t, os.WriteFile(filepath.Join(dir, "config.json"), data, 0o644))
				off := false
				o := Options{Caller: s.caller, Rootless: true, Terminal: &off, Args: []string{"/bin/busybox", "grep", " /grp ", "/proc/self/mountinfo"}}
				o.Mounts = []Mount{{Source: source, Destination: "/grp", Options: options}}
				out := runAdapted(t, s, runtime, dir, o)
				if fields := strings.Fields(out); len(fields) < 6 || !strings.HasPrefix(fields[5], "ro,") || !strings.Contains(fields[5], "nosuid") {
					t.Errorf("mounted as %q, want read-only and nosuid", out)
				}
			})
		}
	})
}
