// Command bench measures berth against the bare runtimes. Every figure is a ratio of medians of
// runs that took turns, since machines are shared and noisy: see docs/performance.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

func main() {
	rounds := flag.Int("rounds", 40, "`N` runs of each command that is measured")
	storms := flag.Int("storms", 5, "`N` times 128 starts at once")
	slurm := flag.Bool("slurm", false, "measure under Slurm only")
	engines := flag.Bool("podman", false, "measure podman only")
	further := flag.Bool("drivers", false, "measure the drivers of further runtimes only")
	inside := flag.Bool("apptainer", false, "measure Apptainer, in a root filesystem that has it")
	flag.Parse()
	measure := func() error { return bench(*rounds, *storms, *slurm, *further, *engines) }
	if *inside {
		measure = func() error { return apptainer(*rounds) }
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// caller is one of the users who are measured.
type caller struct {
	name string
	dir  string // theirs, with the bundle
	attr *syscall.SysProcAttr
	env  []string
}

func bench(rounds, storms int, slurmOnly, driversOnly, podmanOnly bool) error {
	dir, err := os.MkdirTemp("/var/tmp", "berth-bench.")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	smallest := filepath.Join(dir, "smallest")
	if err := buildSmallest(smallest); err != nil {
		return err
	}
	callers := callers(dir)
	for _, c := range callers {
		if err := c.makeBundle(); err != nil {
			return fmt.Errorf("making a bundle for %s: %w", c.name, err)
		}
	}
	user := callers[len(callers)-1]
	fmt.Println("| what | caller | bare, ms | berth, ms | ratio |")
	fmt.Println("|---|---|---|---|---|")
	switch {
	case slurmOnly:
		return user.slurm(rounds)
	case driversOnly:
		return user.drivers(rounds)
	case podmanOnly:
		return user.podman(rounds)
	}
	for _, c := range callers {
		for _, runtime := range []string{"crun", "runc"} {
			if err := c.measure(runtime, rounds, storms); err != nil {
				return err
			}
		}
	}
	if err := callers[0].added(smallest, rounds); err != nil {
		return err
	}
	if err := user.memory(); err != nil {
		return err
	}
	if err := user.drivers(rounds); err != nil {
		return err
	}
	if err := user.slurm(rounds); err != nil {
		return err
	}
	return user.podman(rounds)
}

// callers are root and the test user, where these can be had. Each has a directory for a bundle.
func callers(dir string) []*caller {
	list := []*caller{{name: "root", env: os.Environ()}}
	if u, err := user.Lookup("berthtest"); err == nil && os.Getuid() == 0 {
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		list = append(list, &caller{
			name: "user",
			attr: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}},
			env:  []string{"PATH=" + os.Getenv("PATH"), "HOME=" + u.HomeDir, "USER=" + u.Username, "XDG_RUNTIME_DIR=/run/user/" + u.Uid},
		})
	} else if os.Getuid() != 0 {
		list[0].name = "user"
	}
	for _, c := range list {
		c.dir = filepath.Join(dir, c.name)
	}
	return list
}

// command is a command line as this caller.
func (c *caller) command(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir, cmd.SysProcAttr = c.env, c.dir, c.attr
	return cmd
}

// berth is the program under test.
func berth() string { return filepath.Join(os.Getenv("BERTH_BIN"), "berth") }
