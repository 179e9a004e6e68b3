//go:build ignore

/* berth-init's main job: find the command and become it. */
#include "berth-init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static int exists(const char *file)
{
	struct stat st;
	return stat(file, &st) == 0;
}

/* Says why file, which was found for cmd, could not be executed. */
static _Noreturn void refuse(const char *cmd, const char *file, int err)
{
	char head[256] = "";
	struct stat st;

	if (stat(file, &st) < 0)
		fail(missing(err) ? 127 : 126, "\"", cmd, "\": ",
		     missing(err) ? "not found in the container" : strerror(err), NULL);
	if (missing(err)) { /* the kernel speaks of what should interpret the file */
		int fd = open(file, O_RDONLY | O_CLOEXEC);
		ssize_t n = read(fd, head, sizeof head - 1);
		char *name = head + 2 + strspn(head + 2, " \t");
		name[strcspn(name, " \t\n")] = '\0';
		if (n < 2 || strncmp(head, "#!", 2) != 0 || exists(name))
			fail(127, "\"", file, "\": its interpreter or loader is not in the container", NULL);
		fail(127, "\"", file, "\": its interpreter \"", name, "\" is not in the container", NULL);
	}
	fail(126, "\"", file, "\": ", S_ISDIR(st.st_mode) ? "is a directory" :
	     err == ENOEXEC ? "neither a program for this machine nor a script with a \"#!\" line" :
	     strerror(err), NULL);
}

/*
 * Becomes the first name on PATH that can be executed. Otherwise returns why not, and in file the
 * first one there is: a directory of PATH that may not be searched says nothing about name.
 */
static int search(const char *name, char **argv, char file[PATH_MAX])
{
	const char *path = getenv("PATH");
	int why = ENOENT;

	for (path = path ? path : default_path; *name; path++) {
		char candidate[PATH_MAX];
		size_t dir = strcspn(path, ":");
		if (dir + 1 + strlen(name) < sizeof candidate) {
			memcpy(candidate, path, dir);
			candidate[dir] = '/';
			strcpy(candidate + dir + (dir > 0), name); /* an empty entry is the present directory */
			execve(candidate, argv, environ);
			int err = errno;
			int final = !missing(err) && err != EACCES;
			if (exists(candidate) && (final || !*file)) {
				strcpy(file, candidate);
				why = err;
				if (final)
					break;
			}
		}
		path += dir;
		if (!*path)
			break;
	}
	return why;
}

void become(char **argv, int by_name)
{
	char found[PATH_MAX] = "";
	const char *cmd = argv[0], *slash = strrchr(cmd, '/');

	if (!slash)
		refuse(cmd, found, search(cmd, argv, found));
	execve(cmd, argv, environ);
	int err = errno;
	if (!by_name || *cmd != '/' || !missing(err) || exists(cmd))
		refuse(cmd, cmd, err);
	argv[0] += slash + 1 - cmd;
	refuse(cmd, found, search(argv[0], argv, found));
}
