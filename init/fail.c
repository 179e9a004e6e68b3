//go:build ignore

/*
 * What every part of berth-init says and asks about errors.
 */
#include "berth-init.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

void fail(int status, ...)
{
	char line[4096] = "berth-init: ";
	size_t n = strlen(line);
	va_list parts;

	va_start(parts, status);
	for (const char *s; (s = va_arg(parts, const char *));)
		for (; *s && n < sizeof line - 1; s++) /* a name may hold what moves a terminal's cursor */
			line[n++] = (unsigned char)*s < ' ' || *s == 127 ? '?' : *s;
	va_end(parts);
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, n);
	_exit(status);
}

int missing(int err) { return err == ENOENT || err == ENOTDIR; }
