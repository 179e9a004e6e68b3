package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// srun runs this program, too: when it has a step, and at its own end.
const (
	contextVariable = "SLURM_SCRIPT_CONTEXT" // by which srun says which of the two it is
	rootVariable    = "BERTH_DRIVER_SLURM"   // the container's root, from Run through srun's environment
	processVariable = "BERTH_DRIVER_PROCESS" // likewise the file that Exec made
)

// calledBySrun says whether srun is the caller, and not berth, which sets neither variable.
func calledBySrun(env []string) bool {
	has := func(name string) bool {
		return slices.ContainsFunc(env, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
	}
	return has(contextVariable) && (has(rootVariable) || has(processVariable))
}

// hook does what there is to do at a step's start and end, and returns the exit status. srun takes a failure
// of the first for a reason not to start anything, which it is not: the step can be found without.
func hook(context, root, process string) int {
	var err error
	switch {
	case process != "":
		err = removed(process)
	case context == "prolog_srun":
		err = noteStep(root, os.Getenv("SLURM_JOB_ID"), os.Getenv("SLURM_STEP_ID"), os.Getenv("SLURM_NODELIST"))
	case context == "epilog_srun":
		err = ended(root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "berth: driver \"slurm\":", err)
	}
	return 0
}

func noteStep(root, job, number, nodes string) error {
	if !isNumber(job) || !isNumber(number) {
		return nil
	}
	return replaceFile(root, stepFile, []byte(job+" "+number+" "+nodes+"\n"))
}

// removed removes a file, which may have gone with the container.
func removed(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
