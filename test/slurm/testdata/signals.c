// Says which signals arrive, each time that one does: signals [child] [stubborn]. It reads them from signalfd(2)
// and starts no program, so that what is said twice came twice: a shell's child says the words of its traps, too,
// until it has become another program. With "child" it has a child that does the same. SIGTERM ends it with
// status 3, and the child, unless it is stubborn.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const char *name(int number) {
	static char text[16];
	switch (number) {
	case SIGUSR1: return "USR1";
	case SIGUSR2: return "USR2";
	case SIGINT: return "INT";
	case SIGHUP: return "HUP";
	case SIGTERM: return "TERM";
	}
	snprintf(text, sizeof text, "%d", number);
	return text;
}

static void say(const char *who, const char *what) {
	char line[64];
	int n = snprintf(line, sizeof line, "%s%s\n", who, what);
	if (write(1, line, (size_t)n) != n)
		_exit(4);
}

int main(int argc, char **argv) {
	const char *who = "";
	int stubborn = 0;
	sigset_t all;
	sigemptyset(&all);
	for (const int *n = (const int[]){SIGUSR1, SIGUSR2, SIGINT, SIGHUP, SIGTERM, 40, 0}; *n; n++)
		sigaddset(&all, *n);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "stubborn") == 0)
			stubborn = 1;
		else if (strcmp(argv[i], "child") == 0 && fork() == 0)
			who = "child ";
	}
	int fd = signalfd(-1, &all, SFD_CLOEXEC);
	say(who, "ready");
	for (;;) {
		struct signalfd_siginfo got;
		if (read(fd, &got, sizeof got) != sizeof got)
			return 5;
		int ends = got.ssi_signo == SIGTERM && !stubborn;
		if (*who && ends)
			return 0;
		say(who, name((int)got.ssi_signo));
		if (ends)
			return 3;
	}
}
