// Command probe is what the containers of the differential suite run: it prints, as JSON with one
// fact a line, what a process can see of how it was started.
//
//	probe facts [ARG…]   prints the facts
//	probe hook FILE      is a hook: appends to FILE how it was called, and its standard input
//	probe exit N         ends with status N
//	probe monitor CMD…   runs a command as an engine's monitor does: waits for what it leaves, too
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: probe facts|hook FILE|exit N|monitor CMD…")
		os.Exit(2)
	}
	var err error
	switch os.Args[1] {
	case "facts":
		err = print(os.Stdout, facts())
	case "hook":
		err = hook(os.Args[2])
	case "exit":
		var status int
		if status, err = strconv.Atoi(os.Args[2]); err == nil {
			os.Exit(status)
		}
	case "monitor":
		err = monitor(os.Args[2:])
	default:
		err = fmt.Errorf("no such command: %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func print(to io.Writer, facts any) error {
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	return out.Encode(facts)
}

// hook notes arguments, environment, place and the state document of a call: config.md of the
// runtime specification, "POSIX-platform Hooks".
func hook(file string) error {
	state, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var document map[string]any
	if err := json.Unmarshal(state, &document); err != nil {
		return fmt.Errorf("the state on standard input: %w", err)
	}
	cwd, _ := os.Getwd()
	log, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer log.Close()
	return print(log, map[string]any{
		"argv": os.Args, "env": os.Environ(), "cwd": cwd, "state": document, "namespaces": namespaces(), "ids": ids(),
	})
}
