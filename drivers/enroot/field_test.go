package main

import (
	"errors"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/fieldtest"
	"github.com/berth-hpc/berth/sdk"
)

func TestEveryFieldIsAppliedOrRefused(t *testing.T) {
	fieldtest.Run(t, 20, nil, func() (*specs.Spec, func() error) {
		l := newLab(t)
		return l.spec, func() error {
			_, err := l.plan(t)
			return err
		}
	})
}

// With isolation shared, only what is about isolation is passed over.
func TestSharingPassesOverIsolationOnly(t *testing.T) {
	for name, change := range map[string]func(l *lab){
		"namespaces": func(l *lab) {
			l.spec.Linux.Namespaces = append(l.spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.PIDNamespace})
		},
		"hostname":     func(l *lab) { l.spec.Hostname = "x" },
		"capabilities": func(l *lab) { l.spec.Process.Capabilities = &specs.LinuxCapabilities{} },
		"masked paths": func(l *lab) { l.spec.Linux.MaskedPaths = []string{"/proc/kcore"} },
		"device rules": func(l *lab) { l.spec.Linux.Resources = &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{}}} },
	} {
		for _, choice := range []string{refuse, share} {
			l := newLab(t)
			l.settings.Isolation = choice
			change(l)
			if _, err := l.plan(t); (err == nil) != (choice == share) {
				t.Errorf("%s, isolation = %q: %v", name, choice, err)
			}
		}
	}
	l := newLab(t)
	l.settings.Isolation = share
	l.spec.Linux.Seccomp = &specs.LinuxSeccomp{}
	if _, err := l.plan(t); !errors.Is(err, sdk.ErrUnsupported) {
		t.Errorf("seccomp: %v", err)
	}
}
