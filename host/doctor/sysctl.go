package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// sysctl returns a kernel parameter; ok is false where the kernel does not have it.
func (n *Node) sysctl(name string) (value int, ok bool) {
	value, err := strconv.Atoi(n.read("proc/sys", strings.ReplaceAll(name, ".", "/")))
	return value, err == nil
}

// switchCheck is a check of a kernel parameter that has one good value; a kernel without it is good.
func switchCheck(name, about, parameter string, good int, f fault) check {
	f.mend = fmt.Sprintf("sysctl -w %s=%d", parameter, good)
	return check{
		name: name, about: about, faults: []fault{f},
		look: func(e *examination) {
			value, ok := e.sysctl(parameter)
			switch {
			case !ok:
				e.ok("%s is not a parameter of this kernel", parameter)
			case value == good:
				e.ok("%s = %d", parameter, value)
			default:
				e.found(f, fmt.Sprintf("%s = %d: %s", parameter, value, f.when))
			}
		},
	}
}

func unprivilegedUserns() check {
	return switchCheck("unprivileged-userns-clone",
		"kernel.unprivileged_userns_clone, which Debian's and Ubuntu's kernels have: whether ordinary users may make user namespaces.",
		"kernel.unprivileged_userns_clone", 1, fault{
			when: "ordinary users may not make user namespaces", status: StatusBroken,
			why: "a runtime that an ordinary user calls makes a user namespace for every container: no job's container starts",
		})
}

func apparmorUnconfined() check {
	return switchCheck("apparmor-unconfined",
		"kernel.apparmor_restrict_unprivileged_unconfined: whether a program without an AppArmor profile may take one on.",
		"kernel.apparmor_restrict_unprivileged_unconfined", 0, fault{
			when: "a program without an AppArmor profile cannot take on one that allows user namespaces", status: StatusWarning,
			why: "Slurm's guide to containers wants it off: a runtime that no profile covers stays without user namespaces",
		})
}

func apparmorUserns() check {
	return switchCheck("apparmor-userns",
		"kernel.apparmor_restrict_unprivileged_userns: whether user namespaces need an AppArmor profile that allows them.",
		"kernel.apparmor_restrict_unprivileged_userns", 0, fault{
			when: "only programs whose AppArmor profile allows it can use user namespaces", status: StatusWarning,
			why: "a runtime that no profile covers, such as one below /opt, gets user namespaces in which it may do nothing, and its containers fail",
		})
}

// fewNamespaces is what can run out when a node starts 128 tasks at once, each of which takes a user
// namespace for the container and for a moment others.
const fewNamespaces = 1024

func maxUserNamespaces() check {
	const parameter = "user.max_user_namespaces"
	const mend = "sysctl -w user.max_user_namespaces=15000"
	none := fault{
		when: "no user namespace can be made", status: StatusBroken,
		why:  `a runtime that an ordinary user calls makes a user namespace for every container and fails with "no space left on device"`,
		mend: mend,
	}
	few := fault{
		when: fmt.Sprintf("fewer than %d user namespaces can be made", fewNamespaces), status: StatusWarning,
		why:  `every container takes one and nested ones more: where many tasks start at once the last fail with "no space left on device"`,
		mend: mend,
	}
	return check{
		name: "max-user-namespaces", about: "user.max_user_namespaces: how many user namespaces one user can have.",
		faults: []fault{none, few},
		look: func(e *examination) {
			value, ok := e.sysctl(parameter)
			what := fmt.Sprintf("%s = %d", parameter, value)
			switch {
			case !ok:
				e.ok("%s is not a parameter of this kernel", parameter)
			case value <= 0:
				e.found(none, what+": "+none.when)
			case value < fewNamespaces:
				e.found(few, what+": "+few.when)
			default:
				e.ok("%s", what)
			}
		},
	}
}
