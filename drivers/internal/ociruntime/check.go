package ociruntime

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// versionTimeout bounds how long the runtime may take to print its version.
const versionTimeout = 2 * time.Second

// Check implements sdk.Checker. It starts the runtime once, for its version.
func (d *Driver) Check(ctx context.Context) (*sdk.Runtime, error) {
	found := &sdk.Runtime{Name: d.runtime.name}
	if err := d.present(); err != nil {
		return found, err
	}
	found.Path = d.settings.Runtime
	version, err := d.version(ctx)
	if err != nil {
		return found, err
	}
	found.Version = version
	return found, d.usable()
}

func (d *Driver) version(ctx context.Context) (string, error) {
	ctx, cancel := limit.WithTimeout(ctx, versionTimeout, "no version")
	defer cancel()
	// Without a root, crun from 1.9 on tells a user who has no XDG_RUNTIME_DIR nothing but that.
	text, err := d.output(ctx, "--root", "/", "--version")
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case err != nil:
		err = d.runtime.classify(err.Error())
	default:
		if version := parseVersion(string(text), d.runtime.name); version != "" {
			return version, nil
		}
		err = fmt.Errorf("it is no %s: it calls itself %q", d.runtime.name, printable(string(text)))
	}
	return "", sdk.WithAdvice(
		fmt.Errorf("asking %s for its version: %w", d.settings.Runtime, sdk.Mark(err, sdk.ErrUnavailable)),
		fmt.Sprintf("name a working %s as %s of berth.toml", d.runtime.name, d.key))
}

// parseVersion reads "runc version 1.1.5+ds1" and "crun version 1.8.1"; empty where it is neither.
func parseVersion(text, name string) string {
	line, _, _ := strings.Cut(text, "\n")
	version, ok := strings.CutPrefix(line, name+" version ")
	if !ok {
		return ""
	}
	return printable(version)
}
