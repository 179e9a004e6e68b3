package ociruntime

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
)

// What the drivers' READMEs promise is proved by the tests that they name, and their table of
// settings is complete.
func TestReadmesAreTrue(t *testing.T) {
	var source bytes.Buffer
	files, _ := filepath.Glob("*_test.go")
	beside, _ := filepath.Glob("../userns/*_test.go")
	for _, file := range append(files, beside...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	for _, r := range []Runtime{Runc(), Crun()} {
		readme, err := os.ReadFile("../../" + r.name + "/README.md")
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`Test[A-Z]\w+`).FindAll(readme, -1)
		if len(names) < 10 {
			t.Errorf("%s: only %d tests are named", r.name, len(names))
		}
		for _, name := range names {
			if !bytes.Contains(source.Bytes(), append(append([]byte("func "), name...), '(')) {
				t.Errorf("%s: there is no %s", r.name, name)
			}
		}
		fields := reflect.TypeFor[Settings]()
		for i := range fields.NumField() {
			key := fields.Field(i).Tag.Get("json")
			others := key == "rootless" && !r.takesRootless || key == "cgroup_manager" && !r.takesCgroupManager
			if key != "" && bytes.Contains(readme, []byte("| `"+key+"` |")) == others {
				t.Errorf("%s: setting %s, of the other runtime: %v", r.name, key, others)
			}
		}
	}
}
