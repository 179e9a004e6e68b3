//go:build ignore

/*
 * berth-init is what berth puts in front of a container's command. It finds the command as the
 * container sees it, becomes it by execve(2), and is gone. There is never a shell.
 *
 *   berth-init [FILE] [--take-over N [--program] [--terminal]] [--umask MASK] [--cwd DIR] [--by-name]
 *              [--unset NAME] [--set NAME=VALUE] [--link TARGET PLACE] [--no-new-privileges]
 *              [--end-with-parent]
 *              [--init [--signals=forward|direct] [--status FILE] [--pid N]]
 *              -- CMD [ARG...]
 *
 *   FILE        an absolute path: the environment is what it holds, in the form of /proc/PID/environ,
 *               and nothing else. It comes first, where a shell has its script: for a runtime that
 *               hands everything to a shell
 *   --take-over N [--program] [--terminal]
 *               the standard streams are on the descriptors from N on: see streams.c. With --program,
 *               CMD, its arguments and the environment are in a file on the one after those, for a
 *               runtime that a long config.json harms; "-- CMD" is left out then
 *   --umask MASK
 *               for a runtime that leaves none, or another; octal
 *   --cwd DIR   enter DIR; stay in the present directory where there is none. The second of two is
 *               entered from the first: so there is one to stay in
 *   --by-name   CMD is an absolute path found on the node: where the container has no such
 *               file, look for its last part on PATH, and make that argv[0], as it was typed
 *   --unset NAME, --set NAME=VALUE
 *               undo what a runtime does to the environment
 *   --link TARGET PLACE
 *               make a symbolic link: for a runtime that can mount something at TARGET, not at PLACE
 *   --no-new-privileges
 *               see prctl(2): for a runtime that does not set it for root
 *   --end-with-parent
 *               be killed when the thread that started us ends, a foreground runtime's: nothing of a
 *               container outlives its runtime, nor a program those who serve its files
 *   --init      stay behind as the command's parent: see stay.c
 *
 *   berth-init --hand-over N [--program FILE] [--console SOCKET] -- CMD [ARG...]
 *                               the other side of --take-over, outside of the container: see streams.c
 *   berth-init --rm DIR         remove a container directory: see remove.c
 *
 * Status, with one line on standard error: 127 no such command or interpreter, 126 it cannot be
 * executed or DIR not entered, 125 berth-init cannot do as told, 1 --rm left something.
 *
 * The first line keeps the go command, which runs the tests, from taking this file for cgo's.
 */
#include "berth-init.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The number that text is, of at most four digits, or -1. */
static int number(const char *text)
{
	int n = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 4 || text[digits])
		return -1;
	while (*text)
		n = n * 10 + *text++ - '0';
	return n;
}

int main(int argc, char **argv)
{
	const char *cwd[2] = {NULL, NULL}, *console = NULL, *file = NULL;
	int by_name = 0, init = 0, hand = 0, taken = 0;
	struct stay how = {.forward = 1};
	char **arg = argv + 1, **program = NULL;

	if (argc == 3 && strcmp(arg[0], "--rm") == 0)
		remove_all(arg[1]);
	if (argc > 1 && **arg == '/')
		take_environment(*arg++);
	for (; argc > 1 && *arg && strcmp(*arg, "--") != 0; arg++) {
		if (strcmp(*arg, "--cwd") == 0 && arg[1]) {
			cwd[0] = cwd[1];
			cwd[1] = *++arg;
		} else if (strcmp(*arg, "--take-over") == 0 && arg[1] && number(arg[1]) > 2)
			take_over(taken = number(*++arg));
		else if (taken && strcmp(*arg, "--program") == 0)
			program = take_program(taken + 3);
		else if (hand && strcmp(*arg, "--program") == 0 && arg[1])
			file = *++arg;
		else if (strcmp(*arg, "--terminal") == 0)
			control_terminal();
		else if (strcmp(*arg, "--umask") == 0 && arg[1] && number(arg[1]) >= 0)
			umask((mode_t)strtol(*++arg, NULL, 8));
		else if (strcmp(*arg, "--hand-over") == 0 && arg[1] && number(arg[1]) > 2)
			hand = number(*++arg);
		else if (hand && strcmp(*arg, "--console") == 0 && arg[1])
			console = *++arg;
		else if (strcmp(*arg, "--by-name") == 0)
			by_name = 1;
		else if (strcmp(*arg, "--unset") == 0 && arg[1])
			unsetenv(*++arg);
		else if (strcmp(*arg, "--set") == 0 && arg[1])
			putenv(*++arg);
		else if (strcmp(*arg, "--link") == 0 && arg[1] && arg[2]) {
			if (symlink(arg[1], arg[2]) < 0)
				fail(BERTH_FAILED, "linking \"", arg[2], "\": ", strerror(errno), NULL);
			arg += 2;
		} else if (strcmp(*arg, "--no-new-privileges") == 0)
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		else if (strcmp(*arg, "--end-with-parent") == 0)
			prctl(PR_SET_PDEATHSIG, SIGKILL); /* it may be gone: another pid namespace does not tell */
		else if (strcmp(*arg, "--init") == 0)
			init = 1;
		else if (init && strcmp(*arg, "--signals=forward") == 0)
			how.forward = 1;
		else if (init && strcmp(*arg, "--signals=direct") == 0)
			how.forward = 0;
		else if (init && strcmp(*arg, "--status") == 0 && arg[1])
			how.status_file = *++arg;
		else if (init && strcmp(*arg, "--pid") == 0 && arg[1] && number(arg[1]) > 0)
			how.pid = number(*++arg);
		else
			fail(BERTH_FAILED, "\"", *arg, "\": unknown, misplaced or without a value", NULL);
	}
	if (!program && *arg)
		program = arg + 1;
	if (!program || !*program)
		fail(BERTH_FAILED, "no command: expected -- CMD [ARG...]", NULL);
	if (hand)
		hand_over(hand, console, file);
	if (init)
		stay(&how);
	for (int i = 0; i < 2; i++)
		if (cwd[i] && chdir(cwd[i]) < 0 && !missing(errno))
			fail(126, "cannot enter \"", cwd[i], "\": ", strerror(errno), NULL);
	become(program, by_name);
}
