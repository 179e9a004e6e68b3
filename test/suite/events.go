package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// event is one line of test2json: go doc cmd/test2json.
type event struct {
	Action, Test, Output string
	Elapsed              float64 // seconds
}

// failure is a test, or with test "" a whole part, that failed, and the end of what it said.
type failure struct {
	test string
	tail []string
}

// tailLines is how much of a failure is shown. The rest is in the part's log.
const tailLines = 20

// follower turns what a part prints into its result, while it is printed.
type follower struct {
	*result
	log    io.Writer
	failed func(failure)
	said   map[string][]string // by each test that has not ended, and by the part itself as ""
}

// follow reads the events of a test program until its end. A line that is no event is the part's own.
func (f *follower) follow(events io.Reader) error {
	for in := bufio.NewReader(events); ; {
		line, err := in.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				e = event{Action: "output", Output: line}
			}
			f.take(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading what it prints: %w", err)
		}
	}
}

func (f *follower) take(e event) {
	switch e.Action {
	case "output":
		fmt.Fprint(f.log, e.Output)
		keep := append(f.said[e.Test], e.Output)
		f.said[e.Test] = keep[max(0, len(keep)-tailLines):]
	case "pass", "fail", "skip":
		if e.Test == "" {
			return // what makes a program fail is a failed test, or else its status tells
		}
		if e.Action == "fail" && !f.anyBelow(e.Test, "fail") { // else its subtests have been told
			f.failed(failure{e.Test, f.said[e.Test]})
		}
		if e.Action == "skip" {
			f.skipped[e.Test] = reason(f.said[e.Test])
		}
		if !f.anyBelow(e.Test, "") { // else its time is that of its subtests, or it does not count those that ran at once
			top, _, _ := strings.Cut(e.Test, "/")
			f.tests[top] += time.Duration(e.Elapsed * float64(time.Second))
		}
		f.outcomes[e.Test] = e.Action
		delete(f.said, e.Test)
	}
}

// anyBelow says whether a subtest had this outcome, or any for "".
func (f *follower) anyBelow(test, want string) bool {
	for name, outcome := range f.outcomes {
		if (outcome == want || want == "") && strings.HasPrefix(name, test+"/") {
			return true
		}
	}
	return false
}

// reason is what a test that skips itself says: the line that is not the testing package's own.
func reason(said []string) string {
	for _, line := range said {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			return line
		}
	}
	return ""
}
