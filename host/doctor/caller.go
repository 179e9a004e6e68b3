package doctor

import "strings"

// caller says whose view of the node the other checks give.
func caller() check {
	asRoot := fault{
		when: "berth doctor was called by root", status: StatusNote,
		why:  "jobs run as ordinary users: what these may do was tried as uid 65534, but their subordinate ids and limits are their own",
		mend: "setpriv --reuid 65534 --regid 65534 --clear-groups BERTH doctor",
	}
	inside := fault{
		when: "berth doctor was called in a user namespace", status: StatusNote,
		why:  "a user namespace has limits and owners of its own: what is found holds for it and not for the node",
		mend: "nsenter --target 1 --user --mount BERTH doctor",
	}
	return check{
		name: "caller", about: "Who looks: most of what follows depends on it.",
		faults: []fault{asRoot, inside},
		look: func(e *examination) {
			switch {
			case e.inUserNamespace():
				e.found(inside, "examined as uid "+e.uid()+" of a user namespace", "BERTH", quote(e.Program))
			case e.State.UID == 0:
				e.found(asRoot, "examined as root", "BERTH", quote(e.Program))
			default:
				e.ok("examined as %s (uid %s)", e.User, e.uid())
			}
		},
	}
}

// inUserNamespace says whether the process is in another user namespace than the node's own, which
// maps every id to itself (user_namespaces(7)).
func (n *Node) inUserNamespace() bool {
	ids := strings.Join(strings.Fields(n.read("proc/self/uid_map")), " ")
	return ids != "" && ids != "0 0 4294967295"
}

// triedAs is the uid for whom rights are tried: an ordinary user's where the node's root calls. Root
// of another user namespace is none of the node's.
func (n *Node) triedAs() int {
	if n.State.UID == 0 && !n.inUserNamespace() {
		return nobody
	}
	return n.State.UID
}
