// Command standin keeps enroot's command line for the tests, where there is no enroot: import, create,
// start, exec, list, remove and version, with the statuses, files and variables of enroot 4.1.2. It makes real
// namespaces, by unshare(1) and nsenter(1). It is not enroot: its registry is the directory "registry" beside
// it, with an image NAME.sqsh for each docker://NAME, and it knows only what the driver uses.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("no command"))
	}
	commands := map[string]func([]string) error{
		"version": version, "import": imports, "create": create, "start": start, "entered": entered,
		"exec": join, "list": list, "remove": remove,
	}
	run, known := commands[os.Args[1]]
	if !known {
		fail(fmt.Errorf("unknown command %q", os.Args[1]))
	}
	for _, name := range []string{"CACHE", "DATA", "RUNTIME"} {
		if err := os.MkdirAll(os.Getenv("ENROOT_"+name+"_PATH"), 0o700); err != nil {
			fail(err)
		}
	}
	if err := run(os.Args[2:]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "[ERROR]", err)
	os.Exit(1)
}

func version([]string) error {
	fmt.Println("4.1.2")
	return nil
}

// options takes the options off args: those of flags stand alone, all others have a value.
func options(args []string, flags string) (found map[string]string, rest []string) {
	found = map[string]string{}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "--" {
		if strings.Contains(flags, args[0]) {
			found[args[0]], args = "y", args[1:]
			continue
		}
		found[args[0]], args = args[1], args[2:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	return found, args
}

// registry is where images are imported from, and where it is noted what was done, for tests to count.
func registry() string {
	self, err := os.Executable()
	if err != nil {
		fail(err)
	}
	return filepath.Join(filepath.Dir(self), "registry")
}

func note(file, line string) error {
	notes, err := os.OpenFile(filepath.Join(registry(), file), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer notes.Close()
	_, err = fmt.Fprintln(notes, line)
	return err
}

func imports(args []string) error {
	o, rest := options(args, "")
	name, ok := strings.CutPrefix(rest[0], "docker://")
	if !ok {
		return fmt.Errorf("Invalid argument: %s", rest[0])
	}
	if err := note("imports", name); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "[INFO] Fetching image manifest")
	if fifo, err := os.Open(filepath.Join(registry(), "hang")); err == nil {
		_, _ = fifo.Read(make([]byte, 1)) // until somebody has written
	}
	text, err := os.ReadFile(filepath.Join(registry(), name+".sqsh"))
	if err != nil {
		return fmt.Errorf("URL https://registry/%s returned error code: 404 Not Found", name)
	}
	return os.WriteFile(o["-o"], text, 0o600)
}

func container(name string) (string, error) {
	if name == "" || strings.Contains(name, "/") {
		return "", fmt.Errorf("Invalid argument: %s", name)
	}
	return filepath.Join(os.Getenv("ENROOT_DATA_PATH"), name), nil
}

func create(args []string) error {
	o, rest := options(args, "-f")
	dir, err := container(o["-n"])
	if err != nil {
		return err
	}
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("File already exists: %s", dir)
	}
	if exec.Command("unsquashfs", "-s", rest[0]).Run() != nil {
		return fmt.Errorf("Invalid image format: %s", rest[0])
	}
	if err := note("creates", rest[0]); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "[INFO] Extracting squashfs filesystem...")
	out, err := exec.Command("unsquashfs", "-no-progress", "-user-xattrs", "-d", dir, rest[0]).CombinedOutput()
	if err != nil {
		return fmt.Errorf("unsquashfs: %w: %s", err, out)
	}
	return nil
}

func list([]string) error {
	entries, err := os.ReadDir(os.Getenv("ENROOT_DATA_PATH"))
	for _, e := range entries {
		fmt.Println(e.Name())
	}
	return err
}

func remove(args []string) error {
	o, rest := options(args, "-f")
	dir, err := container(rest[0])
	if err != nil {
		return err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return fmt.Errorf("No such file or directory: %s", rest[0])
	}
	if o["-f"] == "" {
		return errors.New("not confirmed")
	}
	_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, _ error) error {
		if e.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
