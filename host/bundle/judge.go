package bundle

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/host/cdi"
	"github.com/berth-hpc/berth/sdk"
)

// Judge says whether p allows what the bundle and asked, the mounts the user asked for, want. It
// comes between Load and Adapt. A refusal is an ErrInvalid that names the key; its advice names
// the setting by which an administrator allows it.
func (b *Bundle) Judge(p Policy, asked ...Mount) error {
	for _, rule := range [...]func(Policy) error{
		b.judgeHooks, b.judgeAnnotations, b.judgeNamespaces, b.judgeSeccomp, b.judgeNetDevices, b.judgeDevices,
	} {
		if err := rule(p); err != nil {
			return err
		}
	}
	if p.MountSources == nil {
		return nil
	}
	return b.judgeSources(p.MountSources, asked)
}

// refused is the answer to one value that policy does not allow; setting is what would allow it.
func (b *Bundle) refused(v *tree.Value, path, what, setting string) error {
	err := b.wrong(v, path, "is not allowed: policy of this node refuses %s", what)
	return sdk.WithAdvice(err, "an administrator may allow it in berth.toml: [policy] "+setting)
}

// judgeHooks: hooks run outside of the container, or inside it before its restrictions hold.
func (b *Bundle) judgeHooks(p Policy) error {
	if p.AnyHooks {
		return nil
	}
	for stage, hooks := range members(b.root.Get("hooks")) {
		if hooks.Kind() != tree.Array { // a stage that the specification does not know yet
			return b.refused(hooks, "hooks."+stage, "hooks", "any_hooks = true")
		}
		for i, hook := range hooks.Items() {
			at := fmt.Sprintf("hooks.%s[%d]", stage, i)
			program := hook.Get("path").Text()
			if !slices.Contains(p.Hooks, program) {
				return b.refused(hook, at, fmt.Sprintf("the hook %q", program), fmt.Sprintf("hooks = [%q]", program))
			}
			if p.Trusted == nil {
				return b.wrong(hook, at, "is not allowed: nothing vouches for the program %q", program)
			}
			if err := p.Trusted(program); err != nil {
				return b.wrong(hook, at, "is not allowed: %w", err)
			}
		}
	}
	return nil
}

// judgeAnnotations: runtimes take orders from annotations (run.oci.handler, com.nvidia.…,
// io.katacontainers.…), so only those that describe the image, our own, and those by which CDI asks
// for devices, which JudgeDevices is about, go unasked.
func (b *Bundle) judgeAnnotations(p Policy) error {
	allowed := append([]string{"org.opencontainers.image.", "org.berth.", cdi.AnnotationPrefix}, p.Annotations...)
	for name, v := range members(b.root.Get("annotations")) {
		if !slices.ContainsFunc(allowed, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			return b.refused(v, fmt.Sprintf("annotations[%q]", name), "annotations that may change what a runtime does",
				fmt.Sprintf("annotations = [%q]", name))
		}
	}
	return nil
}

func (b *Bundle) judgeNamespaces(p Policy) error {
	for i, ns := range b.root.Get("linux", "namespaces").Items() {
		if v := ns.Get("path"); v.Text() != "" && !p.NamespacePaths {
			return b.refused(v, fmt.Sprintf("linux.namespaces[%d].path", i), "joining existing namespaces", "namespace_paths = true")
		}
	}
	return nil
}

func (b *Bundle) judgeSeccomp(p Policy) error {
	if v := b.root.Get("linux", "seccomp", "listenerPath"); v.Text() != "" && !p.SeccompListener {
		return b.refused(v, "linux.seccomp.listenerPath", "seccomp listeners", "seccomp_listener = true")
	}
	return nil
}

func (b *Bundle) judgeNetDevices(p Policy) error {
	if v := b.root.Get("linux", "netDevices"); len(v.Names()) > 0 && !p.NetDevices {
		return b.refused(v, "linux.netDevices", "moving network devices into containers", "net_devices = true")
	}
	return nil
}

func (b *Bundle) judgeDevices(p Policy) error {
	for i, device := range b.root.Get("linux", "devices").Items() {
		node := device.Get("path").Text()
		if path.Clean(node) != node || !p.allowsDevice(node) {
			return b.refused(device, fmt.Sprintf("linux.devices[%d]", i), fmt.Sprintf("the device node %q", node), fmt.Sprintf("devices = [%q]", node))
		}
	}
	return nil
}

// judgeSources holds the mounts to the listed directories, by whole path components of what their
// sources are once symbolic links are followed. Adapt mounts exactly these resolved paths.
//
// It guards against mistakes, not against a user who swaps a directory meanwhile: that gains
// nothing but what the user's own rights allow anyway.
func (b *Bundle) judgeSources(allowed []string, asked []Mount) error {
	b.pinned = make(map[string]string)
	roots := []string{b.dir}
	for _, dir := range allowed {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			roots = append(roots, real)
		}
	}
	pin := func(source string) error {
		real, err := filepath.EvalSymlinks(source)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(roots, func(root string) bool { return within(root, real) }) {
			return fmt.Errorf("%q is in no directory of policy.mount_sources", real)
		}
		b.pinned[source] = real
		return nil
	}
	if v := b.root.Get("root", "path"); v != nil {
		if err := pin(b.absolute(v.Text())); err != nil {
			return b.wrong(v, "root.path", "is not allowed: %w", err)
		}
	}
	for i, m := range b.root.Get("mounts").Items() {
		at := fmt.Sprintf("mounts[%d]", i)
		if err := b.judgeMount(m, pin); err != nil {
			return b.wrong(m, at, "is not allowed: %w", err)
		}
	}
	for _, m := range asked {
		if err := pin(m.Source); err != nil {
			return sdk.Mark(fmt.Errorf("mount %q is not allowed: %w", m.Source, err), sdk.ErrInvalid)
		}
	}
	return nil
}

// judgeMount lets file systems of the kernel's own pass. Others than these and binds take node
// paths and devices in their options: an overlay's lowerdir would go around the list.
func (b *Bundle) judgeMount(m *tree.Value, pin func(string) error) error {
	if isBind(m) {
		return pin(b.absolute(m.Get("source").Text()))
	}
	switch kind := m.Get("type").Text(); kind {
	case "proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2":
		return nil
	case "":
		return errors.New("it has no type")
	default:
		return fmt.Errorf("file systems of type %q are refused where policy.mount_sources is set", kind)
	}
}

// within says whether the clean path p is dir or below it.
func within(dir, p string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// absolute returns the path that a bundle's relative path means (config.md: relative to the
// bundle). It is not cleaned: behind a symbolic link ".." means another directory than its text says.
func (b *Bundle) absolute(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return strings.TrimSuffix(b.dir, "/") + "/" + p
}
