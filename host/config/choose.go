package config

import (
	"fmt"
	"slices"

	"github.com/berth-hpc/berth/host/trust"
	"github.com/berth-hpc/berth/sdk"
)

// Request is what the choice of a driver depends on. What is empty is unknown or does not apply,
// and no rule about it matches: outside a job a rule for partitions is without effect.
type Request struct {
	Partition string
	Account   string
	User      string   // name
	Groups    []string // names of all the user's groups
	QOS       string
	GRES      []string // as the job asked for them, one element each: "gpu:a100:2"
	Container string   // absolute path of the bundle or image

	Wish     string   // the driver that the job asks for; empty: none
	WishFrom string   // where it asks: "--driver", "BERTH_DRIVER"
	Known    []string // names of the installed drivers; nil: unknown, then any name may be one
}

// Choice is the driver of one container, and the reason to tell a person who wonders.
type Choice struct {
	Driver  string   // a name or Auto
	Because string   // a clause: "rule 2 (/etc/berth/berth.toml:14:3): partition \"gpu-a\" matches \"gpu*\""
	Devices []string // that the site gives the container
}

// Choose finds the driver for a request: the default, or that of the first rule that matches, or
// the one that the job wishes where the policy lets it. What the job would get anyway it may
// always ask for. A wish that cannot be granted is an sdk.ErrInvalid; no other driver takes its place.
func (c *Config) Choose(r Request) (Choice, error) {
	site := c.site(r)
	if r.Wish == "" || r.Wish == site.Driver {
		return site, nil
	}
	if err := c.grant(r); err != nil {
		return Choice{}, sdk.WithAdvice(sdk.Mark(err, sdk.ErrInvalid),
			fmt.Sprintf("leave it out to get the site's choice, driver %q", site.Driver))
	}
	return Choice{Driver: r.Wish, Because: "asked for by " + r.WishFrom, Devices: site.Devices}, nil
}

// site is the choice without the job's wish.
func (c *Config) site(r Request) Choice {
	for i, rule := range c.Rules {
		if because, ok := rule.match(r); ok {
			devices := rule.Devices
			if devices == nil {
				devices = c.Devices
			}
			return Choice{rule.Driver, fmt.Sprintf("rule %d (%s): %s", i+1, c.where(c.node("rules").item(i)), because), devices}
		}
	}
	return Choice{c.DefaultDriver, fmt.Sprintf("default_driver (%s)", c.where(c.node("default_driver"))), c.Devices}
}

// grant says why a job may not have the driver it wishes, or returns nil.
func (c *Config) grant(r Request) error {
	if err := trust.ValidateDriverName(r.Wish); err != nil {
		return fmt.Errorf("%s: %w", r.WishFrom, err)
	}
	known := c.known(r.Known)
	if r.Known != nil && r.Wish != Auto && !slices.Contains(known, r.Wish) {
		return fmt.Errorf("%s: no driver %q is installed%s", r.WishFrom, r.Wish, suggest(r.Wish, known))
	}
	allowed := c.Policy.UserDrivers
	if matchesAny(allowed, r.Wish) != "" {
		return nil
	}
	setting := fmt.Sprintf("[policy] user_drivers, %s", c.where(c.node("policy", "user_drivers")))
	if len(allowed) == 0 {
		return fmt.Errorf("%s: jobs may not choose their driver here (%s)", r.WishFrom, setting)
	}
	return fmt.Errorf("%s: jobs may not ask for driver %q, only for %s (%s)", r.WishFrom, r.Wish, either(allowed), setting)
}

// where is a position for the middle of a sentence.
func (c *Config) where(at *node) string {
	if at == nil {
		return "the default"
	}
	return c.source.position(at).String()
}
