package cluster

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Find lists the files of the node below a directory, down to a depth. Links are not followed.
func (n *Node) Find(dir string, depth int) []string {
	var found []string
	base := n.Path(dir)
	_ = filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
		below, _ := filepath.Rel(base, path)
		if err != nil || below == "." {
			return nil // what has just gone is not there
		}
		found = append(found, filepath.Join(dir, below))
		if d.IsDir() && strings.Count(below, "/") >= depth-1 {
			return fs.SkipDir
		}
		return nil
	})
	return found
}

// Alive says whether a process of this machine runs: a dead one that its parent has not asked for
// does not.
func Alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	at := strings.LastIndexByte(string(text), ')') // proc_pid_stat(5)
	return err == nil && at >= 0 && len(text) > at+2 && text[at+2] != 'Z' && text[at+2] != 'X'
}

// Has says whether a process of this machine is one of the node's, those in containers excepted.
func (n *Node) Has(pid int) bool {
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	ours, ourErr := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", n.pid))
	return err == nil && ourErr == nil && theirs == ours
}
