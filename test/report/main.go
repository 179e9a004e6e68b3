// Command report reads what "go test -json" prints, shows packages and failures as they come, and
// keeps the results. With --summary it adds up several runs: a test counts as skipped where it was
// skipped in every run that had it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// event is one line of test2json (go doc cmd/test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// results maps "package test" to pass, fail or skip.
type results map[string]string

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: go test -json … | report FILE; report --summary FILE…")
		os.Exit(2)
	}
	var err error
	good := false
	if os.Args[1] == "--summary" {
		good, err = summarise(os.Args[2:])
	} else {
		good, err = follow(os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
	}
	if err != nil || !good {
		os.Exit(1)
	}
}

// follow shows a run while it goes on and writes its results to file.
func follow(file string) (good bool, err error) {
	found, output, good := results{}, map[string][]string{}, true
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text()) // a build error
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "pass", "fail", "skip":
			good = good && e.Action != "fail"
			show(e, output[key])
			if e.Test != "" {
				found[key] = e.Action
			} else if e.Action == "fail" {
				found[key+"(package)"] = "fail"
			}
			delete(output, key)
		}
	}
	if err := in.Err(); err != nil {
		return false, err
	}
	text, err := json.Marshal(found)
	if err != nil {
		return false, err
	}
	return good, os.WriteFile(file, text, 0o644)
}

func show(e event, output []string) {
	switch {
	case e.Action == "fail":
		fmt.Print(strings.Join(output, ""))
	case e.Test == "" && e.Action == "pass":
		fmt.Printf("ok  \t%s\t%.3fs\n", e.Package, e.Elapsed)
	case e.Action == "skip" && e.Test != "":
		for _, line := range output {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
				fmt.Printf("    skipped here: %s: %s\n", e.Test, line)
			}
		}
	}
}

func summarise(files []string) (good bool, err error) {
	all := results{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return false, err
		}
		var one results
		if err := json.Unmarshal(text, &one); err != nil {
			return false, err
		}
		for test, result := range one {
			if all[test] == "" || result == "fail" || result == "pass" && all[test] == "skip" {
				all[test] = result
			}
		}
	}
	count := map[string]int{}
	var skipped []string
	for test, result := range all {
		count[result]++
		if result == "skip" {
			skipped = append(skipped, test)
		}
	}
	slices.Sort(skipped)
	for _, test := range skipped {
		fmt.Printf("skipped in every run: %s\n", test)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", count["pass"], count["fail"], count["skip"])
	return count["fail"] == 0 && count["skip"] == 0 && count["pass"] > 0, nil
}
