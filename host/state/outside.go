package state

import (
	"os"

	"github.com/berth-hpc/berth/host/trust"
)

// known is the uid by which this user's directory and records are known on the node: for the root of a
// user namespace, as rootless podman makes one, the user who is root there. So that user finds the
// containers from outside, too, and the node's root stays undisturbed.
func known(uid int) int {
	if uid != 0 {
		return uid
	}
	outside, _ := trust.RootOutside()
	return outside
}

// seen is the uid as which this process sees the user of a record.
func seen(uid int) int {
	if os.Geteuid() == 0 && uid == known(0) {
		return 0
	}
	return uid
}
