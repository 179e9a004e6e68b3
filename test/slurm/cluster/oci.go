package cluster

import (
	"context"
	"strings"
)

// Configure writes the oci.conf that "berth slurm conf" prints on the node. slurmstepd reads it when
// a step starts.
func (n *Node) Configure(ctx context.Context) error {
	text, err := n.Output(ctx, "root", "berth", "slurm", "conf")
	if err != nil {
		return err
	}
	return n.WriteFile("/etc/slurm/oci.conf", text, 0o644)
}

// GuideOCI is the oci.conf for runc or crun of Slurm's Containers Guide ("oci.conf example for runc
// using run"), with a state directory below /tmp, as there is no login session, and with "exec", so
// that both it and berth are measured without a shell that stays.
func GuideOCI(runtime string) string {
	const template = `RunTimeQuery="exec RUNTIME ROOT state %n.%u.%j.%s.%t"
RunTimeKill="exec RUNTIME ROOT kill -a %n.%u.%j.%s.%t"
RunTimeDelete="exec RUNTIME ROOT delete --force %n.%u.%j.%s.%t"
RunTimeRun="exec RUNTIME ROOT run --bundle %b %n.%u.%j.%s.%t"
`
	root := "--root=/tmp/RUNTIME-%u"
	if runtime == "runc" {
		root = "--rootless=true " + root
	}
	return strings.NewReplacer("RUNTIME ROOT", runtime+" "+strings.Replace(root, "RUNTIME", runtime, 1)).Replace(template)
}
