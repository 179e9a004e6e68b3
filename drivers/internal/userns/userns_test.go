package userns

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

func TestUserNamespaceSwitches(t *testing.T) {
	for _, test := range []struct{ key, value, advice string }{
		{"user/max_user_namespaces", "0\n", "sysctl -w user.max_user_namespaces=15000"},
		{"user/max_user_namespaces", "96365\n", ""},
		{"kernel/unprivileged_userns_clone", "0\n", "sysctl -w kernel.unprivileged_userns_clone=1"},
		{"kernel/unprivileged_userns_clone", "1\n", ""},
		{"kernel/other", "0\n", ""},
	} {
		t.Run(test.key+"="+strings.TrimSpace(test.value), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), test.key)
			if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(test.value), 0o600); err != nil {
				t.Fatal(err)
			}
			err := Allowed(filepath.Dir(filepath.Dir(file)))
			if (err != nil) != (test.advice != "") || sdk.Advice(err) != test.advice {
				t.Errorf("got %v, advice %q", err, sdk.Advice(err))
			}
			if err != nil && sdk.Kind(err) != sdk.ErrUnavailable {
				t.Errorf("of kind %v", sdk.Kind(err))
			}
		})
	}
}
