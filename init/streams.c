//go:build ignore

/*
 * The standard streams, for a runtime that gives a container others than its caller's: outside,
 * --hand-over N puts them on the descriptors from N on, which the runtime passes on as it does any;
 * inside, --take-over N puts them back. With --program, a file comes along on the descriptor after them. What the runtime itself has meanwhile is /dev/null, but for
 * standard error: there it says what is wrong.
 *
 * With --console SOCKET the container's streams are a new terminal, whose master goes to that socket, as
 * a runtime with --console-socket would send it; --terminal makes it the program's controlling one.
 */
#include "berth-init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void null_on(int fd, int flags)
{
	int null = open("/dev/null", flags);

	if (null < 0 || (null != fd && dup2(null, fd) < 0))
		fail(BERTH_FAILED, "opening /dev/null: ", strerror(errno), NULL);
	if (null != fd)
		close(null);
}

/* Sends descriptor fd over the socket at path (unix(7), SCM_RIGHTS). */
static int send_to(const char *path, int fd)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec name = {"/dev/ptmx", 9};
	struct msghdr message = {.msg_iov = &name, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};

	if (strlen(path) >= sizeof to.sun_path)
		return errno = ENAMETOOLONG, -1;
	strcpy(to.sun_path, path);
	memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof to) < 0 || sendmsg(s, &message, MSG_NOSIGNAL) < 0)
		return -1;
	close(s);
	return 0;
}

/* Makes a terminal whose master goes to the socket. Returns its other side, on a descriptor from least on. */
static int new_terminal(const char *socket, int least)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal;

	if (master < 0 || unlockpt(master) < 0 ||
	    (terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
	    (terminal = fcntl(terminal, F_DUPFD_CLOEXEC, least)) < 0 || send_to(socket, master) < 0)
		fail(BERTH_FAILED, "making the container's terminal: ", strerror(errno), NULL);
	close(master);
	return terminal;
}

void hand_over(int first, const char *console, const char *program)
{
	int terminal = console ? new_terminal(console, first + 4) : -1;
	int file = program ? open(program, O_RDONLY | O_CLOEXEC) : -1;

	/* Not on one of those that are made next. */
	if (program && (file < 0 || (file = fcntl(file, F_DUPFD_CLOEXEC, first + 3)) < 0 || dup2(file, first + 3) < 0 || fcntl(first + 3, F_SETFD, 0) < 0))
		fail(BERTH_FAILED, "handing \"", program, "\" over: ", strerror(errno), NULL);

	for (int i = 0; i < 3; i++)
		if (dup2(terminal < 0 ? i : terminal, first + i) < 0)
			null_on(first + i, i ? O_WRONLY : O_RDONLY); /* the caller has closed it */
	null_on(0, O_RDONLY);
	null_on(1, O_WRONLY);
	if (fcntl(2, F_GETFD) < 0)
		null_on(2, O_WRONLY);
}

void take_over(int first)
{
	for (int i = 0; i < 3; i++) {
		if (dup2(first + i, i) < 0)
			fail(BERTH_FAILED, "the runtime has not passed the container's streams on: ", strerror(errno), NULL);
		close(first + i);
	}
}

void control_terminal(void)
{
	if (setsid() < 0 || ioctl(0, TIOCSCTTY, 0) < 0)
		fail(BERTH_FAILED, "controlling the container's terminal: ", strerror(errno), NULL);
}
