package doctor

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Print writes findings for people: the worst first, at most three lines each, and a sum at the end.
func Print(w io.Writer, findings []Finding) error {
	sorted := slices.Clone(findings)
	slices.SortStableFunc(sorted, func(a, b Finding) int {
		return cmp.Compare(b.Status.rank(), a.Status.rank())
	})
	width := 0
	for _, f := range sorted {
		width = max(width, len(f.Check))
	}
	out := bufio.NewWriter(w)
	for i, f := range sorted {
		if i > 0 && (f.Status != sorted[i-1].Status) {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%-8s %-*s  %s\n", f.Status, width, f.Check, f.What)
		if f.Status != StatusOK {
			fmt.Fprintf(out, "%8s why:  %s\n%8s mend: %s\n", "", f.Why, "", f.Mend)
		}
	}
	fmt.Fprintf(out, "\n%s\n", summary(findings))
	return out.Flush()
}

// PrintJSON writes findings for programs: an array, in the order of the checks.
func PrintJSON(w io.Writer, findings []Finding) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false) // commands have ">" in them
	out.SetIndent("", "  ")
	return out.Encode(findings)
}

// rank orders the statuses, the worst highest.
func (s Status) rank() int {
	return slices.Index([]Status{StatusOK, StatusNote, StatusWarning, StatusBroken}, s)
}

func summary(findings []Finding) string {
	count := map[Status]int{}
	for _, f := range findings {
		count[f.Status]++
	}
	return fmt.Sprintf("%d broken, %s, %s, %d ok", count[StatusBroken],
		plural(count[StatusWarning], "warning"), plural(count[StatusNote], "note"), count[StatusOK])
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
