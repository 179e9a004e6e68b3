package layout

import (
	"os"
	"path/filepath"
	"regexp"

	"github.com/berth-hpc/berth/host/trust"
)

// linkOfCopy is what rootlesskit --copy-up=/etc has made of an entry of /etc: a link to the same name in a
// directory, beside it, where the node's own /etc is mounted.
var linkOfCopy = regexp.MustCompile(`^\.ro[0-9]+/[^/]+$`)

// copiedUp is where a file in a subdirectory of /etc is: elsewhere below rootlesskit, as rootless docker's
// daemon is, where no link is followed otherwise.
func copiedUp(path string) string {
	dir := filepath.Dir(path)
	if trust.SeenRoot() == 0 {
		return path // in no user namespace
	}
	target, err := os.Readlink(dir)
	if err != nil || !linkOfCopy.MatchString(target) || filepath.Base(target) != filepath.Base(dir) {
		return path
	}
	return filepath.Join(filepath.Dir(dir), target, filepath.Base(path))
}
