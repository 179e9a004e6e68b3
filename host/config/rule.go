package config

import (
	"fmt"
	"path"
	"strings"
)

// Rule gives the jobs that match it a driver. The lists hold patterns as path.Match takes them; a
// nil list is no condition.
type Rule struct {
	Partition []string
	Account   []string
	User      []string
	Group     []string
	QOS       []string
	GRES      []string
	Container []string
	Driver    string   // a driver's name or Auto
	Devices   []string // nil: those of the Config
}

// rules is the value of [[rules]].
type rules struct{ to *[]Rule }

func (t rules) decode(d *decoder, name string, v any, at *node) {
	elements, ok := v.([]any)
	if !ok {
		d.add(at, "%s: expected [[rules]], in double brackets, got %s", name, kind(v))
		return
	}
	*t.to = make([]Rule, len(elements))
	for i, element := range elements {
		(*t.to)[i].keys().decode(d, name, element, at.item(i))
		if values, ok := element.(map[string]any); ok && values["driver"] == nil {
			d.add(at.item(i), "%s: a rule needs a driver", name)
		}
	}
}

// match says whether every condition of the rule holds for a request, and by what.
func (rule Rule) match(r Request) (because string, ok bool) {
	var reasons []string
	for _, condition := range []struct {
		what     string
		patterns []string
		values   []string
	}{
		{"partition", rule.Partition, []string{r.Partition}},
		{"account", rule.Account, []string{r.Account}},
		{"user", rule.User, []string{r.User}},
		{"group", rule.Group, r.Groups},
		{"qos", rule.QOS, []string{r.QOS}},
		{"gres", rule.GRES, r.GRES},
		{"container", rule.Container, withParents(r.Container)},
	} {
		if condition.patterns == nil {
			continue
		}
		value, by := firstMatch(condition.patterns, condition.values)
		if by == "" {
			return "", false
		}
		reasons = append(reasons, fmt.Sprintf("%s %q matches %q", condition.what, value, by))
	}
	if reasons == nil {
		return "it has no conditions", true
	}
	return strings.Join(reasons, ", "), true
}

// withParents returns a path and every directory above it, so that a pattern for a directory matches
// what is below it, by whole names only.
func withParents(name string) []string {
	names := []string{name}
	for path.IsAbs(name) && name != "/" {
		name = path.Dir(name)
		names = append(names, name)
	}
	return names
}

// firstMatch returns the first value that a pattern matches, and that pattern.
func firstMatch(patterns, values []string) (value, by string) {
	for _, value := range values {
		if by := matchesAny(patterns, value); by != "" {
			return value, by
		}
	}
	return "", ""
}

// matchesAny returns the first pattern that matches a value, or "". Nothing matches an empty value.
func matchesAny(patterns []string, value string) string {
	for _, pattern := range patterns {
		// An error is impossible: the patterns were checked when the file was read.
		if ok, _ := path.Match(pattern, value); ok && value != "" {
			return pattern
		}
	}
	return ""
}
