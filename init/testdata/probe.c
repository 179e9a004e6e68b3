/* probe is the command that the tests of berth-init run: it shows what it was given. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Copies files to standard output as they are: /proc/self/cmdline, /proc/self/environ, … */
static int cat(char **files)
{
	char buf[65536];
	ssize_t n;

	for (; *files; files++) {
		int fd = open(*files, O_RDONLY);
		while ((n = read(fd, buf, sizeof buf)) > 0)
			if (write(1, buf, n) != n)
				return 1;
		if (n < 0)
			return 1;
		close(fd);
	}
	return 0;
}

/* Prints each signal it gets as a line, after one with pid, session, group, foreground group. */
static _Noreturn void signals(int to_group)
{
	sigset_t all;
	siginfo_t got;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	dprintf(1, "%d %d %d %d\n", getpid(), getsid(0), getpgrp(), tcgetpgrp(0));
	if (to_group)
		kill(0, to_group);
	for (;;)
		if (sigwaitinfo(&all, &got) > 0)
			dprintf(1, "%d\n", got.si_signo);
}

/* Ends by the signal, without a core file. */
static int die(int sig)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	raise(sig);
	return 1;
}

/* Leaves orphans to whoever adopts them. 0 once they have all been reaped. */
static int orphans(int count)
{
	int fds[2];
	pid_t pids[64];

	if (pipe(fds) < 0)
		return 1;
	if (fork() == 0) {
		for (int i = 0; i < count; i++) {
			pid_t pid = fork();
			if (pid == 0) {
				usleep(20000);
				_exit(0);
			}
			if (write(fds[1], &pid, sizeof pid) < 0)
				_exit(1);
		}
		_exit(0);
	}
	wait(NULL);
	if (read(fds[0], pids, count * sizeof *pids) != (ssize_t)(count * sizeof *pids))
		return 1;
	for (int i = 0, tries = 0; i < count; tries++) {
		if (kill(pids[i], 0) < 0 && errno == ESRCH)
			i++;
		else if (tries > 5000)
			return 2;
		else
			usleep(1000);
	}
	return 0;
}

/* Becomes argv with some signals blocked and some ignored. */
static int blocking(char **argv)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	execv(argv[0], argv);
	return 1;
}

/* Closes standard output and lives on until standard input ends. */
static int closing(void)
{
	char c;

	close(1);
	return read(0, &c, 1) != 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int n = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(mode, "exit"))
		return n;
	if (!strcmp(mode, "cat"))
		return cat(argv + 2);
	if (!strcmp(mode, "signals"))
		signals(n);
	if (!strcmp(mode, "die"))
		return die(n);
	if (!strcmp(mode, "orphans"))
		return orphans(n);
	if (!strcmp(mode, "blocking"))
		return blocking(argv + 2);
	if (!strcmp(mode, "closing"))
		return closing();
	return cat((char *[]){"/proc/self/cmdline", NULL}); /* whatever the name and arguments */
}
