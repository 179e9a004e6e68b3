package config

import (
	"encoding/json"

	"github.com/berth-hpc/berth/host/trust"
)

// Driver is what the file says about one driver.
type Driver struct {
	Path     string          // absolute; empty: looked up by name in berth's driver directory
	SHA256   string          // of the driver's file, 64 hexadecimal digits in lower case; empty: not pinned
	Settings json.RawMessage // the rest of the table as a JSON object; never empty
}

// Sudo is the one setting of a driver's own that the host looks at too: the program by which the driver's
// runtime becomes root for ordinary users, empty for none. What such a driver starts may gain privileges.
func (d Driver) Sudo() string {
	var own struct {
		Sudo string `json:"sudo"`
	}
	if err := json.Unmarshal(d.Settings, &own); err != nil {
		return "" // of another type: the driver refuses it, or means something else by it
	}
	return own.Sudo
}

// Driver returns what the file says about a driver: no path, no checksum and no settings for one
// that it does not mention.
func (c *Config) Driver(name string) Driver {
	if driver, ok := c.Drivers[name]; ok {
		return driver
	}
	return Driver{Settings: json.RawMessage("{}")}
}

// drivers is the value of [drivers]: a table for each name.
type drivers struct{ to *map[string]Driver }

func (t drivers) decode(d *decoder, name string, v any, at *node) {
	tables, ok := v.(map[string]any)
	if !ok {
		d.add(at, "%s: expected a table for each driver, [drivers.NAME], got %s", name, kind(v))
		return
	}
	*t.to = make(map[string]Driver, len(tables))
	for k, v := range tables {
		at := at.child(k)
		values, ok := v.(map[string]any)
		switch {
		case !ok:
			d.add(at, "%s: expected a table, [drivers.NAME], got %s", dotted(name, k), kind(v))
		case k == Auto:
			d.add(at, "%s: no driver can have this name: it stands for the first driver whose check passes", dotted(name, k))
		case trust.ValidateDriverName(k) != nil:
			d.add(at, "%s: %w", name, trust.ValidateDriverName(k))
		default:
			(*t.to)[k] = decodeDriver(d, dotted(name, k), values, at)
		}
	}
}

func decodeDriver(d *decoder, name string, values map[string]any, at *node) Driver {
	var driver Driver
	own, settings := driver.keys(), map[string]any{}
	for k, v := range values {
		if !own.decodeKey(d, name, k, v, at.child(k)) {
			settings[k] = setting(d, dotted(name, k), v, at.child(k))
		}
	}
	data, err := json.Marshal(settings)
	if err != nil {
		d.add(at, "%s: %w", name, err)
	}
	driver.Settings = data
	return driver
}
