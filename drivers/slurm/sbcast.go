package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/berth-hpc/berth/drivers/internal/capture"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// broadcast makes a job and sends the bundle to its nodes, with the root file system as a SquashFS image. It
// waits for the job, as long as Run may take.
func (d *driver) broadcast(ctx context.Context, c *sdk.Container, r *record, p *portable, w wishes) error {
	root, err := r.makeStaged(c.Root, d.settings.NodeDir)
	if err != nil {
		return err
	}
	defer root.Close()
	files, err := d.pack(ctx, root, p)
	if err != nil {
		return err
	}
	if err := d.allocate(ctx, c, r, w); err != nil {
		return err
	}
	r.Node = filepath.Join(d.settings.NodeDir, newName())
	if err := r.write(c.Root); err != nil {
		return err
	}
	p.place(r.Node)
	if err := p.writeConfig(root); err != nil {
		return err
	}
	if err := d.onNodes(ctx, r, "/bin/mkdir", "-m", "700", "--", r.Node); err != nil {
		return fmt.Errorf("making a directory on the compute nodes: %w", err)
	}
	for _, name := range append(files, sdk.ConfigFile) {
		if _, err := d.call(ctx, "sbcast", "--jobid="+r.Job, filepath.Join(r.Staged, name), filepath.Join(r.Node, name)); err != nil {
			return fmt.Errorf("sending %s to the compute nodes: %w", name, err)
		}
	}
	return unstage(r.Staged)
}

// pack puts the root file system and the sources of mounts into files that sbcast can send, and returns
// their names.
func (d *driver) pack(ctx context.Context, root *os.Root, p *portable) ([]string, error) {
	info, err := os.Stat(p.spec.Root.Path)
	switch {
	case err != nil:
	case info.IsDir():
		// The fastest compression: the image is sent once. Everything is the user's own on the node.
		err = d.program(ctx, d.settings.Mksquashfs, p.spec.Root.Path, filepath.Join(root.Name(), "rootfs"),
			"-noappend", "-no-progress", "-quiet", "-all-root", "-comp", "gzip", "-Xcompression-level", "1")
	default:
		err = copyTree(ctx, p.spec.Root.Path, root, "rootfs")
	}
	if err != nil {
		return nil, staging(err)
	}
	files := []string{"rootfs"}
	for i, t := range p.copies {
		name := "mount" + strconv.Itoa(i)
		if err := copyTree(ctx, t.from, root, name); err != nil {
			return nil, staging(err)
		}
		files = append(files, name)
	}
	return files, nil
}

// place has spec name what pack has packed, in the nodes' directory.
func (p *portable) place(dir string) {
	p.spec.Root.Path = filepath.Join(dir, "rootfs")
	for i, t := range p.copies {
		p.spec.Mounts[t.mount].Source = filepath.Join(dir, "mount"+strconv.Itoa(i))
	}
}

var granted = regexp.MustCompile(`Granted job allocation (\d+)`)

// allocate makes a job for the container, unless it has one.
func (d *driver) allocate(ctx context.Context, c *sdk.Container, r *record, w wishes) error {
	if r.Job != "" {
		return nil
	}
	args := append([]string{"--no-shell"}, d.job(c, r, w)...)
	ctx, cancel := limit.Sooner(ctx, revokeTime+undoTime, "no job")
	defer cancel()
	cmd := exec.CommandContext(ctx, d.command("salloc"), append(args, w.arguments(ofStep)...)...)
	cmd.Env = d.environment()
	cmd.Cancel = func() error { return revoke(cmd.Process) }
	out, err := capture.Run(cmd)
	said := string(out.Stdout) + string(out.Stderr)
	if found := granted.FindStringSubmatch(said); err == nil && found != nil {
		r.Job = found[1]
		return nil
	}
	switch {
	case ctx.Err() != nil:
		return sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("the job did not start in time: %w", context.Cause(ctx)), sdk.ErrUnavailable),
			"give it more time, deadlines.run in berth.toml, or use the staging \"shared\", which does not wait")
	case said != "":
		err = fmt.Errorf("salloc: %s", oneLine(said, "salloc"))
	}
	return fmt.Errorf("making a job: %w", sdk.Mark(err, sdk.ErrUnavailable))
}

// revokeTime is how long salloc gets to take its request back. A job that it then leaves behind is
// cancelled by undo.
const revokeTime = 2 * time.Second

// revoke has salloc take its request back, and kills it where it does not end.
func revoke(salloc *os.Process) error {
	patience, cancel := limit.WithTimeout(context.Background(), revokeTime, "not revoked")
	context.AfterFunc(patience, func() {
		cancel()
		_ = salloc.Kill() // one that has ended is not signalled
	})
	return salloc.Signal(syscall.SIGTERM)
}

// onNodes runs a command once on each node of the job.
func (d *driver) onNodes(ctx context.Context, r *record, command ...string) error {
	args := []string{"--jobid=" + r.Job, "--overlap", "--quiet", "--ntasks-per-node=1", "--input=none", "--mpi=none", "--export=NONE", "--chdir=/", "--"}
	_, err := d.call(ctx, "srun", append(args, command...)...)
	return err
}

// clearNodes removes the directory of the nodes. Where the job is over nobody can: see the README.
func (d *driver) clearNodes(ctx context.Context, r *record) {
	ctx, cancel := limit.WithTimeout(ctx, clearTime, "not cleared")
	defer cancel()
	_ = d.onNodes(ctx, r, "/bin/rm", "-rf", "--", r.Node)
}

// clearTime is how long that may take.
const clearTime = 5 * time.Second

// leaveNodes is what srun's epilog does about the nodes: their directory goes, and so does the job.
func (r *record) leaveNodes() error {
	ctx, cancel := limit.WithTimeout(context.Background(), 2*clearTime, "not cleared")
	defer cancel()
	d := &driver{settings: &settings{Bin: r.Bin, Conf: r.Conf}}
	d.clearNodes(ctx, r)
	if !r.Ours {
		return nil
	}
	if _, err := d.call(ctx, "scancel", "--quiet", r.Job); err != nil && !isOver(err) {
		return err
	}
	return nil
}
