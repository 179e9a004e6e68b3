//go:build ignore

/* The environment out of a file. */
#include "berth-init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads what is in file, a byte more than it says it has at most; ends it with a NUL. */
static char *content(const char *file, size_t *length)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail(BERTH_FAILED, "reading the environment from \"", file, "\": ", strerror(errno), NULL);
	char *text = calloc(1, (size_t)st.st_size + 1);
	if (!text)
		fail(BERTH_FAILED, "reading the environment: no memory", NULL);
	for (*length = 0; n > 0 && *length < (size_t)st.st_size; *length += (size_t)n) {
		n = read(fd, text + *length, (size_t)st.st_size - *length);
		if (n < 0)
			fail(BERTH_FAILED, "reading the environment from \"", file, "\": ", strerror(errno), NULL);
	}
	close(fd);
	return text;
}

void take_environment(const char *file)
{
	size_t length, n = 0;
	char *text = content(file, &length);

	for (size_t i = 0; i < length; i++)
		n += text[i] == '\0';
	char **all = calloc(n + 1, sizeof *all);
	if (!all)
		fail(BERTH_FAILED, "reading the environment: no memory", NULL);
	for (size_t i = 0; i < n; i++) {
		all[i] = text;
		text += strlen(text) + 1;
	}
	environ = all;
}
