package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/internal/nearest"
)

// CheckDrivers says which drivers the file names that are neither installed nor have a path in the
// file, as Errors, or returns nil. Parse cannot know: it does not look at the node.
func (c *Config) CheckDrivers(installed []string) error {
	p := problems{source: c.source}
	known := c.known(installed)
	check := func(name string, at *node) {
		if name != Auto && at != nil && !slices.Contains(known, name) {
			p.add(at, "no driver %q is installed%s", name, suggest(name, known))
		}
	}
	check(c.DefaultDriver, c.node("default_driver"))
	for i, rule := range c.Rules {
		check(rule.Driver, c.node("rules").item(i).child("driver"))
	}
	for name := range c.Drivers {
		check(name, c.node("drivers", name))
	}
	return p.err()
}

// known adds to the installed drivers those that the file says the path of.
func (c *Config) known(installed []string) []string {
	known := slices.Clone(installed)
	for name, driver := range c.Drivers {
		if driver.Path != "" {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// suggest is the end of a sentence about an unknown name.
func suggest(name string, known []string) string {
	if near := nearest.To(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(known) == 0 {
		return ""
	}
	return "; there are " + strings.Join(known, ", ")
}
