package test

import (
	"os/exec"
	"strings"
	"testing"
)

// A driver that cannot take the kind of an image is refused with what can: another driver of this node
// that works and that the user may ask for, or none.
func TestImageOfAnotherKind(t *testing.T) {
	s := furtherSite(t, "charliecloud", "")
	need(t, "mksquashfs")
	squash := s.path("image.squashfs")
	if out, err := exec.Command("mksquashfs", rootfs(t), squash, "-quiet", "-no-progress", "-all-root").CombinedOutput(); err != nil {
		t.Fatalf("mksquashfs: %v: %s", err, out)
	}
	sif := s.write(t, "image.sif", "#!/usr/bin/env run-singularity\n\x00SIF_MAGIC\x0001\x0002\x00", 0o644)
	text := s.write(t, "image.txt", "hello\n", 0o644)
	const works, broken = "[drivers.charliecloud]\nisolation = \"share\"\n", "[drivers.charliecloud]\nruntime = \"/no/such\"\n"
	const bound = works + "[policy]\nuser_drivers = [\"crun\", \"runc\"]\n"
	const none = "no driver of this node takes a SquashFS image; unpack it into a directory\n"
	for name, c := range map[string]struct {
		config, driver, image string
		want                  []string
	}{
		"squashfs with crun":           {works, "crun", squash, []string{"not a directory", "drivers of this node that take a SquashFS image: charliecloud\n"}},
		"squashfs with runc":           {works, "runc", squash, []string{"not a directory", "drivers of this node that take a SquashFS image: charliecloud\n"}},
		"the other does not work":      {broken, "crun", squash, []string{"not a directory", none}},
		"the other is not allowed":     {bound, "crun", squash, []string{"not a directory", none}},
		"SIF with crun":                {works, "crun", sif, []string{"not a directory", "no driver of this node takes a SIF image"}},
		"SIF with charliecloud":        {works, "charliecloud", sif, []string{"neither a directory nor a SquashFS image", "no driver of this node takes a SIF image"}},
		"no image at all":              {works, "crun", text, []string{"not a directory"}},
		"squashfs with the one it has": {works, "charliecloud", squash, nil},
	} {
		s.configure(t, c.config)
		r := s.berth(t, "run", "--driver", c.driver, s.bundle(t, "exit 3", set(c.image, "root", "path")))
		if c.want == nil {
			if r.status != 3 {
				t.Errorf("%s: %+v", name, r)
			}
			continue
		}
		for _, want := range c.want {
			if r.status != 125 || r.stdout != "" || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") > 2 {
				t.Errorf("%s: %+v, want %q", name, r, want)
			}
		}
		if strings.Contains(r.stderr, "of this node") != (len(c.want) > 1) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
