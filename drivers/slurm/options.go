package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// How a container asks for options.
const (
	variablePrefix   = "BERTH_SLURM_"
	annotationPrefix = "org.berth.slurm."
)

// optionOf returns the option of that long name, or nil.
func optionOf(name string) *option {
	i := slices.IndexFunc(table[:], func(o option) bool { return o.name == name })
	if i < 0 {
		return nil
	}
	return &table[i]
}

// ofVariable returns the option that a variable stands for, by its name without the prefix, or nil.
func ofVariable(name string) *option {
	if o := optionOf(strings.ToLower(strings.ReplaceAll(name, "_", "-"))); o != nil && o.variable() == variablePrefix+name {
		return o
	}
	i := slices.IndexFunc(table[:], func(o option) bool { return slices.Contains(o.also, name) })
	if i < 0 {
		return nil
	}
	return &table[i]
}

func (o *option) variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// argument is what srun gets for a value: always one argument, which nothing in the value can make
// another option. It is "" where the value says no.
func (o *option) argument(value string) (string, error) {
	if strings.ContainsAny(value, "\n\x00") {
		return "", fmt.Errorf("%q is no value for --%s", value, o.name)
	}
	yes := slices.Contains([]string{"true", "yes", "1"}, strings.ToLower(value))
	no := slices.Contains([]string{"false", "no", "0"}, strings.ToLower(value))
	switch {
	case value == "":
		return "", fmt.Errorf("--%s needs a value", o.name)
	case o.form == withValue:
		return "--" + o.name + "=" + value, nil
	case yes:
		return "--" + o.name, nil
	case no:
		return "", nil
	case o.form == yesNo:
		return "", fmt.Errorf("%q is neither \"true\" nor \"false\"", value)
	}
	return "--" + o.name + "=" + value, nil
}

// wishes are the options of one container, by name.
type wishes map[string]string

// wishesOf collects them: of the site, of the annotations, of the variables, where the later ones count.
// ErrInvalid: there is no such option, or its value makes no sense.
func (d *driver) wishesOf(annotations map[string]string, env []string) (wishes, error) {
	all := wishes(maps.Clone(d.settings.Options))
	if all == nil {
		all = wishes{}
	}
	for _, key := range sorted(annotations) {
		name, ours := strings.CutPrefix(key, annotationPrefix)
		if !ours {
			continue
		}
		if err := all.set("annotation "+key, optionOf(name), name, annotations[key]); err != nil {
			return nil, err
		}
	}
	from := map[string]string{}
	for _, entry := range env {
		variable, value, _ := strings.Cut(entry, "=")
		name, ours := strings.CutPrefix(variable, variablePrefix)
		if !ours {
			continue
		}
		o := ofVariable(name)
		if err := all.set("variable "+variable, o, name, value); err != nil {
			return nil, err
		}
		if other := cmp.Or(from[o.name], variable); other != variable {
			return nil, sdk.Mark(fmt.Errorf("variables %s and %s both say --%s", other, variable, o.name), sdk.ErrInvalid)
		}
		from[o.name] = variable
	}
	return all, nil
}

// set takes one wish, which may be for an option that there is not.
func (w wishes) set(from string, o *option, name, value string) error {
	if o == nil {
		return sdk.Mark(fmt.Errorf("%s: %w", from, unknownOption(name)), sdk.ErrInvalid)
	}
	if _, err := o.argument(value); err != nil {
		return sdk.Mark(fmt.Errorf("%s: %w", from, err), sdk.ErrInvalid)
	}
	w[o.name] = value
	return nil
}

func unknownOption(name string) error {
	return fmt.Errorf("there is no option %q: the driver's README lists those that there are", name)
}

// arguments are the options as salloc and srun get them, in the table's order, but for those of a scope.
func (w wishes) arguments(without ...scope) []string {
	var args []string
	for i := range table {
		value, asked := w[table[i].name]
		if !asked || slices.Contains(without, table[i].scope) {
			continue
		}
		if arg, err := table[i].argument(value); err == nil && arg != "" {
			args = append(args, arg)
		}
	}
	return args
}

// any says whether one of these is asked for.
func (w wishes) any(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return w[name] != "" })
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
