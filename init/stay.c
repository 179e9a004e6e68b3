//go:build ignore

/*
 * berth-init --init: the parent that stays. It reaps every process that is left to it and ends as
 * soon as the command does, with its status or 128 + the signal that ended it; then the kernel
 * ends what is left of a process 1's namespace. With --status FILE it writes the status there; with
 * --pid N the command's process id is N, where that many have not been used already.
 *
 * --signals=forward  a signal sent to the parent goes to the command, to that process alone: what
 *                    its children get is the command's to decide, as it would be without us
 * --signals=direct   whoever sends signals sends them to every process (Slurm's
 *                    proctrack/linuxproc): the parent passes on what only it got: see relay.c
 *
 * The command is where it would be without us. A runtime starts process 1 as leader of a session,
 * which owns the container's terminal: so the command becomes that, and the terminal's signals
 * reach it alone. Under any other parent session and process group stay as they are, and the
 * terminal's signals reach us both: those are the kernel's and are not passed on a second time.
 */
#include "berth-init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Gives up the terminal of the session we lead. Returns a descriptor of it, or -1. */
static int release_tty(void)
{
	sigset_t hangup;
	int fd = 0;

	while (fd <= 2 && ioctl(fd, TIOCNOTTY) < 0)
		fd++;
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigaddset(&hangup, SIGCONT);
	while (fd <= 2 && sigtimedwait(&hangup, NULL, &(struct timespec){0}) > 0)
		; /* the kernel tells us of our own doing */
	return fd <= 2 ? fd : -1;
}

/* Reaps what has ended. Returns the command's status once that has, or -1. */
static int reap(pid_t command, int leader)
{
	int st;

	for (pid_t pid; (pid = waitpid(-1, &st, WNOHANG | WUNTRACED)) > 0;) {
		if (pid != command)
			continue;
		if (!WIFSTOPPED(st))
			return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
		if (!leader && WSTOPSIG(st) != SIGSTOP)
			raise(SIGSTOP); /* Ctrl-Z: a shell that started us waits for us, not for the command */
	}
	return -1;
}

static void write_status(int fd, int status)
{
	char text[] = {'0' + status / 100, '0' + status / 10 % 10, '0' + status % 10, '\n'};
	int skip = status < 10 ? 2 : status < 100 ? 1 : 0;

	if (write(fd, text + skip, sizeof text - skip) < 0)
		close(fd); /* an empty file says that the status is unknown */
}

/* Uses up process ids so that the next one is pid, or a higher one where that has passed. MPI libraries
 * tell the ranks of a node apart by these: those of several containers must not be the same, although
 * each has a pid namespace of its own. */
static void use_up_to(pid_t pid)
{
	for (pid_t used = 0; used >= 0 && used + 1 < pid;) {
		used = fork();
		if (used == 0)
			_exit(0);
		if (used > 0)
			waitpid(used, NULL, 0);
	}
}

void stay(const struct stay *how)
{
	const pid_t self = getpid();
	const int leader = getsid(0) == self;
	struct sigaction normal = {.sa_handler = SIG_DFL}, inherited;
	sigset_t all, mask;
	struct relay relay;
	siginfo_t got;
	int status, file = -1;

	if (how->status_file &&
	    (file = open(how->status_file, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC)) < 0)
		fail(BERTH_FAILED, "cannot open \"", how->status_file, "\": ", strerror(errno), NULL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	sigaction(SIGCHLD, &normal, &inherited); /* where it is ignored nobody's status can be had */
	if (self != 1)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	int tty = leader ? release_tty() : -1;

	use_up_to(how->pid);
	pid_t command = fork();
	if (command < 0)
		fail(BERTH_FAILED, "cannot fork: ", strerror(errno), NULL);
	if (command == 0) {
		if (self != 1 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != self))
			_exit(BERTH_FAILED); /* the parent died before it could take us along */
		if (leader)
			setsid();
		if (tty >= 0)
			ioctl(tty, TIOCSCTTY, 0);
		sigaction(SIGCHLD, &inherited, NULL);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		return;
	}
	listen_for(&relay, how->forward);
	for (int fd = 0; fd < 1024; fd++) /* when the command closes a pipe its reader must see the end */
		if (fd != file)
			close(fd);
	do {
		if (sigwaitinfo(&all, &got) < 0)
			continue;
		if (pass_on(&relay, &got))
			kill(command, got.si_signo);
	} while ((status = reap(command, leader)) < 0);
	if (file >= 0)
		write_status(file, status);
	_exit(status);
}
