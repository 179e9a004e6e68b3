package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// Version is a release of Slurm: {22, 5} for 22.05.8.
type Version struct{ Year, Month int }

// The first release that this package writes a configuration for, and the last that it knows.
var (
	oldest = Version{22, 5}
	newest = Version{26, 5}
)

func (v Version) String() string { return fmt.Sprintf("%d.%02d", v.Year, v.Month) }

// AtLeast says whether v is w or later.
func (v Version) AtLeast(w Version) bool {
	return v.Year > w.Year || v.Year == w.Year && v.Month >= w.Month
}

// ParseVersion reads "22.05", "24.11.5", or the output of a program's --version: "slurm-wlm 22.05.8".
func ParseVersion(text string) (Version, error) {
	fields := strings.Fields(text)
	if len(fields) > 0 {
		parts := strings.Split(fields[len(fields)-1], ".")
		if len(parts) >= 2 {
			year, yearErr := strconv.Atoi(parts[0])
			month, monthErr := strconv.Atoi(parts[1])
			if yearErr == nil && monthErr == nil && month >= 1 && month <= 12 && year >= 0 {
				return Version{year, month}, nil
			}
		}
	}
	return Version{}, sdk.Mark(fmt.Errorf("%q is no version of Slurm, such as 24.11", text), sdk.ErrInvalid)
}

// supported says whether this package can write a configuration for v.
func (v Version) supported() error {
	if v.AtLeast(oldest) {
		return nil
	}
	return sdk.Mark(fmt.Errorf("Slurm %s has no usable container support: %s or later is needed", v, oldest), sdk.ErrUnsupported)
}

// versionTime is how long Slurm's programs may take to tell their version.
const versionTime = 5 * time.Second

// InstalledVersion asks Slurm's programs on this machine for their version.
// sdk.ErrUnavailable: there are none.
func InstalledVersion(ctx context.Context) (Version, error) {
	ctx, cancel := limit.WithTimeout(ctx, versionTime, "no version")
	defer cancel()
	for _, dir := range []string{"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/opt/slurm/sbin", "/opt/slurm/bin"} {
		for _, name := range []string{"slurmd", "srun"} {
			out, err := exec.CommandContext(ctx, dir+"/"+name, "--version").Output()
			if err != nil {
				continue
			}
			return ParseVersion(string(bytes.TrimSpace(out)))
		}
	}
	err := sdk.Mark(errors.New("no slurmd or srun found on this machine"), sdk.ErrUnavailable)
	return Version{}, sdk.WithAdvice(err, "name the version: --slurm-version 24.11")
}
