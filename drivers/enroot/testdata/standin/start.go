package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// start becomes the program in namespaces of its own: unshare(1) and this program again lie between.
func start(args []string) error {
	o, rest := options(args, "--rw --root -w -r")
	dir, err := container(rest[0])
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("No such file or directory: %s", dir)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	user, group := fmt.Sprintf("--map-user=%d", os.Geteuid()), fmt.Sprintf("--map-group=%d", os.Getegid())
	if o["--root"] != "" {
		user, group = "--map-user=0", "--map-group=0"
	}
	unshare := []string{"unshare", "--user", user, group, "--keep-caps", "--mount", "--propagation", "slave", "--", self, "entered", dir, o["--rw"]}
	return become("unshare", append(unshare, rest[1:]...), os.Environ())
}

// entered is what goes on in the namespaces.
func entered(args []string) error {
	rootfs, writable, command := args[0], args[1] != "", args[2:]
	runtime.LockOSThread() // the thread that becomes the program
	run := os.Getenv("ENROOT_RUNTIME_PATH")
	if err := unix.Mount("tmpfs", run, "tmpfs", 0, "mode=700"); err != nil {
		return fmt.Errorf("failed to mount: tmpfs at %s: %w", run, err)
	}
	if err := bindMount(rootfs, rootfs, unix.MS_NOSUID|unix.MS_NODEV); err != nil {
		return err
	}
	env, err := configure(rootfs)
	if err != nil {
		return err
	}
	if !writable {
		if err := remount(rootfs, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_RDONLY); err != nil {
			return err
		}
	}
	if err := switchRoot(rootfs); err != nil {
		return fmt.Errorf("failed to switch root: %s: %w", rootfs, err)
	}
	if err := drop(); err != nil {
		return err
	}
	return becomeShell(command, env)
}

// configure makes the mounts and variables of a container and runs hooks, one container of an image at a time.
func configure(rootfs string) ([]string, error) {
	lock, err := os.OpenFile(filepath.Join(rootfs, ".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return nil, err
	}
	config := os.Getenv("ENROOT_CONFIG_PATH")
	env := variables(filepath.Join(rootfs, "etc/environment"))
	files, _ := filepath.Glob(config + "/environ.d/*.env")
	for _, file := range files {
		env = append(env, variables(file)...)
	}
	hooks, _ := filepath.Glob(config + "/hooks.d/*.sh")
	for _, hook := range hooks {
		cmd := exec.Command(hook)
		cmd.Env = append(os.Environ(), "ENROOT_ROOTFS="+rootfs)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s exited with return code: %w: %s", hook, err, out)
		}
	}
	tables, _ := filepath.Glob(config + "/mounts.d/*.fstab")
	for _, table := range append([]string{filepath.Join(rootfs, "etc/fstab")}, tables...) {
		if err := mountTable(rootfs, table); err != nil {
			return nil, err
		}
	}
	return env, nil
}

// variables are the lines of a file that enroot takes for such.
func variables(file string) []string {
	var all []string
	text, _ := os.ReadFile(file)
	for _, line := range strings.Split(string(text), "\n") {
		line = strings.TrimLeft(line, " \t")
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(name, "ENROOT_") && !strings.ContainsAny(name, "#. -") {
			all = append(all, name+"="+strings.Trim(value, `"'`))
		}
	}
	return all
}

func switchRoot(rootfs string) error {
	if err := unix.Chdir(rootfs); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return err
	}
	if err := unix.Mount("", ".", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return unix.Unshare(unix.CLONE_NEWCGROUP)
}

// drop gives up what only the making of the container needed, and every descriptor.
func drop() error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.CloseRange(3, 1<<20, unix.CLOSE_RANGE_CLOEXEC)
}

// becomeShell starts the command by a shell, as enroot does: SHELL, or /bin/sh. It runs the image's entry
// point, /etc/rc, or a file that is no program as a script, or has the shell execute the command.
func becomeShell(command, env []string) error {
	shell := "/bin/sh"
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "SHELL="); ok && unix.Access(value, unix.R_OK|unix.X_OK) == nil {
			shell = value
		}
	}
	argv := []string{filepath.Base(shell)}
	switch {
	case unix.Access("/etc/rc", unix.F_OK) == nil:
		argv = append(argv, "/etc/rc")
	case len(command) > 0 && strings.Contains(command[0], " "):
		argv = append(argv, "-c", command[0], argv[0])
		command = command[1:]
	case len(command) > 0 && (unix.Access(command[0], unix.F_OK) != nil || unix.Access(command[0], unix.R_OK|unix.X_OK) == nil):
		argv = append(argv, "-c", `exec "$@"`, argv[0])
	}
	return become(shell, append(argv, command...), env)
}

// join becomes a further program in the namespaces of a process.
func join(args []string) error {
	_, rest := options(args, "")
	text, err := os.ReadFile("/proc/" + rest[0] + "/environ")
	if err != nil {
		return fmt.Errorf("Process not found: %s", rest[0])
	}
	var env []string
	for _, line := range strings.FieldsFunc(string(text), func(r rune) bool { return r == 0 || r == '\n' }) {
		if strings.Contains(line, "=") {
			env = append(env, line)
		}
	}
	if err := unix.CloseRange(3, 1<<20, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return err
	}
	argv := []string{"nsenter", "--target", rest[0], "--user", "--mount", "--cgroup", "--preserve-credentials", "--"}
	return become("nsenter", append(argv, rest[1:]...), env)
}

func become(program string, argv, env []string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return err
	}
	return fmt.Errorf("failed to execute: %s: %w", path, unix.Exec(path, argv, env))
}
