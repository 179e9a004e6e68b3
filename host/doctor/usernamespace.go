package doctor

import (
	"fmt"
	"syscall"
)

// userNamespaces tries what every runtime of an ordinary user does first.
func userNamespaces() check { return userNamespacesBy(tryUserNamespace) }

// userNamespacesBy judges what try says for a uid, the caller's or nobody.
func userNamespacesBy(try func(uid int) syscall.Errno) check {
	limit := fault{
		when: "there are no user namespaces left", status: StatusBroken,
		why:  "a runtime that an ordinary user calls makes a user namespace for every container: no job's container starts",
		mend: "sysctl -w user.max_user_namespaces=15000",
	}
	unknown := fault{
		when: "the kernel has no user namespaces", status: StatusBroken,
		why:  "a runtime that an ordinary user calls makes a user namespace for every container: a kernel with CONFIG_USER_NS is needed",
		mend: "UPGRADE PACKAGE",
	}
	profile := fault{
		when: "AppArmor refuses them to programs without a profile, as berth is", status: StatusWarning,
		why:  "a runtime whose AppArmor profile allows user namespaces works nevertheless, every other fails",
		mend: "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
	}
	refused := fault{
		when: "the kernel refuses them", status: StatusBroken,
		why:  "a kernel parameter above, a security module, a seccomp filter or a chroot forbids what every runtime of an ordinary user begins with",
		mend: "dmesg --level warn,err",
	}
	return check{
		name: "user-namespaces", about: "An actual user namespace with a mount namespace in it, made by a child process that ends at once. As root it is tried as uid 65534.",
		faults: []fault{limit, unknown, profile, refused},
		look: func(e *examination) {
			errno := try(e.triedAs())
			what := fmt.Sprintf("uid %d cannot make a user namespace with a mount namespace in it: %v", e.triedAs(), errno)
			restricted, _ := e.sysctl("kernel.apparmor_restrict_unprivileged_userns")
			switch {
			case errno == 0:
				e.ok("uid %d can make a user namespace with a mount namespace in it", e.triedAs())
			case errno == syscall.ENOSPC || errno == syscall.EUSERS:
				e.found(limit, what)
			case errno == syscall.EINVAL || errno == syscall.ENOSYS:
				e.found(unknown, what, e.packageFill("kernel")...)
			case restricted == 1:
				e.found(profile, what)
			default:
				e.found(refused, what)
			}
		},
	}
}
