package trust

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

func TestDriverNames(t *testing.T) {
	for _, name := range []string{"runc", "x", "0", "my-driver-2", strings.Repeat("a", 32)} {
		if err := ValidateDriverName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "-x", "Runc", "a_b", "a.b", "..", "a/b", "../runc", "a\x00b", "ü", "a b", strings.Repeat("a", 33), strings.Repeat("/", 9999)} {
		_, err := Rules{}.OpenDriver("/usr/libexec/berth/drivers", name)
		if !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%q: %v, want ErrInvalid", name, err)
		} else if len(err.Error()) > 500 {
			t.Errorf("%d bytes of error for a name of %d", len(err.Error()), len(name))
		}
	}
}

func TestDigestIsOfTheDescriptor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	must(t, os.WriteFile(path, []byte("abc"), 0o600))
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	_, err = f.Seek(2, 0)
	must(t, err)
	must(t, os.Rename(path, path+".old"))
	must(t, os.WriteFile(path, []byte("exchanged"), 0o600))
	got, err := Digest(f)
	must(t, err)
	// The example of FIPS 180-2, appendix B.1.
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	if at, err := f.Seek(0, 1); err != nil || at != 2 {
		t.Errorf("offset %d, %v: Digest moved it", at, err)
	}
}
