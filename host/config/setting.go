package config

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// setting turns a value of a driver's table into one that JSON carries without loss, and reports
// those that it has no form for.
func setting(d *decoder, name string, v any, at *node) any {
	switch v := v.(type) {
	case string, int64, bool:
		return v
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			d.add(at, "%s: a driver cannot be given inf or nan", name)
			return nil
		}
		return json.Number(float(v))
	case []any:
		elements := make([]any, len(v))
		for i, element := range v {
			elements[i] = setting(d, name, element, at.item(i))
		}
		return elements
	case map[string]any:
		values := make(map[string]any, len(v))
		for k, value := range v {
			values[k] = setting(d, dotted(name, k), value, at.child(k))
		}
		return values
	default:
		d.add(at, "%s: a driver cannot be given %s; write a string, in quotes", name, kind(v))
		return nil
	}
}

// float writes the shortest digits that give f back, in a form that TOML and JSON both read as a
// float: 1.0 does not become the integer 1.
func float(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// SettingPosition returns where a setting of a driver stands, as "file:line:column", so that what
// the driver says about it (sdk.SettingError) can name the line. The key is written as below the
// driver's table: "runtime", "mounts[1].source". Of a key that is not in the file the nearest table
// around it is returned, and "" where the driver has none.
func (c *Config) SettingPosition(driver, key string) string {
	at := c.node("drivers", driver)
	if at == nil {
		return ""
	}
	if exact := at.child(key); exact != nil { // a key may have dots of its own, in quotes
		return c.source.position(exact).String()
	}
	steps := strings.FieldsFunc(key, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	for _, step := range steps {
		next := at.child(step)
		if i, err := strconv.Atoi(step); err == nil && next == nil {
			next = at.item(i)
		}
		if next == nil {
			break
		}
		at = next
	}
	return c.source.position(at).String()
}
