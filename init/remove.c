//go:build ignore

/*
 * berth-init --rm DIR: removes a container directory when its container has ended, as a poststop
 * hook. It follows no link, enters no other file system, and takes what is gone already for done.
 */
#include "berth-init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = 64 };

static const char *remove_dir(int parent, const char *name, const dev_t *dev, int depth);

/* Removes what is in the directory fd of the file system dev, and closes fd. NULL or why not. */
static const char *empty(int fd, dev_t dev, int depth)
{
	const char *why = NULL;
	DIR *dir = fdopendir(fd);

	if (!dir)
		return strerror(errno);
	for (struct dirent *e; (e = readdir(dir));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		const char *kept = errno == EISDIR ? remove_dir(fd, e->d_name, &dev, depth + 1) : strerror(errno);
		why = why ? why : kept; /* and go on: the less is left the better */
	}
	closedir(dir);
	return why;
}

/* Removes the directory name in parent; dev is the file system to stay on. NULL or why not. */
static const char *remove_dir(int parent, const char *name, const dev_t *dev, int depth)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;

	if (depth > DEEPEST)
		return "nested too deeply";
	int fd = openat(parent, name, flags);
	if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
		fd = openat(parent, name, flags);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? NULL : strerror(errno);
	if (dev && *dev != st.st_dev) {
		close(fd);
		return "something is mounted in it";
	}
	if ((st.st_mode & 0700) != 0700)
		fchmod(fd, 0700); /* where that does not help, unlinkat says why */
	const char *why = empty(fd, st.st_dev, depth);
	if (!why && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		why = strerror(errno);
	return why;
}

/* A hook gets the container's state on a pipe, and crun complains when nobody reads it. Whoever gives it another
 * pipe, that nobody writes to, waits for as many milliseconds. */
#define STATE_TAKES 30000

static void drain(void)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	struct stat st;
	char state[4096];

	if (fstat(0, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return;
	while (poll(&in, 1, STATE_TAKES) > 0 && read(0, state, sizeof state) > 0)
		;
}

void remove_all(char *path)
{
	drain();
	char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (*path != '/' || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		fail(BERTH_FAILED, "\"", path, "\": not the absolute path of a directory to remove", NULL);
	*slash = '\0';
	int parent = open(*path ? path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *why = parent >= 0 ? remove_dir(parent, name, NULL, 0) :
			  errno == ENOENT ? NULL : strerror(errno);
	*slash = '/';
	if (why)
		fail(1, "cannot remove \"", path, "\": ", why, NULL);
	_exit(0);
}
