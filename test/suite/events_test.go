package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// output is the line of test2json for something that a test printed.
func output(test, text string) string {
	line, err := json.Marshal(event{Action: "output", Test: test, Output: text})
	if err != nil {
		panic(err)
	}
	return string(line) + "\n"
}

func ended(action, test string, elapsed float64) string {
	return fmt.Sprintf(`{"Action":%q,"Test":%q,"Elapsed":%v}`+"\n", action, test, elapsed)
}

func TestFollow(t *testing.T) {
	t.Parallel()
	var long strings.Builder
	for i := range 30 {
		long.WriteString(output("TestLong", fmt.Sprintln("line", i)))
	}
	events := ended("start", "", 0) +
		output("TestGood", "a word\n") + ended("pass", "TestGood", 1.5) +
		output("TestTree/a", "wrong\n") + ended("fail", "TestTree/a", 0.25) + ended("pass", "TestTree/b", 0.5) + ended("fail", "TestTree", 2) +
		long.String() + ended("fail", "TestLong", 0) +
		output("TestUser", "=== RUN TestUser\n") + output("TestUser", "    only root can do this\n") + ended("skip", "TestUser", 0) +
		"not an event\n" + ended("fail", "", 4)
	var log bytes.Buffer
	var told []failure
	r := &result{outcomes: map[string]string{}, skipped: map[string]string{}, tests: map[string]time.Duration{}}
	f := &follower{r, &log, func(f failure) { told = append(told, f) }, map[string][]string{}}
	must(t, f.follow(strings.NewReader(events)))

	want := map[string]string{"TestGood": "pass", "TestTree/a": "fail", "TestTree/b": "pass", "TestTree": "fail", "TestLong": "fail", "TestUser": "skip"}
	if diff := cmp.Diff(want, r.outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if r.tests["TestGood"] != 1500*time.Millisecond || r.tests["TestTree"] != 750*time.Millisecond || len(r.tests) != 4 {
		t.Errorf("times %v: want those of the four top-level tests", r.tests)
	}
	if r.skipped["TestUser"] != "only root can do this" {
		t.Errorf("skipped because of %q", r.skipped["TestUser"])
	}
	if len(told) != 2 || told[0].test != "TestTree/a" || told[1].test != "TestLong" {
		t.Fatalf("told %v: want the subtest and the long one, each once", told)
	}
	if tail := told[1].tail; len(tail) != tailLines || tail[tailLines-1] != "line 29\n" {
		t.Errorf("the long one's tail is %q", tail)
	}
	if !strings.Contains(log.String(), "line 0\n") || !strings.Contains(log.String(), "not an event\n") {
		t.Errorf("the log is not whole:\n%s", &log)
	}
}
