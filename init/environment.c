//go:build ignore

/* The environment, and a command with it, out of a file. */
#include "berth-init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads what descriptor fd holds, as much as it says, and closes it; ends it with a NUL. */
static char *content(int fd, const char *name, size_t *length)
{
	struct stat st;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail(BERTH_FAILED, "reading the environment from \"", name, "\": ", strerror(errno), NULL);
	char *text = calloc(1, (size_t)st.st_size + 1);
	if (!text)
		fail(BERTH_FAILED, "reading the environment: no memory", NULL);
	for (*length = 0; n > 0 && *length < (size_t)st.st_size; *length += (size_t)n) {
		n = pread(fd, text + *length, (size_t)st.st_size - *length, (off_t)*length);
		if (n < 0)
			fail(BERTH_FAILED, "reading the environment from \"", name, "\": ", strerror(errno), NULL);
	}
	close(fd);
	return text;
}

/* The strings in text that end with a NUL, as a list that ends with NULL. */
static char **strings(char *text, size_t length, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < length; i++)
		*n += text[i] == '\0';
	char **all = calloc(*n + 1, sizeof *all);
	if (!all)
		fail(BERTH_FAILED, "reading the environment: no memory", NULL);
	for (size_t i = 0; i < *n; i++) {
		all[i] = text;
		text += strlen(text) + 1;
	}
	return all;
}

void take_environment(const char *file)
{
	size_t length, n;
	char *text = content(open(file, O_RDONLY | O_CLOEXEC), file, &length);

	environ = strings(text, length, &n);
}

char **take_program(int fd)
{
	size_t length, n, arguments = 0;
	char *text = content(fd, "the descriptor that was handed over", &length);
	char **all = strings(text, length, &n);

	if (n > 0)
		arguments = strtoul(all[0], NULL, 10);
	if (arguments < 1 || arguments >= n)
		fail(BERTH_FAILED, "no command was handed over", NULL);
	char **argv = calloc(arguments + 1, sizeof *argv);
	if (!argv)
		fail(BERTH_FAILED, "reading the command: no memory", NULL);
	memcpy(argv, all + 1, arguments * sizeof *argv);
	environ = all + 1 + arguments;
	return argv;
}
