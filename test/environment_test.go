package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hostileEnvironment are variables that loaders, shells, language runtimes, container runtimes or
// go-plugin obey: S-20.
var hostileEnvironment = [...]string{
	"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_DEBUG", "LD_BIND_NOW", "LD_PROFILE", "GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH",
	"NLSPATH", "RES_OPTIONS", "HOSTALIASES", "LOCALDOMAIN", "MALLOC_ARENA_MAX", "MALLOC_TRACE", "MALLOC_CHECK_", "TZDIR", "GODEBUG",
	"GOTRACEBACK", "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GOCOVERDIR", "GRPC_GO_LOG_SEVERITY_LEVEL", "GRPC_GO_LOG_VERBOSITY_LEVEL",
	"GRPC_ENFORCE_ALPN_ENABLED", "GRPC_XDS_BOOTSTRAP", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "PLUGIN_MIN_PORT",
	"PLUGIN_MAX_PORT", "PLUGIN_CLIENT_CERT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR", "PLUGIN_UNIX_SOCKET_GROUP",
	"PLUGIN_MULTIPLEX_GRPC", "BERTH_PLUGIN", "_LIBCONTAINER_INITPIPE", "_LIBCONTAINER_LOGPIPE", "_LIBCONTAINER_FIFOFD",
	"_LIBCONTAINER_STATEDIR", "_LIBCONTAINER_CONSOLE", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "BASH_ENV", "ENV",
	"IFS", "CDPATH", "PS4", "SHELLOPTS", "PYTHONPATH", "PYTHONSTARTUP", "PERL5LIB", "PERL5OPT", "TMPDIR", "SINGULARITY_BIND",
	"APPTAINER_BIND", "ENROOT_DATA_PATH", "CH_IMAGE_STORAGE", "XDG_CONFIG_HOME", "XDG_DATA_DIRS", "RUNC_LOG", "CRUN_DEBUG", "EVIL_VARIABLE",
}

// S-20, S-21: neither driver nor runtime nor container gets the caller's variables.
func TestHostileEnvironment(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox")
	s := newSite(t)
	s.misbehaving(t, "dump")
	s.driver = "dump"
	s.configure(t, fmt.Sprintf("[drivers.dump]\ndump = %q\ncommand = [\"/usr/bin/env\"]\n", s.path("dumped")))
	var env []string
	for _, name := range hostileEnvironment {
		value := "evil-" + name
		if name == "GOMEMLIMIT" { // Go's runtime ends the process over a malformed one before main
			value = "987654321"
		}
		env = append(env, name+"="+value)
	}
	r := s.do(t, call{args: []string{"run", s.bundle(t, "")}, env: env})
	if r.status != 0 || r.stderr != "" {
		t.Fatalf("%+v", r)
	}
	for what, text := range map[string]string{"driver": read(s.path("dumped")), "plan": r.stdout} {
		if text == "" || strings.Contains(text, "evil-") || strings.Contains(text, "987654321") {
			t.Errorf("%s:\n%s", what, text)
		}
	}
	for _, driver := range []string{"runc", "crun"} {
		t.Run(driver, func(t *testing.T) {
			need(t, driver)
			r := s.do(t, call{args: []string{"run", "--driver", driver, s.bundle(t, "cat /proc/self/environ")}, env: env})
			if r.status != 0 || strings.Contains(r.stdout, "evil-") {
				t.Errorf("%+v", r)
			}
		})
	}
}

// S-20: a library that the job preloads runs in the job's program at most.
func TestPreloadedLibrary(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		// The loader says of each program that it cannot preload this.
		const missing = "/no/such/evil.so"
		bundle := s.bundle(t, "true", add("LD_PRELOAD="+missing, "process", "env"))
		r := s.do(t, call{args: []string{"run", bundle}, env: []string{"LD_PRELOAD=" + missing, "TMPDIR=/no/such/directory"}})
		if r.status != 0 || r.stdout != "" || r.stderr != "" {
			t.Errorf("%+v", r)
		}
	})
}

// Finding: crun hands the caller's descriptors to the container where LISTEN_FDS is set.
func TestListenFds(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		secret, err := os.Open("/etc/hostname")
		check(t, err)
		defer secret.Close()
		bundle := s.bundle(t, "ls -l /proc/self/fd | grep -c hostname; test -e /proc/self/fd/4; echo $LISTEN_FDS")
		r := s.do(t, call{args: []string{"run", bundle}, files: []*os.File{secret, secret}, env: []string{"LISTEN_FDS=2"}})
		if r.status != 0 || r.stdout != "0\n\n" {
			t.Errorf("%+v", r)
		}
	})
}

// S-22, S-23, S-24, S-25: what a driver is given.
func TestWhatADriverIsGiven(t *testing.T) {
	t.Parallel()
	need(t, "busybox")
	s := newSite(t)
	s.misbehaving(t, "dump")
	s.driver = "dump"
	s.configure(t, fmt.Sprintf("[drivers.dump]\ndump = %q\ncommand = [\"/bin/cat\"]\n", s.path("dumped")))
	var files []*os.File
	for range 60 {
		f, err := os.Open(s.path("berth.toml"))
		check(t, err)
		defer f.Close()
		files = append(files, f)
	}
	r := s.do(t, call{args: []string{"run", "--preserve-fds=1", s.bundle(t, "")}, files: files, stdin: "for the job"})
	if r != (result{stdout: "for the job"}) {
		t.Errorf("%+v", r)
	}
	text := read(s.path("dumped"))
	for _, want := range []string{"fd 0 /dev/null\n", "NoNewPrivs:\t1\n", "Umask:\t0077\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "berth.toml") || strings.Contains(text, filepath.Base(s.dir)+"/berth.toml") {
		t.Errorf("the driver inherited descriptors:\n%s", text)
	}
	for line := range strings.Lines(text) {
		if entry, ok := strings.CutPrefix(line, "env "); ok {
			name, _, _ := strings.Cut(entry, "=")
			switch name {
			case "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TERM", "TZ", "XDG_RUNTIME_DIR", "SLURM_JOB_ID":
			default:
				t.Errorf("the driver has %s", entry)
			}
		}
	}
}

// S-51: nothing secret is in the arguments of a process.
func TestNoSecretsInArguments(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		const secret = "correct-horse-battery-staple"
		id := s.id()
		cmd := s.command(call{args: []string{"run", "--id", id, "--env", "TOKEN2", s.bundle(t, "sleep 100000", add("TOKEN1="+secret, "process", "env"))}, env: []string{"TOKEN2=" + secret}})
		cmd.Stdin = nil
		check(t, cmd.Start())
		defer func() { _ = cmd.Wait() }()
		eventually(t, "the container runs", func() bool { return strings.Contains(s.berth(t, "state", id).stdout, `"running"`) })
		for _, pid := range s.processes() {
			if line := read(fmt.Sprintf("/proc/%d/cmdline", pid)); strings.Contains(line, secret) {
				t.Errorf("process %d: %q", pid, line)
			}
		}
		s.ok(t, "delete", "--force", id)
	})
}
