package ocicli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk"
)

// execOptions are the options of exec that say what the program is, besides its command.
type execOptions struct {
	file, user, cgroup   string
	groups, capabilities []string
	ignorePaused         bool
}

func (o *execOptions) add(f *pflag.FlagSet, p *bundle.FurtherProcess) {
	f.StringVarP(&o.file, "process", "p", "", "`FILE` with the OCI process object, in place of a command; - for stdin")
	f.StringVarP(&o.user, "user", "u", "", "`UID[:GID]` in the container")
	f.StringSliceVarP(&o.groups, "additional-gids", "g", nil, "supplementary `GID`s besides the container's own")
	f.StringSliceVarP(&o.capabilities, "cap", "c", nil, "`CAPABILITY` besides the container's own")
	f.StringVar(&p.AppArmor, "apparmor", "", "AppArmor `PROFILE`")
	f.StringVar(&p.Label, "process-label", "", "SELinux `LABEL`")
	f.BoolVar(&p.NoNewPrivs, "no-new-privs", false, "let the program gain no privileges")
	f.StringVar(&o.cgroup, "cgroup", "", "refused: a program runs in its container's own cgroup; `PATH`")
	f.BoolVar(&o.ignorePaused, "ignore-paused", false, "taken and ignored: a program cannot run in a paused container")
}

// complete puts the options into the request.
func (o *execOptions) complete(r *dispatch.ExecRequest) (err error) {
	switch {
	case o.cgroup != "":
		return sdk.Mark(errors.New("--cgroup: a program runs in its container's own cgroup"), sdk.ErrUnsupported)
	case o.file == "" && len(r.Args) == 0:
		return sdk.Mark(errors.New("no command: give one behind the ID, or --process"), sdk.ErrInvalid)
	case o.file != "" && len(r.Args) > 0:
		return sdk.Mark(errors.New("--process names the command already"), sdk.ErrInvalid)
	case o.file != "":
		if r.Process, err = readDocument("the process", o.file); err != nil {
			return err
		}
	}
	r.Capabilities = o.capabilities
	if r.User, err = parseUser(o.user); err != nil {
		return err
	}
	for _, text := range o.groups {
		gid, err := parseID("--additional-gids", text)
		if err != nil {
			return err
		}
		r.Groups = append(r.Groups, gid)
	}
	return nil
}

// maxDocument is the size in bytes beyond which a document on stdin is not read.
const maxDocument = 16 << 20

// readDocument reads a document that an option names, - for stdin.
func readDocument(what, file string) (text []byte, err error) {
	if file == "-" {
		text, err = io.ReadAll(io.LimitReader(os.Stdin, maxDocument))
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, sdk.Mark(fmt.Errorf("reading %s: %w", what, err), sdk.ErrInvalid)
	}
	return text, nil
}

// parseUser reads UID[:GID]; without a group it is 0, as it is for runc.
func parseUser(text string) (*bundle.User, error) {
	if text == "" {
		return nil, nil
	}
	uid, gid, hasGroup := strings.Cut(text, ":")
	var user bundle.User
	var err error
	if user.UID, err = parseID("--user", uid); err == nil && hasGroup {
		user.GID, err = parseID("--user", gid)
	}
	return &user, err
}

func parseID(option, text string) (int, error) {
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, sdk.Mark(fmt.Errorf("%s: %q is no id", option, text), sdk.ErrInvalid)
	}
	return int(id), nil
}
