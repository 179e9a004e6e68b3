package bundle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestSourceFlags(t *testing.T) {
	const odd = unix.ST_NOSUID | unix.ST_NODEV | unix.ST_NOATIME
	tests := map[string]struct {
		options []string
		source  int64
		want    []string
	}{
		"nothing to add":  {[]string{"bind", "ro"}, unix.ST_RELATIME, []string{"bind", "ro"}},
		"added":           {[]string{"bind", "ro"}, odd, []string{"bind", "ro", "nosuid", "nodev"}},
		"there already":   {[]string{"nodev", "nosuid", "bind", "ro"}, odd, []string{"nodev", "nosuid", "bind", "ro"}},
		"opposite":        {[]string{"bind", "rw", "dev", "noexec"}, odd | unix.ST_RDONLY, []string{"bind", "noexec", "ro", "nosuid", "nodev"}},
		"opposite last":   {[]string{"bind", "nodev", "dev"}, unix.ST_NODEV, []string{"bind", "nodev", "nodev"}},
		"other atime":     {[]string{"bind", "ro", "relatime"}, unix.ST_NOATIME, []string{"bind", "ro"}},
		"strictatime":     {[]string{"bind", "ro", "strictatime"}, unix.ST_RELATIME, []string{"bind", "ro"}},
		"same atime":      {[]string{"bind", "ro", "noatime"}, unix.ST_NOATIME, []string{"bind", "ro", "noatime"}},
		"two atime modes": {[]string{"bind", "nodiratime", "relatime"}, unix.ST_RELATIME | unix.ST_NODIRATIME, []string{"bind", "nodiratime", "relatime"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			kept, _ := withLocked(test.options, test.source)
			if diff := cmp.Diff(test.want, withoutAtime(kept, test.source)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIsFlag(t *testing.T) {
	for option, want := range map[string]bool{
		"bind": false, "rbind": false, "rprivate": false, "slave": false, "rw": false, "exec": false,
		"ro": true, "nosuid": true, "nodev": true, "noexec": true, "noatime": true, "relatime": true,
	} {
		if isFlag(option) != want {
			t.Errorf("isFlag(%q) is %v", option, !want)
		}
	}
}
