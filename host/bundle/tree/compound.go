package tree

import "slices"

func (p *parser) array(v *Value) {
	v.kind = Array
	if !p.enter() {
		return
	}
	if p.take(']') {
		p.depth++
		return
	}
	for p.problem == "" {
		v.values = append(v.values, p.value())
		p.space()
		if p.take(']') {
			break
		}
		p.comma("\",\" or \"]\"")
	}
	p.depth++
}

func (p *parser) object(v *Value) {
	v.kind = Object
	if !p.enter() {
		return
	}
	if p.take('}') {
		p.depth++
		return
	}
	seen := names{}
	for p.problem == "" {
		p.member(v, &seen)
		p.space()
		if p.take('}') {
			break
		}
		p.comma("\",\" or \"}\"")
	}
	p.depth++
}

func (p *parser) member(v *Value, seen *names) {
	start := p.pos
	if p.peek() != '"' {
		p.unexpected("a key in quotes")
		return
	}
	name := p.str()
	if p.problem == "" && !seen.add(v.names, name) {
		// Readers disagree: some take the first of two, some the last.
		p.failAt(start, "duplicate key %q", name)
		return
	}
	p.space()
	if !p.take(':') {
		p.unexpected("\":\"")
		return
	}
	p.space()
	v.names = append(v.names, name)
	v.values = append(v.values, p.value())
}

// enter goes one level down, past the opening bracket.
func (p *parser) enter() bool {
	if p.depth == 0 {
		p.fail("objects and arrays are nested too deep")
		return false
	}
	p.depth--
	p.pos++
	p.space()
	return true
}

func (p *parser) comma(wanted string) {
	if !p.take(',') {
		p.unexpected(wanted)
	}
	p.space()
}

// names finds duplicates: in small objects by looking, in large ones by a set.
type names struct{ set map[string]struct{} }

func (n *names) add(before []string, name string) bool {
	const small = 16
	if len(before) < small {
		return !slices.Contains(before, name)
	}
	if n.set == nil {
		n.set = make(map[string]struct{}, 4*small)
		for _, b := range before {
			n.set[b] = struct{}{}
		}
	}
	if _, dup := n.set[name]; dup {
		return false
	}
	n.set[name] = struct{}{}
	return true
}
