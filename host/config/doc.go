// Package config loads, checks and explains the site's configuration, /etc/berth/berth.toml.
//
// Every key of the file is written once, in keys.go: its name, its meaning, what it is stored in
// and what may be written there. Reading the file, naming the nearest key of a misspelt one and
// showing the effective configuration all work from that list, and a test holds docs/config.md to
// it. A driver's own settings are the exception: the driver knows its keys, so they are kept as they
// stand, with their positions, for the driver to judge.
package config
