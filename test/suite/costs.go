package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// costs are what parts cost in S, from which it is estimated how long a run takes. Nothing is judged by them.
type costs map[string]float64

// costsText is the costs.txt of a run: make test leaves one beside its logs.
//
//go:embed costs.txt
var costsText string

// unknownCost is assumed for a part that costs.txt does not name.
const unknownCost = 500

func knownCosts() (costs, error) { return readCosts(costsText) }

// readCosts reads lines of a number, a blank and a part's name.
func readCosts(text string) (costs, error) {
	c := costs{}
	for line := range strings.Lines(text) {
		number, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || name == "" {
			return nil, fmt.Errorf("costs.txt: %q is not a number of S and a part's name", line)
		}
		c[strings.TrimSpace(name)] = n
	}
	return c, nil
}

func (c costs) of(name string) float64 {
	if n, ok := c[name]; ok {
		return n
	}
	return unknownCost
}

// sum adds up what the parts cost.
func (c costs) sum(names []string) (s float64) {
	for _, name := range names {
		s += c.of(name)
	}
	return s
}

func (c costs) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(out, "%.0f %s\n", c[name], name)
	}
	return out.Flush()
}
