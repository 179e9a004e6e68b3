package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// slurmRoot is the root filesystem of the cluster: Slurm 24.11, which runs several tasks of a container
// step on a node.
const slurmRoot = "/var/cache/berth-test/trixie"

// slurm compares srun --container with the guide's own template and through berth, on one cluster,
// with this caller's bundle. Only root can start a cluster. It installs what "make build" has built.
func (c *caller) slurm(rounds int) error {
	if os.Getuid() != 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	s, err := cluster.Start(ctx, cluster.Options{Root: slurmRoot, Programs: "bin"})
	if err != nil {
		return err
	}
	defer s.Close()
	n := s.Node(0)
	if out, err := exec.Command("cp", "-a", c.dir, n.Path("/bundle")).CombinedOutput(); err != nil {
		return fmt.Errorf("copying the bundle: %w: %s", err, out)
	}
	// With the guide's template Slurm's mount points have to be made in the image.
	if _, err := n.Output(ctx, "root", "chown", "-R", cluster.User, "/bundle"); err != nil {
		return err
	}
	if err := n.Configure(ctx); err != nil {
		return err
	}
	berth, err := n.ReadFile("/etc/slurm/oci.conf")
	if err != nil {
		return err
	}
	for _, runtime := range []string{"crun", "runc"} {
		for _, init := range []bool{true, false} {
			config := fmt.Sprintf("default_driver = %q\n[slurm]\ninit = %v\n", runtime, init)
			if err := n.WriteFile("/etc/berth/berth.toml", config, 0o644); err != nil {
				return err
			}
			name := runtime
			if !init {
				name += " without init"
			}
			if err := srun(ctx, s, name, rounds, cluster.GuideOCI(runtime), berth); err != nil {
				return err
			}
		}
	}
	return nil
}

// srun measures one task, and 16 at once. slurmstepd reads oci.conf at the start of each step.
func srun(ctx context.Context, s *cluster.Cluster, name string, rounds int, guide, berth string) error {
	for _, tasks := range []int{1, 16} {
		with := func(oci string) way {
			return way{
				ready: func() error {
					if err := s.WaitIdle(ctx); err != nil {
						return err
					}
					return s.Node(0).WriteFile("/etc/slurm/oci.conf", oci, 0o644)
				},
				run: func(string) error {
					_, err := s.Node(0).Output(ctx, cluster.User, "srun", fmt.Sprintf("--ntasks=%d", tasks), "--container=/bundle", "/bin/true")
					return err
				},
			}
		}
		what := "srun --container, " + name
		if tasks > 1 {
			what = fmt.Sprintf("srun --container of %d tasks, %s", tasks, name)
		}
		if err := timed(what, "user", rounds, with(guide), with(berth)); err != nil {
			return err
		}
	}
	return nil
}
