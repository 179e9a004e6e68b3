package ocicli

import (
	_ "embed" // spec.json
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/sdk"
)

// specVersion is the newest version of the OCI runtime specification that berth knows.
var specVersion = specs.Version

// defaultSpec is a config.json that runs a shell, the starting point for one's own.
//
//go:embed spec.json
var defaultSpec []byte

func (c *call) specCommand() *cobra.Command {
	var dir string
	var rootless bool
	cmd := &cobra.Command{
		Use:   "spec",
		Short: "Write a new config.json into the bundle",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := newSpec(rootless)
			if err != nil {
				return err
			}
			return writeNew(filepath.Join(dir, sdk.ConfigFile), text)
		},
	}
	cmd.Flags().StringVarP(&dir, "bundle", "b", ".", "`DIRECTORY` of the bundle")
	cmd.Flags().BoolVar(&rootless, "rootless", false, "for an ordinary user, who is mapped to root")
	return cmd
}

// newSpec is the document that spec writes.
func newSpec(rootless bool) ([]byte, error) {
	if !rootless {
		return defaultSpec, nil
	}
	var s specs.Spec
	if err := json.Unmarshal(defaultSpec, &s); err != nil {
		return nil, fmt.Errorf("reading the default config.json: %w", err)
	}
	s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(ns specs.LinuxNamespace) bool {
		return ns.Type == specs.NetworkNamespace // an ordinary user can set none up
	})
	s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	s.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Geteuid()), Size: 1}}
	s.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}}
	s.Linux.Resources = nil
	for i, m := range s.Mounts {
		s.Mounts[i].Options = slices.DeleteFunc(m.Options, func(o string) bool { return o == "gid=5" })
		if m.Destination == "/sys" { // sysfs needs a network namespace of one's own
			s.Mounts[i] = specs.Mount{Destination: m.Destination, Type: "bind", Source: "/sys", Options: []string{"rbind", "nosuid", "noexec", "nodev", "ro"}}
		}
	}
	return json.MarshalIndent(&s, "", "\t")
}

// writeNew makes a file, and overwrites none.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return sdk.Mark(fmt.Errorf("%s is there already: remove it first", path), sdk.ErrExists)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
