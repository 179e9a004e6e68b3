// Stub stands in for a runtime that misbehaves in the way that it is called.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case "hang":
		time.Sleep(time.Hour)
	case "late":
		_, _ = os.ReadFile(os.Args[0] + ".gate") // a FIFO that the test opens
		fmt.Println("runc version 9.9.9")
	case "flood":
		line := strings.Repeat("x", 1<<16)
		for range 64 {
			fmt.Println(line)
		}
	case "garbage":
		fmt.Print("\x1b[31mred\x1b[0m {]")
	case "fail":
		fmt.Fprintln(os.Stderr, "\x1b[31mall\tis\x00 lost")
		os.Exit(1)
	case "warn": // warnings beside the answer
		fmt.Fprintln(os.Stderr, `time="now" level=warning msg="unable to get oom kill count"`)
		fmt.Println(`{"ociVersion":"1.0.2","id":"c","pid":0,"status":"stopped","bundle":"/b","owner":""}`)
	case "daemon": // a child that keeps the streams
		child := exec.Command("/proc/self/exe")
		child.Args[0] = "linger"
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			os.Exit(1)
		}
	case "linger":
		time.Sleep(5 * time.Second) // longer than the call that it must not hold up
	case "environ":
		fmt.Fprintln(os.Stderr, strings.Join(os.Environ(), ";"))
		os.Exit(1)
	}
}
