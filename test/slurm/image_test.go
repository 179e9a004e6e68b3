package slurm

import (
	"regexp"
	"testing"
)

// A root filesystem that others own, without the directories that Slurm mounts things on, whether or
// not the bundle mounts something on /tmp.
func TestSharedImage(t *testing.T) {
	noTmp := func(config object) {
		config["mounts"] = config["mounts"].(list)[:3]
	}
	eachOfAll(t, func(t *testing.T, s *site) {
		if s.driver == "enroot" {
			t.Log("enroot makes places for mounts in the image, and takes none that its user cannot write: see TestImportOnce")
			return
		}
		host := "container"
		if s.driver == "charliecloud" {
			host = "n1" // it shares the node's name
		}
		for name, edits := range map[string][]edit{"tmpfs": nil, "image's own /tmp": {noTmp}} {
			bundle := s.bundle(t, edits...)
			s.asRoot(t, "chown", "-Rh", "root:root", bundle)
			if got := s.ok(t, "srun", "--container", bundle, "/bin/sh", "-c", "id -u; hostname"); got != "0\n"+host+"\n" {
				t.Errorf("%s: step: %q", name, got)
			}
			r := s.submit(t, call{args: []string{"--container", bundle, "--wrap", "hostname; touch /tmp/mine; exit 3"}}).result()
			if r.status != 3 || r.stdout != host+"\n" || r.stderr != "" {
				t.Errorf("%s: batch: %+v", name, r)
			}
			if found := s.node().Find(bundle+"/rootfs/tmp", 2); len(found) > 0 {
				t.Errorf("%s: left in the image: %q", name, found)
			}
		}
	})
}

// Where MountSpoolDir is Slurm's own default, which from 25.05 on is the path of the spool directory,
// and not what berth writes into oci.conf.
func TestSpoolDirInSharedImage(t *testing.T) {
	eachRelease(t, plain, []string{"runc", "crun", "charliecloud", "singularity"}, func(t *testing.T, s *site) {
		if s.release.before("23.02") {
			return // it mounts no spool directory
		}
		conf, err := s.node().ReadFile("/etc/slurm/oci.conf")
		if err != nil {
			t.Fatal(err)
		}
		bundle := s.bundle(t)
		image := bundle + "/rootfs"
		s.asRoot(t, "mkdir", "-p", image+"/run", image+"/var/spool")
		s.asRoot(t, "ln", "-s", "/run", image+"/var/run")
		s.asRoot(t, "chown", "-Rh", "root:root", bundle)
		for _, dir := range []string{"/var/run/slurm/", "/var/spool/slurmd/oci-job%j-%s"} {
			text := regexp.MustCompile(`MountSpoolDir=.*`).ReplaceAllString(conf, "MountSpoolDir="+dir)
			if err := s.node().WriteFile("/etc/slurm/oci.conf", text, 0o644); err != nil {
				t.Fatal(err)
			}
			r := s.run(t, "srun", "--container", bundle, "/bin/sh", "-c", "ls -R /var/run/slurm /var/spool/slurmd; exit 0")
			if found := regexp.MustCompile(`(?m)^config.json$`).FindAllString(r.stdout, -1); r.status != 0 || len(found) != 1 {
				t.Errorf("%s: %+v", dir, r)
			}
		}
	})
}
