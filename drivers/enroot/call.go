package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/berth-hpc/berth/sdk"
)

// call runs enroot to its end, shows what it reports, and makes its complaint the error.
func (d *driver) call(ctx context.Context, step *sdk.Step, p paths, what string, progress func(sdk.Progress), args ...string) error {
	runtime.LockOSThread() // whose end is what Pdeathsig is about
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, d.settings.Runtime, args...)
	cmd.Env = append(d.environment(p), proxies(step)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 5 * time.Second
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, sdk.Mark(err, sdk.ErrUnavailable))
	}
	complaint := follow(stderr, progress)
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, sdk.Mark(context.Cause(ctx), sdk.ErrUnavailable))
	case err != nil && complaint != "":
		return full(complaint, sdk.Mark(fmt.Errorf("%s: enroot: %s", what, complaint), sdk.ErrUnavailable))
	case err != nil:
		return fmt.Errorf("%s: enroot: %w", what, sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}

// full says what to do where there was no room.
func full(complaint string, err error) error {
	if !strings.Contains(complaint, "No space left on device") {
		return err
	}
	return sdk.WithAdvice(err, "let data in [drivers.enroot] of berth.toml name a directory on a disk with more room")
}

// proxies are the variables of the job by which an import reaches a registry.
func proxies(step *sdk.Step) []string {
	var all []string
	for _, name := range []string{"http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value := variable(step, name); value != "" {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// follow reads enroot's messages to their end: what it says it is doing goes to progress. It returns the
// error that it complains of, or else its last words.
func follow(messages io.Reader, progress func(sdk.Progress)) string {
	var complaint, last string
	lines := bufio.NewScanner(messages)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if text, ok := strings.CutPrefix(line, "[INFO] "); ok {
			text = strings.TrimRight(text, ".")
			progress(sdk.Progress{Text: strings.ToLower(text[:min(1, len(text))]) + text[min(1, len(text)):]})
			continue
		}
		if text, ok := strings.CutPrefix(line, "[ERROR] "); ok {
			complaint = text
		} else if strings.Contains(line, "No space left on device") && complaint == "" {
			complaint = line
		} else if line != "" {
			last = line
		}
	}
	_, _ = io.Copy(io.Discard, messages) // after a line that is too long
	words := slices.DeleteFunc([]string{complaint, last}, func(s string) bool { return s == "" })
	if len(words) == 0 {
		return ""
	}
	return words[0][:min(len(words[0]), 300)]
}
