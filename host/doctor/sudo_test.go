package doctor

import "testing"

func TestSudo(t *testing.T) {
	look := func(toml string) ([]Finding, *Node) {
		e := &examination{Node: *installed(t, toml), check: sudo().name}
		sudo().look(e)
		return e.findings, &e.Node
	}
	f, _ := look("[drivers.singularity]\nmode = \"oci\"\n")
	one(t, f, StatusOK, "no driver calls its runtime by sudo", "")
	f, n := look("[drivers.singularity]\nmode = \"oci\"\nsudo = \"/usr/bin/sudo\"\n")
	one(t, f, StatusWarning, `driver "singularity" calls its runtime by /usr/bin/sudo`, "sed -i '/^ *sudo *=/d' "+n.Layout.Config)
}
