// Package byname is what the drivers of shifter and sarus share: programs that belong to root and run
// images by the names that a site's registry gives them, not bundles.
package byname

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Annotation names the image.
const Annotation = "org.berth.image"

// Runtime is what the two differ in, as far as bundles go.
type Runtime struct {
	Name  string // of the driver and its program
	Path  string
	Share bool // pass over requests for more isolation than the runtime gives
}

// Container is what a bundle comes to.
type Container struct {
	Image string
	Args  []string
	Cwd   string
	Env   []string
	Binds []Bind
}

// Bind is a bind mount.
type Bind struct {
	Source, Target string
	ReadOnly       bool
}

// Read takes from a bundle what the runtime can do, and refuses the rest by the name of its field.
func (r *Runtime) Read(c *sdk.Container) (*Container, error) {
	if err := r.Usable(); err != nil {
		return nil, err
	}
	if c.IO != (sdk.IO{}) {
		return nil, sdk.Mark(fmt.Errorf("%s runs in the foreground, on the streams of its caller", r.Name), sdk.ErrUnsupported)
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, err
	}
	image, err := r.image(spec, c)
	if err != nil {
		return nil, err
	}
	if err := r.answer(r.requests(spec, c)); err != nil {
		return nil, err
	}
	found := &Container{Image: image, Cwd: spec.Process.Cwd, Env: spec.Process.Env}
	if found.Args, err = r.args(spec.Process.Args); err != nil {
		return nil, err
	}
	for n, m := range spec.Mounts {
		if err := r.mount(found, m); err != nil {
			return nil, fmt.Errorf("mounts[%d].%w", n, err)
		}
	}
	return found, nil
}

// Usable says whether the program is there and may do what it needs root's rights for.
func (r *Runtime) Usable() error {
	file, err := exec.LookPath(r.Path)
	if err != nil {
		return sdk.WithAdvice(
			fmt.Errorf("runtime not usable on this node: %w", sdk.Mark(err, sdk.ErrUnavailable)),
			fmt.Sprintf("install %s, or name it as runtime in [drivers.%s] of berth.toml", r.Name, r.Name))
	}
	var st unix.Stat_t
	if err := unix.Stat(file, &st); err != nil {
		return fmt.Errorf("looking at %s: %w", r.Name, sdk.Mark(err, sdk.ErrUnavailable))
	}
	if os.Geteuid() != 0 && (st.Uid != 0 || st.Mode&unix.S_ISUID == 0) {
		return sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("%s is not root's with the set-user-ID bit, and can mount nothing for ordinary users", file), sdk.ErrUnavailable),
			fmt.Sprintf("chown root %s && chmod u+s %s", file, file))
	}
	return nil
}

// image is the name of the annotation; beside it root.path can name nothing.
func (r *Runtime) image(spec *specs.Spec, c *sdk.Container) (string, error) {
	name, named := c.Annotations[Annotation]
	entries, err := os.ReadDir(spec.Root.Path)
	switch {
	case !named:
		return "", sdk.WithAdvice(
			r.unsupported("root.path", "%s runs images by their names, no directories and no files", r.Name),
			fmt.Sprintf("name the image in the annotation %s and an empty directory as root.path, or choose another driver", Annotation))
	case err != nil || len(entries) > 0:
		return "", sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("annotation %s names the image %q, and root.path another one", Annotation, name), sdk.ErrInvalid),
			"let root.path name an empty directory")
	case name == "" || strings.HasPrefix(name, "-") || strings.ContainsAny(name, " \t\n"):
		return "", sdk.Mark(fmt.Errorf("annotation %s: %q is no name of an image", Annotation, name), sdk.ErrInvalid)
	}
	return name, nil
}

// args takes berth-init off, for which these runtimes have no place: they find the command themselves.
func (r *Runtime) args(args []string) ([]string, error) {
	if len(args) == 0 {
		return nil, sdk.Mark(errors.New("process.args: there is no command"), sdk.ErrInvalid)
	}
	if path.Base(args[0]) != ".berth-init" {
		return args, nil
	}
	end := slices.Index(args, "--")
	if end < 0 || end+1 == len(args) || slices.Contains(args[:end], "--init") {
		return nil, r.unsupported("process.args", "berth-init has no place in a container of %s, and cannot be its process 1", r.Name)
	}
	return args[end+1:], nil
}

func (r *Runtime) mount(found *Container, m specs.Mount) error {
	target := path.Clean(m.Destination)
	bind := m.Type == "bind" || slices.Contains(m.Options, "bind") || slices.Contains(m.Options, "rbind")
	switch {
	case strings.HasPrefix(path.Base(target), ".berth-"):
		return nil // of berth-init, which is taken off
	case len(m.UIDMappings)+len(m.GIDMappings) > 0:
		return r.unsupported("uidMappings", "%s cannot map the owners of what it mounts", r.Name)
	case !path.IsAbs(target) || target == "/":
		return r.unsupported("destination", "%s does not mount at %q", r.Name, m.Destination)
	case bind && m.Source == target && own(target):
		return nil // it gives every container the node's
	case !bind && own(target):
		return r.answer([]request{{field: "type", answer: fmt.Sprintf("%s mounts no %s of the container's own at %s", r.Name, m.Type, target), asked: true, isolation: true}})
	case !bind:
		return r.unsupported("type", "%s mounts no %s at %s", r.Name, m.Type, target)
	case strings.ContainsAny(m.Source+target, ":;,=\\\"' \t\n"):
		return r.unsupported("source", "%s cannot be told of the path %q or %q", r.Name, m.Source, target)
	}
	one := Bind{Source: m.Source, Target: target}
	harmless := []string{"bind", "rbind", "rw", "suid", "dev", "exec", "nosuid", "private", "rprivate", "slave", "rslave", "relatime"}
	for _, option := range m.Options {
		switch {
		case option == "ro":
			one.ReadOnly = true
		case !slices.Contains(harmless, option):
			return r.unsupported("options", "%s does not mount with %q", r.Name, option)
		}
	}
	if _, err := os.Stat(m.Source); err != nil {
		return fmt.Errorf("source: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	found.Binds = append(found.Binds, one)
	return nil
}

// own says whether the runtime itself mounts something at a place or below it.
func own(target string) bool {
	return slices.Contains([]string{"dev", "proc", "sys", "tmp"}, strings.SplitN(target, "/", 3)[1])
}

// unsupported is the error about a field of config.json that the runtime cannot honour.
func (r *Runtime) unsupported(field, format string, args ...any) error {
	return sdk.Mark(fmt.Errorf("%s: %w", field, fmt.Errorf(format, args...)), sdk.ErrUnsupported)
}
