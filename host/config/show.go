package config

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Show writes the effective configuration as TOML: every key with what it means, its value, and
// where that comes from. What is written can be used as a configuration and means the same.
func (c *Config) Show(w io.Writer) error {
	p := &printer{w: bufio.NewWriter(w), config: c}
	if c.Source == "" {
		p.printf("# There is no configuration file: these are the defaults.\n\n")
	} else {
		p.printf("# The effective configuration: %s and the defaults.\n\n", printable(c.Source))
	}
	p.table("", c.keys(), c.node())
	if p.err != nil {
		return p.err
	}
	return p.w.Flush()
}

type printer struct {
	w      *bufio.Writer
	config *Config
	err    error // from a driver's settings; w keeps its own
}

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(p.w, format, args...) }

// origin says where a value comes from.
func (p *printer) origin(at *node) string {
	if at == nil {
		return "default"
	}
	return printable(p.config.source.position(at).String())
}

func (p *printer) table(name string, keys table, at *node) {
	for _, k := range keys {
		at := at.child(k.name)
		switch v := k.value.(type) {
		case scalar:
			p.scalar(k, v, at)
		case table:
			p.printf("\n# %s\n[%s]\n", k.doc, dotted(name, k.name))
			p.table(dotted(name, k.name), v, at)
		case drivers:
			p.printf("\n# %s\n", k.doc)
			p.drivers(dotted(name, k.name), *v.to, at)
		case rules:
			p.printf("\n# %s\n", k.doc)
			p.rules(dotted(name, k.name), *v.to, at)
		}
	}
}

// scalar writes a key without a value as a comment: TOML has no way to write that.
func (p *printer) scalar(k key, v scalar, at *node) {
	p.printf("# %s\n", k.doc)
	if v.unset() {
		p.printf("# %s is not set\n", k.name)
		return
	}
	p.line(k.name, v.literal(), at)
}

// lines writes the keys that have a value, without what they mean: tables of one kind repeat.
func (p *printer) lines(keys table, at *node) {
	for _, k := range keys {
		if v, ok := k.value.(scalar); ok && !v.unset() {
			p.line(k.name, v.literal(), at.child(k.name))
		}
	}
}

func (p *printer) line(name, literal string, at *node) {
	p.printf("%s = %s # %s\n", name, literal, p.origin(at))
}

func (p *printer) drivers(name string, drivers map[string]Driver, at *node) {
	for _, k := range slices.Sorted(maps.Keys(drivers)) {
		driver, at := drivers[k], at.child(k)
		p.printf("\n[%s.%s] # %s\n", name, k, p.origin(at))
		p.lines(driver.keys(), at)
		p.settings(driver.Settings, at)
	}
}

func (p *printer) settings(data json.RawMessage, at *node) {
	settings := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&settings); err != nil {
		p.err = fmt.Errorf("showing a driver's settings: %w", err)
	}
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		p.line(bare(k), literal(settings[k]), at.child(k))
	}
}

func (p *printer) rules(name string, rules []Rule, at *node) {
	for i := range rules {
		p.printf("\n[[%s]] # %s\n", name, p.origin(at.item(i)))
		p.lines(rules[i].keys(), at.item(i))
	}
}
