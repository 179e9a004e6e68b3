package drivertest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The example driver and the page about it, which promises that its code is the driver's.
const (
	authorPage = "../../docs/driver-author.md"
	repository = "../../"
)

func TestAuthorPageShowsTheExample(t *testing.T) {
	page, err := os.ReadFile(authorPage)
	if err != nil {
		t.Fatal(err)
	}
	included := regexp.MustCompile("(?s)<!-- (examples/[^ ]+) -->\n```go\n(.*?)```\n").FindAllStringSubmatch(string(page), -1)
	if len(included) != 3 {
		t.Errorf("%d files are included instead of 3", len(included))
	}
	for _, m := range included {
		want, err := os.ReadFile(repository + m[1])
		if err != nil {
			t.Fatal(err)
		}
		if m[2] != string(want) {
			t.Errorf("%s is not what the page shows", m[1])
		}
	}
}

func TestExampleIsSmall(t *testing.T) {
	lines := 0
	for _, file := range []string{"main.go", "flags.go"} {
		text, err := os.ReadFile(repository + "examples/driver-bubblewrap/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
				lines++
			}
		}
	}
	if lines >= 100 {
		t.Errorf("the example has %d lines of code; the page promises fewer than 100", lines)
	}
}
