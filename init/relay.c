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
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

static const uid_t no_id = 65534;              /* the kernel's overflowuid */
static const ino_t of_the_node = 0xEFFFFFFD;   /* the user namespace that the node booted with */

/* Seconds that a copy may take, on a node that is not busy. */
#ifndef COPY_TAKES
#define COPY_TAKES 2
#endif

/* copy_takes grows with the node's load per core, up to 32 times, as limits do elsewhere (sdk/limit). */
static time_t copy_takes(void)
{
	struct sysinfo node;
	long cores = sysconf(_SC_NPROCESSORS_ONLN), load = 1;

	if (sysinfo(&node) == 0 && cores > 0)
		load = (long)(node.loads[0] >> SI_LOAD_SHIFT) / cores;
	return COPY_TAKES * (load < 1 ? 1 : load > 32 ? 32 : load);
}

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
		return !*slurms || now.tv_sec - *slurms > copy_takes();
	*slurms = now.tv_sec;
	return 0;
}
