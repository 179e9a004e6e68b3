package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Exec implements sdk.Execer: a further step on the first node of the container's, in which that node's
// berth joins its first task. The program is described by a file beside the bundle, which srun's epilog removes.
func (d *driver) Exec(_ context.Context, c *sdk.Container, p *sdk.Process) (*sdk.Command, error) {
	if p.IO != (sdk.IO{}) || p.Files > 0 {
		return nil, sdk.Mark(errors.New("srun runs in the foreground, on its caller's standard streams and no others"), sdk.ErrUnsupported)
	}
	r, err := readRecord(c)
	if err != nil {
		return nil, err
	}
	if r.Node != "" {
		return nil, sdk.Mark(errors.New("with the staging \"sbcast\" there is no way to tell the compute node what to execute"), sdk.ErrUnsupported)
	}
	s, started := readStep(c.Root)
	if !started || s.node == "" || c.Pid == 0 {
		return nil, sdk.Mark(fmt.Errorf("container %q: it is not known to run on a node", c.ID), sdk.ErrState)
	}
	file, terminal, err := stageProcess(r.Staged, p.Spec)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the driver's own program: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	args := []string{
		"srun", "--quiet", "--disable-status", "--export=NONE", "--jobid=" + s.job, "--overlap", "--nodes=1", "--ntasks=1", "--nodelist=" + s.node,
		"--mpi=none", "--chdir=/", "--epilog=" + self,
	}
	if terminal {
		args = append(args, "--pty")
	}
	args = append(args, "--", d.settings.ComputeBerth, "exec", "--process", file, s.container())
	return &sdk.Command{Path: d.command("srun"), Args: args, Env: append(d.environment(), exitError, processVariable+"="+file)}, nil
}

// container is the ID that berth on the compute node gives the first task there.
func (s step) container() string { return s.job + "." + s.number + ".0." + s.node }

// stageProcess writes a process object without what has no meaning on another node, see portable.process.
func stageProcess(staged string, spec json.RawMessage) (file string, terminal bool, err error) {
	var q specs.Process
	if err := json.Unmarshal(spec, &q); err != nil {
		return "", false, fmt.Errorf("reading the process object: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	dropLocal(&q)
	text, err := json.Marshal(q)
	if err != nil {
		return "", false, staging(err)
	}
	root, err := os.OpenRoot(staged)
	if err != nil {
		return "", false, staging(err)
	}
	defer root.Close()
	name := "process-" + newName()
	if err := root.WriteFile(name, text, 0o600); err != nil {
		return "", false, staging(err)
	}
	return filepath.Join(staged, name), q.Terminal, nil
}

// firstNode is the first node of a list as Slurm writes it: "n[1-3,7]", "a,b", "r[1-2]n[0-3]".
func firstNode(list string) string {
	var name strings.Builder
	for rest := list; rest != ""; {
		end := strings.IndexAny(rest, "[,")
		if end < 0 {
			name.WriteString(rest)
			break
		}
		name.WriteString(rest[:end])
		if rest[end] == ',' {
			break
		}
		inside, after, closed := strings.Cut(rest[end+1:], "]")
		if !closed {
			return ""
		}
		name.WriteString(inside[:strings.IndexAny(inside+",", "-,")])
		rest = after
	}
	return name.String()
}
