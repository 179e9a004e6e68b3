package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// firstCarried is the first of the descriptors on which the job's streams, and after them the program, come
// into a container: above the job's others, and those that programs on the way open for themselves.
func firstCarried(c *sdk.Container) int { return max(32, 3+c.Files) }

// carried is how many they are.
const carried = 4

// berthInit returns the path of berth-init outside of the container, where it is in it.
func berthInit(spec *specs.Spec) (string, error) {
	args := spec.Process.Args
	at := slices.IndexFunc(spec.Mounts, func(m specs.Mount) bool {
		return len(args) > 0 && m.Destination == args[0] && isBind(m)
	})
	if at >= 0 && slices.Contains(args, "--") {
		return spec.Mounts[at].Source, nil
	}
	return "", sdk.WithAdvice(
		unsupported("process.args", "the runtime keeps the job's streams from the program, which only berth-init can undo, and it has no place in this container"),
		"give the container a tmpfs on /dev in config.json")
}

// carry has berth-init take over the streams in the container: the runtime gives it pipes of its
// monitor, which reads the job's stdin itself and may lose the end of either, but it passes other
// descriptors on. The terminal is berth-init's, too, and so is the umask: the runtime leaves 0.
//
// So do the program's arguments and its environment come, in a file. The first stage of the runtime's starter hands
// the numbers of its pipes to the next by a config.json of its own, and lets Go's collector close them meanwhile (os.Pipe in
// internal/pkg/runtime/engine/oci/prepare_linux.go). Where a long config.json sets the collector off, the next stage closes
// descriptors of others by those numbers, and crashes: "runtime: epollwait on fd 6 failed with 9".
func (ch changes) carry(p *specs.Process, c *sdk.Container) error {
	if p.Terminal && c.IO.ConsoleSocket == "" {
		return unsupported("process.terminal", "there is no socket that would take the terminal")
	}
	umask := c.Umask
	if p.User.Umask != nil {
		umask = int(*p.User.Umask)
	}
	args := []string{p.Args[0], "--take-over", fmt.Sprint(firstCarried(c)), "--program"}
	if p.Terminal {
		args = append(args, "--terminal")
	}
	args = append(args, "--umask", fmt.Sprintf("%04o", umask))
	args = append(args, p.Args[1:slices.Index(p.Args, "--")]...)
	ch["process"] = map[string]any{"args": args, "env": []string{}, "terminal": false}
	if p.Capabilities == nil { // as the other runtimes do it; this one would leave root all
		ch["process"]["capabilities"] = specs.LinuxCapabilities{}
	}
	return nil
}

// program is what berth-init takes for the command and its environment (init/berth-init.h).
func program(p *specs.Process) ([]byte, error) {
	args := p.Args[slices.Index(p.Args, "--")+1:]
	text := fmt.Appendf(nil, "%d\x00", len(args))
	for _, word := range slices.Concat(args, p.Env) {
		if strings.Contains(word, "\x00") { // there it would be two
			return nil, sdk.Mark(fmt.Errorf("process: a NUL byte in %.100q", word), sdk.ErrInvalid)
		}
		text = append(append(text, word...), 0)
	}
	return text, nil
}

// programFile is where the driver puts it.
func programFile(c *sdk.Container) string { return filepath.Join(ownBundle(c), "program") }

// maxConfig is how long a config.json, in bytes, the runtime gets. At 195 KiB, whether of 1 500 mounts or of one long text,
// Apptainer 1.5.3 closed no pipe in its first stage, seen by strace(1); at 325 KiB it did each time.
const maxConfig = 192 << 10

// ownBundle is the bundle that the runtime is given, a directory in the container's own.
func ownBundle(c *sdk.Container) string { return filepath.Join(c.Bundle, "oci") }

// write writes config.json for the runtime, changed, with all else as it is, and the program beside it.
func (ch changes) write(c *sdk.Container, p *specs.Process) error {
	text, err := os.ReadFile(filepath.Join(c.Bundle, sdk.ConfigFile))
	if err != nil {
		return fmt.Errorf("reading config.json: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	if text, err = ch.apply(text); err != nil {
		return fmt.Errorf("changing config.json: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	if len(text) > maxConfig {
		return unsupported("config.json", "it has %d KiB without the program's arguments and environment, and above %d KiB the runtime crashes now and then", len(text)>>10, maxConfig>>10)
	}
	words, err := program(p)
	if err != nil {
		return err
	}
	dir := ownBundle(c)
	if err = os.Mkdir(dir, 0o700); err == nil || errors.Is(err, fs.ErrExist) {
		err = os.WriteFile(filepath.Join(dir, sdk.ConfigFile), text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(programFile(c), words, 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing the runtime's bundle: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}

func (ch changes) apply(text []byte) ([]byte, error) {
	var config map[string]json.RawMessage
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, err
	}
	for name, values := range ch {
		var object map[string]json.RawMessage
		err := json.Unmarshal(config[name], &object)
		for key, value := range values {
			if value == nil {
				delete(object, key)
			} else if err == nil {
				object[key], err = json.Marshal(value)
			}
		}
		if err == nil {
			config[name], err = json.Marshal(object)
		}
		if err != nil {
			return nil, err
		}
	}
	return json.Marshal(config)
}
