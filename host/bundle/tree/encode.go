package tree

// AppendJSON appends v as JSON to out and returns the result: one member or item a line, indented
// by tabs, arrays of nothing but numbers and strings included. Parsing it gives an equal tree.
func (v *Value) AppendJSON(out []byte) []byte { return v.append(out, 0) }

func (v *Value) append(out []byte, depth int) []byte {
	switch v.Kind() {
	case Bool, Number:
		return append(out, v.text...)
	case String:
		return appendString(out, v.text)
	case Array:
		return v.appendBlock(out, depth, '[', ']')
	case Object:
		return v.appendBlock(out, depth, '{', '}')
	}
	return append(out, "null"...)
}

func (v *Value) appendBlock(out []byte, depth int, open, end byte) []byte {
	out = append(out, open)
	for i, item := range v.values {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendLine(out, depth+1)
		if v.kind == Object {
			out = append(appendString(out, v.names[i]), ": "...)
		}
		out = item.append(out, depth+1)
	}
	if len(v.values) > 0 {
		out = appendLine(out, depth)
	}
	return append(out, end)
}

func appendLine(out []byte, depth int) []byte {
	out = append(out, '\n')
	for range depth {
		out = append(out, '\t')
	}
	return out
}

// appendString escapes only what JSON requires (RFC 8259, section 7).
func appendString(out []byte, s string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(out, s[start:i]...)
		start = i + 1
		if c >= ' ' {
			out = append(out, '\\', c)
		} else {
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(out, s[start:]...), '"')
}
