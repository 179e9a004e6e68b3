package callers

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// node is a node with podman, docker and berth, whose tests run side by side.
type node struct {
	*cluster.Node
	cluster *cluster.Cluster
	mounts  string // before the tests
	shared  string // directory of the machine that all nodes of the cluster have; "" without a Slurm

	mutex   sync.Mutex
	ready   map[string]error // what has been set up, once
	daemons []*daemon
}

var (
	nodes      = map[string]*node{}
	nodesMutex sync.Mutex
)

// shared returns the node of that name, which all tests share.
func shared(t testing.TB, name string, start func(testing.TB) *node) *node {
	t.Helper()
	nodesMutex.Lock()
	defer nodesMutex.Unlock()
	if nodes[name] == nil {
		nodes[name] = start(t)
	}
	return nodes[name]
}

// local is the node for containers that run where they are started: Debian 12's podman and docker.
func local(t testing.TB) *node {
	t.Helper()
	needRoot(t)
	need(t, "podman", "conmon", "/usr/bin/docker", "/usr/sbin/dockerd", "rootlesskit", "crun", "runc", "ch-run")
	return shared(t, "local", func(t testing.TB) *node {
		n := startNode(t, cluster.Options{Root: "/", Bare: true})
		n.install(t, part(t, "podman.md", "On the node"))
		return n
	})
}

// startNode starts a cluster and makes its first node ready for users.
func startNode(t testing.TB, o cluster.Options) *node {
	t.Helper()
	o.Programs = programs(t)
	ctx, cancel := await.Lasting(t)
	defer cancel()
	c, err := cluster.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Node: c.Node(0), cluster: c, shared: o.Shared, ready: map[string]error{}}
	image, err := image()
	check(t, err)
	check(t, n.WriteFile("/srv/alpine.tar", string(image), 0o644))
	check(t, n.WriteFile("/etc/containers/containers.conf.d/node.conf", text("testdata/node.conf"), 0o644))
	check(t, n.WriteFile("/etc/containers/storage.conf", text("testdata/storage.conf"), 0o644))
	// As a login does where systemd runs.
	n.asRoot(t, "install", "-d", "-m", "755", "/run/user")
	n.asRoot(t, "install", "-d", "-m", "700", "-o", cluster.User, "-g", cluster.User, n.runtimeDir())
	n.mounts = n.mountinfo()
	return n
}

// runtimeDir is the ordinary user's XDG_RUNTIME_DIR.
func (n *node) runtimeDir() string { return "/run/user/" + strconv.Itoa(n.cluster.UID()) }

func (n *node) asRoot(t testing.TB, args ...string) string {
	t.Helper()
	ctx, cancel := await.Lasting(t)
	defer cancel()
	out, err := n.Output(ctx, "root", args...)
	check(t, err)
	return out
}

// once does something on the node that several tests need, the first time that one of them does.
func (n *node) once(t testing.TB, what string, do func() error) {
	t.Helper()
	n.mutex.Lock()
	defer n.mutex.Unlock()
	err, done := n.ready[what]
	if !done {
		err = do()
		n.ready[what] = err
	}
	check(t, err)
}

// closeNodes ends the shared nodes.
func closeNodes() error {
	var failed []error
	for name, n := range nodes {
		failed = append(failed, n.close(name))
	}
	return errors.Join(failed...)
}

// close ends a node. What the tests left on it is an error.
func (n *node) close(name string) error {
	var failed []error
	for _, d := range n.daemons {
		failed = append(failed, d.stop())
	}
	n.endPause()
	for _, what := range n.leftAtTheEnd() {
		failed = append(failed, fmt.Errorf("left after all tests on the node %s: %s", name, what))
	}
	return errors.Join(append(failed, n.cluster.Close(), n.removeShared())...)
}

// applets are the programs of the image.
var applets = [...]string{
	"cat", "echo", "env", "false", "grep", "hostname", "id", "kill", "ls", "ps", "pwd", "sh", "sleep", "stty", "test", "touch", "true", "tty", "uname",
	"wc",
}

// image is a root filesystem with busybox as a tar archive, which docker and podman import.
func image() ([]byte, error) {
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(h tar.Header, content []byte) {
		h.Size = int64(len(content))
		err = errors.Join(err, w.WriteHeader(&h))
		_, writeErr := w.Write(content)
		err = errors.Join(err, writeErr)
	}
	for _, dir := range []string{"bin", "dev", "etc", "proc", "run", "sys", "tmp"} {
		add(tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}, nil)
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, busybox)
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, []byte("root:x:0:0:root:/:/bin/sh\n"))
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/group", Mode: 0o644}, []byte("root:x:0:\n"))
	script := []byte("#!/bin/sh\neval 'echo \"$'$1'\"'\n") // busybox has none
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/printenv", Mode: 0o755}, script)
	for _, name := range applets {
		add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox", Mode: 0o777}, nil)
	}
	return b.Bytes(), errors.Join(err, w.Close())
}

// text is a file of this package.
func text(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		panic(err) // it is part of the tree
	}
	return string(content)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
