package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

var update = flag.Bool("update", false, "write the golden files")

// plans are containers whose plans are recorded, with the config.json that the compute node gets.
func plans() map[string]func(l *lab) {
	mounts := func(more ...specs.Mount) func(l *lab) {
		return func(l *lab) { l.spec.Mounts = append(l.spec.Mounts, more...) }
	}
	bind := func(source, target string, options ...string) specs.Mount {
		return specs.Mount{Destination: target, Type: "none", Source: source, Options: append(options, "bind")}
	}
	env := func(more ...string) func(l *lab) {
		return func(l *lab) { l.spec.Process.Env = append(l.spec.Process.Env, more...) }
	}
	site := func(change func(*settings)) func(l *lab) { return func(l *lab) { change(l.settings) } }
	return map[string]func(l *lab){
		"plain":             func(*lab) {},
		"shared":            site(func(s *settings) { s.Staging = stageShared }),
		"terminal":          func(l *lab) { l.spec.Process.Terminal = true },
		"working directory": func(l *lab) { l.spec.Process.Cwd = "/work" },
		"init": func(l *lab) {
			l.spec.Process.Args = []string{"/dev/.berth-init", "--init", "--status", "/dev/.berth-status", "--", "tool", "--", "--init"}
		},
		"no berth-init":           func(l *lab) { l.spec.Process.Args = []string{"/bin/sh"} },
		"options":                 env("BERTH_SLURM_NUM_NODES=2", "BERTH_SLURM_EXCLUSIVE=user", "BERTH_SLURM_EXACT=1", "BERTH_SLURM_JOB_NAME=--uid=0", "BERTH_SLURM_OVERCOMMIT=no"),
		"options of the site":     site(func(s *settings) { s.Options = map[string]string{"partition": "debug", "time": "5"} }),
		"option by annotation":    func(l *lab) { l.spec.Annotations["org.berth.slurm.gres"] = "gpu:2" },
		"unknown option":          env("BERTH_SLURM_CHDIR=/"),
		"unknown annotation":      func(l *lab) { l.spec.Annotations["org.berth.slurm.uid"] = "0" },
		"one option twice":        env("BERTH_SLURM_TIME=1", "BERTH_SLURM_TIMELIMIT=2"),
		"option without a value":  env("BERTH_SLURM_TIME="),
		"option with a newline":   env("BERTH_SLURM_TIME=1\n2"),
		"in a job":                env("SLURM_JOB_ID=17", "SLURM_NTASKS=9", "BERTH_SLURM_JOB_NAME=x"),
		"two nodes of a job":      env("SLURM_JOB_ID=17", "BERTH_SLURM_NODES=2", "BERTH_SLURM_EXACT=yes"),
		"in no job":               env("SLURM_JOB_ID=17; id"),
		"driver of compute nodes": site(func(s *settings) { s.ComputeDriver, s.Conf = "charliecloud", "/etc/other/slurm.conf" }),
		"many arguments":          func(l *lab) { l.spec.Process.Args = slices.Repeat([]string{"a"}, hookArgs) },
		"bind from beside the image": func(l *lab) {
			_ = os.WriteFile(l.path("config.json"), nil, 0o644) // so that it is a bundle
			mounts(bind(l0("data"), "/d"))(l)
		},
		"bind of a file":      mounts(bind(l0("file"), "/f")),
		"bind of a directory": mounts(bind(l0("data"), "/d")),
		"bind read-only":      mounts(bind(l0("data"), "/d", "ro"), bind(l0("file"), "/f")),
		"binds of devices, kernel and shared files": func(l *lab) {
			l.settings.SharedPaths = []string{l.path("data")}
			mounts(bind("/dev/null", "/dev/n"), bind("/sys", "/sys", "ro"), bind(l.path("data"), "/d"))(l)
			l.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/full", Type: "c", Major: 1, Minor: 7}}
		},
		"bind of a pipe": func(l *lab) {
			_ = syscall.Mkfifo(l.path("pipe"), 0o600)
			mounts(bind(l.path("pipe"), "/p"))(l)
		},
		"bind of nothing": mounts(bind(l0("nothing"), "/n")),
		"an engine's container": func(l *lab) {
			limit := int64(100)
			l.spec.Linux.CgroupsPath, l.spec.Linux.Resources = "/libpod/x", &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}}
			l.spec.Linux.Namespaces = append(l.spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: "/run/netns/x"})
			l.spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}
			l.spec.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, ListenerPath: "/run/l"}
			l.spec.Hooks = &specs.Hooks{Prestart: []specs.Hook{{Path: "/h"}}}
			l.spec.Annotations["io.podman.annotations.x"], l.spec.Annotations["org.opencontainers.image.title"] = "y", "z"
			p := l.spec.Process
			p.ApparmorProfile, p.SelinuxLabel, p.OOMScoreAdj = "a", "s", new(int)
			p.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 1, Hard: 1}}
			p.User.AdditionalGids = []uint32{5}
			mounts(bind(l.path("data"), "/dev/shm", "nosuid"), bind(l.path("file"), "/etc/resolv.conf"), bind(l.path("file"), "/etc/hostname"),
				specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"ro", "nosuid", "mode=1"}},
				specs.Mount{Destination: "/dev/pts", Type: "devpts", Options: []string{"newinstance", "gid=5"}})(l)
		},
		"another container's ipc": func(l *lab) {
			l.spec.Linux.Namespaces = append(l.spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.IPCNamespace, Path: "/proc/1/ns/ipc"})
		},
		"overlay":                 mounts(specs.Mount{Destination: "/o", Type: "overlay"}),
		"user":                    func(l *lab) { l.spec.Process.User = specs.User{UID: 1000, GID: 100} },
		"detached":                func(l *lab) { l.c.IO.Detach = true },
		"descriptors":             func(l *lab) { l.c.Files = 1 },
		"task of a job":           func(l *lab) { l.c.Step = &sdk.Step{Job: "1", Node: "n1"} },
		"no srun":                 func(l *lab) { _ = os.Remove(l.path("bin/srun")) },
		"no shared directory":     site(func(s *settings) { s.SharedDir += "/nowhere" }),
		"shared directory of all": func(l *lab) { _ = os.Chmod(l.path("shared"), 0o777) },
	}
}

