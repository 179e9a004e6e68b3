package bundle

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// FurtherProcess is what differs between a container's own process and a further one in it.
type FurtherProcess struct {
	Args     []string
	Env      []string // NAME=VALUE, set or replaced one by one
	Workdir  string   // absolute; empty keeps the container's
	Terminal bool

	User         *User    // nil keeps the container's
	Groups       []int    // supplementary groups besides the container's own
	Capabilities []string // besides the container's own, "CAP_KILL"
	NoNewPrivs   bool     // or the container's own
	AppArmor     string   // profile; empty keeps the container's
	Label        string   // of SELinux; likewise
}

// User is who a process is in the container.
type User struct{ UID, GID int }

// Further returns the OCI process object of a further program for a container: the process of its
// effective config.json with what p says. The program is found by berth-init where the container
// has it. All errors are ErrInvalid.
func Further(config []byte, p FurtherProcess) ([]byte, error) {
	root, err := tree.Parse(string(config), limits)
	if err != nil {
		return nil, fmt.Errorf("reading the effective config.json: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	process := root.Get("process")
	if process == nil || len(p.Args) == 0 {
		return nil, sdk.Mark(errors.New("no command to execute"), sdk.ErrInvalid)
	}
	for _, text := range slices.Concat(p.Args, p.Env, []string{p.Workdir}) {
		if !utf8.ValidString(text) {
			return nil, sdk.Mark(fmt.Errorf("%s is not valid UTF-8: a process object cannot hold it", quoted(text)), sdk.ErrInvalid)
		}
		if strings.IndexByte(text, 0) >= 0 {
			return nil, sdk.Mark(fmt.Errorf("%s has a NUL character in it", quoted(text)), sdk.ErrInvalid)
		}
	}
	args := p.Args
	if own := process.Get("args").Texts(); len(own) > 0 && path.Base(own[0]) == initName {
		args = append([]string{own[0], "--"}, args...)
	}
	process.Set("args", tree.NewStrings(args))
	process.Set("terminal", tree.NewBool(p.Terminal))
	if p.Workdir != "" {
		if err := badWorkdir(p.Workdir); err != nil {
			return nil, sdk.Mark(fmt.Errorf("working directory %s %w", quoted(p.Workdir), err), sdk.ErrInvalid)
		}
		process.Set("cwd", tree.NewString(p.Workdir))
	}
	for _, text := range p.Env {
		if strings.IndexByte(text, '=') < 1 {
			return nil, sdk.Mark(fmt.Errorf("environment variable %s is not NAME=VALUE", quoted(text)), sdk.ErrInvalid)
		}
	}
	process.Set("env", tree.NewStrings(lastOf(slices.Concat(process.Get("env").Texts(), p.Env))))
	p.rights(process)
	return process.AppendJSON(nil), nil
}

// rights sets who the process is and what it may.
func (p *FurtherProcess) rights(process *tree.Value) {
	section := func(name string) *tree.Value {
		if process.Get(name) == nil {
			process.Set(name, tree.NewObject())
		}
		return process.Get(name)
	}
	if p.User != nil {
		section("user").Set("uid", tree.NewInt(int64(p.User.UID)))
		section("user").Set("gid", tree.NewInt(int64(p.User.GID)))
	}
	if len(p.Groups) > 0 && section("user").Get("additionalGids") == nil {
		section("user").Set("additionalGids", tree.NewArray())
	}
	for _, gid := range p.Groups {
		section("user").Get("additionalGids").Append(tree.NewInt(int64(gid)))
	}
	for _, set := range [...]string{"bounding", "effective", "permitted"} {
		if len(p.Capabilities) > 0 {
			section("capabilities").Set(set, tree.NewStrings(slices.Concat(section("capabilities").Get(set).Texts(), p.Capabilities)))
		}
	}
	if p.NoNewPrivs {
		process.Set("noNewPrivileges", tree.NewBool(true))
	}
	if p.AppArmor != "" {
		process.Set("apparmorProfile", tree.NewString(p.AppArmor))
	}
	if p.Label != "" {
		process.Set("selinuxLabel", tree.NewString(p.Label))
	}
}
