package config

import (
	"slices"

	"github.com/berth-hpc/berth/internal/nearest"
)

// decoder turns the values of a file into a Config and collects everything that is wrong.
type decoder struct {
	problems
	top table // the keys of the file's top level
}

// table is a value with a fixed list of keys.
type table []key

func (t table) decode(d *decoder, name string, v any, at *node) {
	values, ok := v.(map[string]any)
	if !ok {
		d.add(at, "%s: expected a table, got %s", name, kind(v))
		return
	}
	for k, v := range values {
		if !t.decodeKey(d, name, k, v, at.child(k)) {
			d.unknown(t, name, k, at.child(k))
		}
	}
}

// decodeKey decodes the value of one key, unless the table has none of that name.
func (t table) decodeKey(d *decoder, name, k string, v any, at *node) bool {
	i := slices.IndexFunc(t, func(known key) bool { return known.name == k })
	if i < 0 {
		return false
	}
	t[i].value.decode(d, dotted(name, k), v, at)
	return true
}

func (d *decoder) unknown(t table, name, k string, at *node) {
	names := make([]string, len(t))
	for i, known := range t {
		names[i] = known.name
	}
	near := nearest.To(k, names)
	switch {
	case near != "":
		d.add(at, "unknown key %q; did you mean %q?", dotted(name, k), dotted(name, near))
	case slices.ContainsFunc(d.top, func(top key) bool { return top.name == k }):
		d.add(at, "unknown key %q; %q does not belong to [%s]: write it above the first table", dotted(name, k), k, name)
	default:
		d.add(at, "unknown key %q", dotted(name, k))
	}
}

// dotted joins a table's name and a key as TOML writes them. The file's own table has no name.
func dotted(name, k string) string {
	if name == "" {
		return k
	}
	return name + "." + k
}
