/* The parts of berth-init; berth-init.c says what it is for. */
#ifndef BERTH_INIT_H
#define BERTH_INIT_H

#define _GNU_SOURCE /* hence the first to be included: O_PATH, environ */

#include <signal.h>
#include <time.h>

/* The status that says berth failed before there was a command. */
enum { BERTH_FAILED = 125 };

/* Writes the parts, up to NULL, to standard error as one line and ends with status. */
_Noreturn void fail(int status, ...) __attribute__((sentinel));

/* Whether err says that there is no such file. */
int missing(int err);

/* Becomes the command argv[0]; by_name as --by-name says. */
_Noreturn void become(char **argv, int by_name);

/* Makes the environment what file holds: entries that each end with a NUL, nothing else. */
void take_environment(const char *file);

/* What descriptor fd holds, from its beginning, is a command and its environment: the number of its
 * arguments in decimal, they, and the environment's entries, each of which ends with a NUL. Makes the
 * environment that, closes fd, and returns the command. */
char **take_program(int fd);

/* Puts the standard streams on the descriptors from first on, and back: see streams.c. first > 2. Where
 * program names a file it is on the descriptor after those. */
void hand_over(int first, const char *console, const char *program);
void take_over(int first);

/* Makes the terminal on standard input the controlling one of a new session. */
void control_terminal(void);

/* How the parent that stays does so: see stay.c. */
struct stay {
	int forward;
	const char *status_file; /* or NULL */
	int pid;                 /* the command's process id where that is still to come; 0: any */
};

/* Stays as the command's parent. Returns in a child, ready to become the command. */
void stay(const struct stay *how);

/* What the parent knows of the signals it has had. */
struct relay {
	int forward, told_apart;
	time_t slurms[_NSIG]; /* when Slurm itself sent the signal last, 0 for never; monotonic */
};

void listen_for(struct relay *r, int forward);

/* Whether a signal that the parent got is to be passed on. Every one has to be asked about. */
int pass_on(struct relay *r, const siginfo_t *got);

/* Removes the directory at an absolute path with all it holds, and ends. */
_Noreturn void remove_all(char *path);

#endif
