package drivertest

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Status is how a case ended.
type Status string

// The ways in which a case ends.
const (
	Pass Status = "pass"
	Fail Status = "FAIL"
	Lack Status = "lack" // the driver cannot do it, says so, and that was checked
	Skip Status = "skip" // something is missing on this machine
)

// Result is what became of one case.
type Result struct {
	Case    Case
	Faults  []string // what is wrong
	Lacks   []string // what the driver cannot do and says so
	Notes   []string // what is worth knowing
	Skipped string   // what is missing on this machine for the case to run
	Took    time.Duration
	CPU     time.Duration // processor time of the kit and of those processes of the case that ended in it
}

// Status is the result in one word.
func (r *Result) Status() Status {
	switch {
	case len(r.Faults) > 0:
		return Fail
	case r.Skipped != "":
		return Skip
	case len(r.Lacks) > 0:
		return Lack
	}
	return Pass
}

// Text is what is to be said about the result, a line each; with verbose also what is no fault.
func (r *Result) Text(verbose bool) []string {
	lines := append([]string{}, r.Faults...)
	if r.Skipped != "" {
		lines = append(lines, "skipped: "+r.Skipped)
	}
	for _, lack := range r.Lacks {
		lines = append(lines, "lacks: "+lack)
	}
	if verbose {
		for _, note := range r.Notes {
			lines = append(lines, "note: "+note)
		}
	}
	return lines
}

// Summary counts results.
type Summary struct {
	Passed, Failed, Lacked, Skipped int
	// Undeclared is Isolation or Capabilities where the driver, with its settings, rightly refuses what
	// every bundle asks for and Config.Lacks does not say so; the cases have then asked for less. Refusal
	// is what it says.
	Undeclared Feature
	Refusal    string
}

func (s *Summary) add(r *Result) {
	switch r.Status() {
	case Fail:
		s.Failed++
	case Skip:
		s.Skipped++
	case Lack:
		s.Lacked++
	case Pass:
		s.Passed++
	}
}

// ExitStatus is what a program that ran the kit ends with: 0 where the driver is proved, 1 where
// something failed or nothing ran.
func (s Summary) ExitStatus() int {
	if s.Failed > 0 || s.Passed+s.Lacked == 0 {
		return 1
	}
	return 0
}

// String is the summary as a line, after another one on what is Undeclared.
func (s Summary) String() string {
	less := ""
	if s.Undeclared != "" {
		less = fmt.Sprintf("With these settings the driver isolates less than a bundle asks for, and says so. The cases asked for less, "+
			"as with --lacks '%s=REASON'. It refused: %s\n", s.Undeclared, s.Refusal)
	}
	return less + fmt.Sprintf("%d passed, %d failed, %d lacking, %d skipped", s.Passed, s.Failed, s.Lacked, s.Skipped)
}

// Printer returns a report function that writes results to w for people; with verbose it also
// tells what each case proves and cost, and the notes.
func Printer(w io.Writer, verbose bool) func(Result) {
	return func(r Result) {
		cost := ""
		if verbose {
			cost = fmt.Sprintf(", %.0f ms of processor time", r.CPU.Seconds()*1000)
		}
		fmt.Fprintf(w, "%-4s  %s  (%.2fs%s)\n", r.Status(), r.Case.Name, r.Took.Seconds(), cost)
		if verbose {
			fmt.Fprintf(w, "      %s\n", r.Case.Proves)
		}
		for _, line := range r.Text(verbose) {
			fmt.Fprintf(w, "      %s\n", strings.ReplaceAll(line, "\n", "\n      "))
		}
	}
}
