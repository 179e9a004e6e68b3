package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/berth-hpc/berth/drivers/internal/ociruntime"
	"github.com/berth-hpc/berth/sdk"
)

// nodesRoot says whether the caller is the node's root, and not that of a user namespace.
func nodesRoot() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return os.Geteuid() == 0 && err == nil && strings.Join(strings.Fields(string(text)), " ") == "0 0 4294967295"
}

// bySudo says whether the runtime is to be called by sudo.
func (d *oci) bySudo() bool { return d.settings.Sudo != "" && !d.root }

// privileged refuses callers whom the oci commands would refuse.
func (d *oci) privileged() error {
	if d.root || d.settings.Sudo != "" {
		return nil
	}
	return sdk.WithAdvice(
		sdk.Mark(fmt.Errorf("the runtime's oci commands are for root alone, and not for the caller, %d on this node", os.Geteuid()), sdk.ErrUnavailable),
		"set mode = \"native\" in [drivers.singularity] of berth.toml, which needs no root")
}

// cgroups refuses a runtime that would leave control groups to a systemd that is not there.
func (d *oci) cgroups(ctx context.Context) error {
	if _, err := os.Stat("/run/systemd/system"); err == nil { // sd_booted(3)
		return nil
	}
	const key = "systemd cgroups"
	out, err := short(ctx, []string{d.settings.Runtime, "config", "global", "--get", key})
	if err != nil || strings.TrimSpace(string(out)) != "yes" {
		return nil // without that command nothing is known
	}
	return unavailable(errors.New("systemd is not this node's init"), "the runtime's oci commands leave control groups to systemd",
		fmt.Sprintf("%s config global --set %q no", d.settings.Runtime, key))
}

// sudoWorks says whether sudo lets the caller use the runtime, and passes descriptors on.
func (d *oci) sudoWorks(ctx context.Context) error {
	if !d.bySudo() {
		return nil
	}
	argv := []string{d.settings.Sudo, "-n", "-H", "-C", fmt.Sprint(3 + carried), "--", d.settings.Runtime, "--version"}
	if _, err := short(ctx, argv); err != nil {
		return unavailable(err, "calling the runtime by sudo", fmt.Sprintf(
			"two lines for /etc/sudoers: \"Defaults!%[1]s closefrom_override\" and \"%%GROUP ALL = (root) NOPASSWD: %[1]s\"", d.settings.Runtime))
	}
	return nil
}

// short runs a command that ends soon, with nothing of the job's, and returns its stdout. The error says
// what the command said.
func short(ctx context.Context, argv []string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = ownEnvironment()
	cmd.WaitDelay = time.Second
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s did not end in time: %w", filepath.Base(argv[0]), ctx.Err())
	case errors.As(err, new(*exec.ExitError)):
		return nil, errors.New(strings.TrimPrefix(ociruntime.ErrorText(words.String()), "FATAL: "))
	}
	return out, err
}
