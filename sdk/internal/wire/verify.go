package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// A driver is not trusted to answer sensibly: what it says is acted on only after these checks.

func verifyCommand(c *sdk.Command) error {
	switch {
	case !filepath.IsAbs(c.Path):
		return fmt.Errorf("path %q is not absolute", clip(c.Path))
	case len(c.Args) == 0:
		return errors.New("argv is empty")
	case c.Dir != "" && !filepath.IsAbs(c.Dir):
		return fmt.Errorf("working directory %q is not absolute", clip(c.Dir))
	case strings.ContainsRune(c.Path, 0) || strings.ContainsRune(c.Dir, 0):
		return errors.New("a path contains a NUL byte")
	}
	for i, arg := range c.Args {
		if strings.ContainsRune(arg, 0) {
			return fmt.Errorf("argument %d contains a NUL byte", i)
		}
	}
	for i, entry := range c.Env {
		if strings.IndexByte(entry, '=') < 1 || strings.ContainsRune(entry, 0) {
			return fmt.Errorf("environment entry %d is not NAME=VALUE", i)
		}
	}
	return nil
}

func verifiedState(text []byte, id string) (*specs.State, error) {
	var state specs.State
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, fmt.Errorf("the driver's answer is no state: %w", err)
	}
	switch state.Status {
	case specs.StateCreating, specs.StateCreated, specs.StateRunning, specs.StateStopped, sdk.StatusPaused:
	default:
		return nil, fmt.Errorf("the driver's answer is no state: unknown status %q", clip(string(state.Status)))
	}
	switch {
	case state.ID != id:
		return nil, fmt.Errorf("the driver answered for container %q instead of %q", clip(state.ID), id)
	case state.Pid < 0 || state.Pid == 1 || state.Pid > maxPid || state.Pid == 0 && mustHavePid(state.Status):
		return nil, fmt.Errorf("the driver's answer is no state: status %q with pid %d", state.Status, state.Pid)
	}
	return &state, nil
}

// maxPid is the greatest pid of any Linux (include/linux/threads.h, PID_MAX_LIMIT).
const maxPid = 4 << 20

// mustHavePid follows the OCI runtime specification (runtime.md, "State").
func mustHavePid(status specs.ContainerState) bool {
	return status == specs.StateCreated || status == specs.StateRunning || status == sdk.StatusPaused
}

// printable makes a driver's text fit for a terminal: what cannot be printed is escaped, and what is
// too long is cut.
func printable(text string) string {
	text = clip(text)
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unprintable(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return !strconv.IsPrint(r) }
