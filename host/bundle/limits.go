package bundle

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// What execve(2) takes, "Limits on size of arguments and environment".
const (
	maxString = 32*4096 - 1 // bytes of one argument or variable, less its NUL
	maxTotal  = 6 << 20     // bytes of all, however large the stack may be
	minTotal  = 32 * 4096   // bytes of all, however small
	perString = 1 + 8       // NUL, and a pointer of 64 bits
)

// checkProcess refuses what execve would refuse in the container, where nobody could say which
// argument or variable is at fault.
func (a *adaptation) checkProcess() error {
	process := a.root.Get("process")
	args := process.Get("args")
	if len(args.Items()) == 0 || args.Items()[0].Text() == "" {
		return sdk.WithAdvice(a.wrong(process, "process.args", "names no command"), "give one after \"--\", or put it into config.json")
	}
	total, largest, name := 0, 0, ""
	for _, list := range [...]string{"args", "env"} {
		for i, v := range process.Get(list).Items() {
			text := v.Text()
			at := fmt.Sprintf("process.%s[%d]", list, i)
			if variable, _, _ := strings.Cut(text, "="); list == "env" {
				at += " (" + variable + ")"
			}
			if len(text) > maxString {
				return a.wrong(v, at, "has %d bytes: the kernel takes at most %d in one argument or variable", len(text), maxString)
			}
			total += len(text) + perString
			if len(text) > largest {
				largest, name = len(text), at
			}
		}
	}
	if limit := a.execLimit(); total > limit {
		return a.wrong(process, "process.args and process.env", "have %d bytes together: the kernel takes at most %d here; the largest is %s with %d", total, limit, name, largest)
	}
	return nil
}

// execLimit returns how many bytes of arguments and variables the container's execve takes: a
// quarter of the stack limit that holds there.
func (a *adaptation) execLimit() int {
	var stack unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_STACK, &stack) != nil {
		return minTotal
	}
	for _, limit := range a.root.Get("process", "rlimits").Items() {
		if limit.Get("type").Text() == "RLIMIT_STACK" {
			if n, ok := limit.Get("soft").Int(); ok {
				stack.Cur = uint64(n)
			}
		}
	}
	return int(max(minTotal, min(stack.Cur/4, maxTotal)))
}

// openFiles names the limit that a runtime in Go raises otherwise.
func (a *adaptation) openFiles() {
	if a.o.OpenFiles == nil {
		return
	}
	own := *a.o.OpenFiles
	list := a.root.Get("process", "rlimits")
	if slices.ContainsFunc(list.Items(), func(l *tree.Value) bool { return l.Get("type").Text() == own.Type }) {
		return
	}
	if list == nil {
		list = tree.NewArray()
		a.root.Get("process").Set("rlimits", list)
	}
	limit := tree.NewObject()
	limit.Set("type", tree.NewString(own.Type))
	limit.Set("soft", tree.NewInt(int64(own.Soft)))
	limit.Set("hard", tree.NewInt(int64(own.Hard)))
	list.Append(limit)
	a.change("process.rlimits["+own.Type+"]", whyOpenFiles)
}

// checkStrings refuses what JSON cannot hold, or C programs would cut: the options' strings and
// the node's paths have not been through the parser.
func (a *adaptation) checkStrings() error { return a.checkString("the document", a.root) }

func (a *adaptation) checkString(at string, v *tree.Value) error {
	if text := v.Text(); !utf8.ValidString(text) {
		return a.wrong(v, at, "is %s, which is not valid UTF-8: config.json cannot hold it", quoted(text))
	} else if strings.IndexByte(text, 0) >= 0 {
		return a.wrong(v, at, "is %s, which has a NUL character in it", quoted(text))
	}
	for i, item := range v.Items() {
		inside := fmt.Sprintf("%s[%d]", at, i)
		if v.Kind() == tree.Object {
			inside = join(strings.TrimPrefix(at, "the document"), v.Names()[i])
		}
		if err := a.checkString(inside, item); err != nil {
			return err
		}
	}
	return nil
}
