//go:build ignore

/*
 * berth-init --init: which of the signals that the parent gets are passed on to the command.
 *
 * With --signals=direct Slurm signals every process of a step itself. The runtime, which is one of
 * them and the task that Slurm knows, sends the parent a copy. But some signals Slurm sends to the
 * task alone (scancel --batch, --signal=B:), and then what the runtime sends is all there is. The
 * two senders can be told apart in a user namespace of the container's own: the runtime is the
 * job's user, who has an id there, and slurmstepd is the node's root, who has none (user_namespaces(7)).
 * Slurm signals a process before its ancestors, so its own signal comes before the copy, which the
 * kernel often merges into it.
 */
#include "berth-init.h"

#include <sys/stat.h>
#include <time.h>

static const uid_t no_id = 65534;              /* the kernel's overflowuid */
static const ino_t of_the_node = 0xEFFFFFFD;   /* the user namespace that the node booted with */
static const time_t copy_takes = 2;            /* seconds, on a node with much to do */

void listen_for(struct relay *r, int forward)
{
	struct stat ns;

	*r = (struct relay){.forward = forward};
	r->told_apart = stat("/proc/self/ns/user", &ns) == 0 && ns.st_ino != of_the_node;
}

int pass_on(struct relay *r, const siginfo_t *got)
{
	struct timespec now;
	time_t *slurms = &r->slurms[got->si_signo];

	if (got->si_code > 0) /* about a child, or by the terminal: no process sent it */
		return 0;
	if (r->forward || !r->told_apart)
		return r->forward;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (got->si_uid != no_id)
		return !*slurms || now.tv_sec - *slurms > copy_takes;
	*slurms = now.tv_sec;
	return 0;
}
