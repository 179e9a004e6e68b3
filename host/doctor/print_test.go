package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sample() []Finding {
	return []Finding{
		{"proc", StatusOK, "/proc shows every process", "", ""},
		{"tmpfiles", StatusWarning, "no file of tmpfiles.d makes /run/berth", "/run is empty after a boot", "echo 'd /run/berth 1777 root root -' > /etc/tmpfiles.d/berth.conf"},
		{"caller", StatusNote, "examined as root", "jobs run as ordinary users", "setpriv --reuid 65534 berth doctor"},
		{"state-directory", StatusBroken, "/run/berth does not exist", "nothing is started", "install -d -m 1777 /run/berth"},
		{"limits", StatusOK, "open files and processes are not limited to a handful", "", ""},
	}
}

func TestPrint(t *testing.T) {
	var out bytes.Buffer
	must(t, Print(&out, sample()))
	const want = `broken   state-directory  /run/berth does not exist
         why:  nothing is started
         mend: install -d -m 1777 /run/berth

warning  tmpfiles         no file of tmpfiles.d makes /run/berth
         why:  /run is empty after a boot
         mend: echo 'd /run/berth 1777 root root -' > /etc/tmpfiles.d/berth.conf

note     caller           examined as root
         why:  jobs run as ordinary users
         mend: setpriv --reuid 65534 berth doctor

ok       proc             /proc shows every process
ok       limits           open files and processes are not limited to a handful

1 broken, 1 warning, 1 note, 2 ok
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if err := Print(full{}, sample()); err == nil {
		t.Error("what could not be written is no error")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestPrintJSON(t *testing.T) {
	var out bytes.Buffer
	must(t, PrintJSON(&out, sample()[:2]))
	const want = `[
  {
    "check": "proc",
    "status": "ok",
    "what": "/proc shows every process",
    "why": "",
    "mend": ""
  },
  {
    "check": "tmpfiles",
    "status": "warning",
    "what": "no file of tmpfiles.d makes /run/berth",
    "why": "/run is empty after a boot",
    "mend": "echo 'd /run/berth 1777 root root -' > /etc/tmpfiles.d/berth.conf"
  }
]
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	var back []Finding
	must(t, json.Unmarshal(out.Bytes(), &back))
	if diff := cmp.Diff(sample()[:2], back); diff != "" {
		t.Error(diff)
	}
}

func TestBroken(t *testing.T) {
	if all := sample(); !Broken(all) || Broken(all[:3]) || Broken(nil) {
		t.Error("only a broken finding is broken")
	}
}

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		" a b ":           "a b",
		"a\nb\x1b[31m\tc": "a?b?[31m?c",
		"\xff/é":          "?/é",
		"a\u202eb":        "a?b",
	} {
		if got := line(text); got != want {
			t.Errorf("line(%q) is %q, want %q", text, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"/run/berth": "/run/berth", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'", "é": "'é'",
	} {
		if got := quote(word); got != want {
			t.Errorf("quote(%q) is %s, want %s", word, got, want)
		}
	}
}

func TestCommand(t *testing.T) {
	tests := []struct{ advice, command, offer string }{
		{`run: chmod go-w "/x"`, `chmod go-w "/x"`, `chmod go-w "/x"`},
		{"run as root: install -d /x", "install -d /x", "install -d /x"},
		{"umount /x, or boot with y", "", "umount /x"},
		{"", "", ""},
	}
	for _, test := range tests {
		if got := command(test.advice); got != test.command {
			t.Errorf("command(%q) is %q", test.advice, got)
		}
		if got := firstOffer(test.advice); got != test.offer {
			t.Errorf("firstOffer(%q) is %q", test.advice, got)
		}
	}
}
