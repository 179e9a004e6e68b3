// Package cmdline is what the command lines of the front doors have in common: groups of commands and
// their mistakes, errors as one line, signals by name.
package cmdline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/berth-hpc/berth/internal/nearest"
	"github.com/berth-hpc/berth/sdk"
)

// Group makes a command that only holds others: alone it prints its help, and what it does not
// hold is an error that names the nearest.
func Group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, sub := range cmd.Commands() {
			names = append(names, sub.Name())
		}
		err := sdk.Mark(fmt.Errorf("unknown command %q", cmd.CommandPath()+" "+args[0]), sdk.ErrInvalid)
		if near := nearest.To(args[0], names); near != "" {
			return sdk.WithAdvice(err, fmt.Sprintf("did you mean %q?", cmd.CommandPath()+" "+near))
		}
		return sdk.WithAdvice(err, cmd.CommandPath()+" --help lists the commands")
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.SetFlagErrorFunc(FlagError)
	return cmd
}

// About makes a command ask for the thing that it is about where it is not given, and refuse more than
// most arguments.
func About(thing, how string, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return sdk.Mark(fmt.Errorf("which %s? give %s", thing, how), sdk.ErrInvalid)
		case len(args) > most:
			return sdk.Mark(fmt.Errorf("unexpected argument %q", args[most]), sdk.ErrInvalid)
		}
		return nil
	}
}

// FlagError names the nearest flag for one that does not exist.
func FlagError(cmd *cobra.Command, err error) error {
	wrong, found := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !found {
		text, _, _ := strings.Cut(err.Error(), ": strconv.") // what Go calls the mistake helps nobody
		return sdk.Mark(errors.New(text), sdk.ErrInvalid)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	err = sdk.Mark(err, sdk.ErrInvalid)
	if near := nearest.To(wrong, names); near != "" {
		return sdk.WithAdvice(err, fmt.Sprintf("did you mean --%s?", near))
	}
	return sdk.WithAdvice(err, cmd.CommandPath()+" --help lists the flags")
}
