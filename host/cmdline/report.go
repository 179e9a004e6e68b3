package cmdline

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// Report writes err to stderr as one line, and its advice as another, in the name of a program.
func Report(program string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", program, OneLine(err.Error()))
	if advice := sdk.Advice(err); advice != "" {
		fmt.Fprintf(os.Stderr, "%s: hint: %s\n", program, OneLine(advice))
	}
}

// OneLine escapes what would break a line or a terminal.
func OneLine(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString("; ")
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// PrintJSON writes v to stdout, for people to read as well.
func PrintJSON(v any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
