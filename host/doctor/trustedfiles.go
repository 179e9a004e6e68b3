package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/berth-hpc/berth/host/trust"
	"github.com/berth-hpc/berth/sdk"
)

// trustedFiles looks at who could change the files that berth believes and executes.
func trustedFiles() check {
	untrusted := fault{
		when: "somebody else than root could change one of them", status: StatusBroken,
		why:  "whoever changes it decides what other users' jobs and Slurm's calls as root execute, so berth refuses it",
		mend: "ls -ld FILE",
	}
	closed := fault{
		when: "ordinary users may not read or execute one of them", status: StatusBroken,
		why:  "berth runs as the job's user and opens it as that user",
		mend: "chmod a+r,a+X FILE",
	}
	return check{
		name: "trusted-files", about: "The configuration, berth itself, berth-init and every driver: with the directories above them they belong to root, and nobody else can write them.",
		faults: []fault{untrusted, closed},
		look: func(e *examination) {
			trusted, good := 0, true
			for _, path := range e.believed() {
				file, err := e.Trust.Open(path)
				switch {
				case errors.Is(err, fs.ErrNotExist):
					continue // another check's finding
				case err != nil:
					e.foundError(untrusted, err, command(sdk.Advice(err)), "FILE", quote(path))
					good = false
					continue
				}
				info, err := file.Stat()
				file.Close()
				if err == nil && !e.Layout.BuildTree && !open(info) {
					e.found(closed, fmt.Sprintf("%s is closed to ordinary users (mode %04o)", path, info.Mode().Perm()), "FILE", quote(path))
					good = false
				}
				trusted++
			}
			if good {
				e.ok("%s and the directories above can be changed by their owner alone", plural(trusted, "file"))
			}
		},
	}
}

// open says whether everybody may read a file and, where anybody may, execute it.
func open(info os.FileInfo) bool {
	need := fs.FileMode(0o004)
	if info.Mode()&0o100 != 0 {
		need = 0o005
	}
	return info.Mode()&need == need
}

// believed lists the files. A configuration that cannot be used is another check's finding.
func (e *examination) believed() []string {
	paths := []string{e.Program, e.Layout.Init}
	if e.Host == nil {
		return paths
	}
	paths = append(paths, e.Layout.Config)
	for _, name := range e.driverNames() {
		path := e.Host.Config.Driver(name).Path
		if path == "" {
			path = filepath.Join(e.Layout.Drivers, trust.DriverPrefix+name)
		}
		paths = append(paths, path)
	}
	return paths
}