// l0 is a path that plan replaces by one in the lab.
func l0(name string) string { return "/LAB/" + name }

func TestPlans(t *testing.T) {
	for name, change := range plans() {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			change(l)
			for i := range l.spec.Mounts {
				l.spec.Mounts[i].Source = strings.Replace(l.spec.Mounts[i].Source, "/LAB", l.dir, 1)
			}
			cmd, err := l.plan(t)
			var got strings.Builder
			if err != nil {
				fmt.Fprintf(&got, "%v: %v\n%s\n", sdk.Kind(err), err, sdk.Advice(err))
				if left := l.staged(t); len(left) > 0 {
					t.Errorf("left after an error: %q", left)
				}
			} else {
				l.describe(t, &got, cmd)
			}
			golden(t, name, l.neutral(got.String()))
		})
	}
}

// describe writes down a plan and what is staged for it.
func (l *lab) describe(t *testing.T, got *strings.Builder, cmd *sdk.Command) {
	t.Helper()
	args := slices.Clone(cmd.Args)
	if len(args) > hookArgs {
		args = append(args[:slices.Index(args, "--")], fmt.Sprint(len(cmd.Args)-slices.Index(args, "--")-1))
	}
	fmt.Fprintf(got, "path %s\nargs %q\n", cmd.Path, args)
	for _, entry := range cmd.Env {
		if !strings.HasPrefix(entry, "PATH=") && (strings.HasPrefix(entry, "SLURM") || strings.HasPrefix(entry, "BERTH")) {
			fmt.Fprintf(got, "env %s\n", entry)
		}
	}
	staged := l.staged(t)
	if len(staged) != 1 {
		t.Fatalf("staged: %q", staged)
	}
	for _, path := range filesBelow(t, staged[0]) {
		fmt.Fprintf(got, "staged %s\n", path)
	}
	text, err := os.ReadFile(filepath.Join(staged[0], sdk.ConfigFile))
	must(t, err)
	var document map[string]json.RawMessage
	must(t, json.Unmarshal(text, &document))
	for _, key := range sorted(document) {
		fmt.Fprintf(got, "%s %.999s\n", key, document[key])
	}
}

func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		files = append(files, fmt.Sprintf("%v .%s", info.Mode(), strings.TrimPrefix(path, dir)))
		return nil
	}))
	return files
}

// neutral takes out what differs between users and runs.
func (l *lab) neutral(text string) string {
	self, _ := os.Executable()
	text = strings.NewReplacer(l.dir, "TEST", self, "DRIVER").Replace(text)
	text = regexp.MustCompile(`berth-c1-[a-z0-9]{16}`).ReplaceAllString(text, "KEY")
	text = regexp.MustCompile(`berth-[a-z2-7]{26}`).ReplaceAllString(text, "STAGED")
	return text
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata/golden", strings.NewReplacer(" ", "-", "/", "", ",", "").Replace(name)+".txt")
	if *update {
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
