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
	only := flag.Bool("slurm", false, "measure under Slurm only")
	flag.Parse()
	if err := bench(*rounds, *storms, *only); err != nil {
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

func bench(rounds, storms int, slurmOnly bool) error {
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
	callers, err := callers(dir)
	if err != nil {
		return err
	}
	fmt.Println("| what | caller | bare, ms | berth, ms | ratio |")
	fmt.Println("|---|---|---|---|---|")
	if slurmOnly {
		return callers[len(callers)-1].slurm(rounds)
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
	if err := callers[len(callers)-1].memory(); err != nil {
		return err
	}
	return callers[len(callers)-1].slurm(rounds)
}

// callers makes a bundle for root and one for the test user, where these can be had.
func callers(dir string) ([]*caller, error) {
	list := []*caller{{name: "root", env: os.Environ()}}
	if u, err := user.Lookup("berthtest"); err == nil && os.Getuid() == 0 {
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		list = append(list, &caller{
			name: "user",
			attr: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}},
			env:  []string{"PATH=" + os.Getenv("PATH"), "HOME=" + u.HomeDir, "XDG_RUNTIME_DIR=/run/user/" + u.Uid},
		})
	} else if os.Getuid() != 0 {
		list[0].name = "user"
	}
	for _, c := range list {
		c.dir = filepath.Join(dir, c.name)
		if err := c.makeBundle(); err != nil {
			return nil, fmt.Errorf("making a bundle for %s: %w", c.name, err)
		}
	}
	return list, nil
}

// command is a command line as this caller.
func (c *caller) command(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir, cmd.SysProcAttr = c.env, c.dir, c.attr
	return cmd
}

// berth is the program under test.
func berth() string { return filepath.Join(os.Getenv("BERTH_BIN"), "berth") }
