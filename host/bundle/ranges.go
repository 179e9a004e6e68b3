package bundle

// contains says whether every id of part, which is not empty, is in one of ranges. Adjacent ranges
// count as one.
func contains(ranges []Range, part Range) bool {
	for part.Count > 0 {
		n := 0
		for _, r := range ranges {
			if part.First >= r.First && part.First < r.First+r.Count {
				n = r.First + r.Count - part.First
			}
		}
		if n == 0 {
			return false
		}
		part = Range{part.First + n, part.Count - n}
	}
	return true
}

// without returns ranges less one id.
func without(ranges []Range, id int) []Range {
	var left []Range
	for _, r := range ranges {
		if id < r.First || id >= r.First+r.Count {
			left = append(left, r)
			continue
		}
		if n := id - r.First; n > 0 {
			left = append(left, Range{r.First, n})
		}
		if n := r.First + r.Count - id - 1; n > 0 {
			left = append(left, Range{id + 1, n})
		}
	}
	return left
}

// split returns the first n ids of ranges, or all, and the rest.
func split(ranges []Range, n int) (first, rest []Range) {
	for i, r := range ranges {
		if n <= r.Count {
			if n > 0 {
				first = append(first, Range{r.First, n})
			}
			if r.Count > n {
				rest = append(rest, Range{r.First + n, r.Count - n})
			}
			return first, append(rest, ranges[i+1:]...)
		}
		first = append(first, r)
		n -= r.Count
	}
	return first, nil
}
