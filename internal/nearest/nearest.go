// Package nearest finds the name that somebody meant to type.
package nearest

import "strings"

// Longer input is a mistake of another kind, and the cost is quadratic.
const maxName = 64

// To returns the candidate with the smallest edit distance from name, where inserting, leaving
// out, replacing and swapping two neighbouring letters each count one and case does not count.
// It returns "" where none is near enough to have been meant: a third of the name's letters, three
// at most. The first of several equally near candidates wins.
func To(name string, candidates []string) string {
	if len(name) > maxName {
		return ""
	}
	letters := []rune(strings.ToLower(name))
	best, limit := "", min((len(letters)+1)/3, 3)
	for _, candidate := range candidates {
		if len(candidate) > maxName {
			continue
		}
		if d := distance(letters, []rune(strings.ToLower(candidate))); d <= limit {
			best, limit = candidate, d-1
		}
	}
	return best
}

// distance is the optimal string alignment distance. It keeps the last three rows of the table:
// a swap looks two rows back.
func distance(a, b []rune) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
