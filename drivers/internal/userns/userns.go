// Package userns says whether a node lets ordinary users make user namespaces.
package userns

import (
	"fmt"
	"os"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// Allowed returns an sdk.ErrUnavailable, with advice, where one of the kernel's switches forbids
// them. Sysctl is /proc/sys. The second switch is Debian's own.
func Allowed(sysctl string) error {
	for _, s := range []struct{ key, enough string }{
		{"user.max_user_namespaces", "15000"},
		{"kernel.unprivileged_userns_clone", "1"},
	} {
		value, err := os.ReadFile(sysctl + "/" + strings.ReplaceAll(s.key, ".", "/"))
		if err == nil && strings.TrimSpace(string(value)) == "0" {
			return sdk.WithAdvice(
				sdk.Mark(fmt.Errorf("user namespaces are disabled on this node (sysctl %s=0)", s.key), sdk.ErrUnavailable),
				fmt.Sprintf("sysctl -w %s=%s", s.key, s.enough))
		}
	}
	return nil
}
