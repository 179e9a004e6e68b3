package doctor

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// version is a release's number, such as 1.3.0-rc.1: what distributions and builds add, as in
// 1.1.5+ds1, does not count.
type version struct {
	numbers []int
	pre     []preField // empty for a release
}

// preField is a part of what stands behind a pre-release's number: "rc" or 3.
type preField struct {
	word   string
	number int
}

// parseVersion reads "1.1.5+ds1", "v1.17.8", "1.28", "1.3.0-rc.1", "1.0.0-rc95" and "1.3.3~rc1". What
// follows a "-" belongs to the release unless it begins with a letter: Ubuntu's 1.1.12-0ubuntu3 is
// 1.1.12.
func parseVersion(text string) (v version, ok bool) {
	text = strings.TrimPrefix(text, "v")
	text, _, _ = strings.Cut(text, "+")
	text, _, _ = strings.Cut(text, " ")
	main, pre := text, ""
	if i := strings.IndexAny(text, "-~"); i >= 0 {
		main, pre = text[:i], text[i+1:]
		if text[i] == '-' && (pre == "" || !isLetter(pre[0])) {
			pre = ""
		}
	}
	for field := range strings.SplitSeq(main, ".") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 0 {
			return version{}, false
		}
		v.numbers = append(v.numbers, n)
	}
	v.pre = preFields(pre)
	return v, true
}

// preFields splits "rc.1", "rc1" and "rc-1" alike into a word and a number.
func preFields(text string) []preField {
	var fields []preField
	for text != "" {
		n := strings.IndexFunc(text, func(r rune) bool { return isDigit(byte(r)) != isDigit(text[0]) })
		if n < 0 {
			n = len(text)
		}
		part := text[:n]
		text = text[n:]
		if number, err := strconv.Atoi(part); err == nil {
			fields = append(fields, preField{number: number})
		} else if word := strings.Trim(part, ".-~_"); word != "" {
			fields = append(fields, preField{word: word})
		}
	}
	return fields
}

// compare returns -1, 0 or 1. A pre-release is older than its release; a number that is not written
// is 0.
func (v version) compare(w version) int {
	for i := range max(len(v.numbers), len(w.numbers)) {
		if c := cmp.Compare(at(v.numbers, i), at(w.numbers, i)); c != 0 {
			return c
		}
	}
	switch {
	case len(v.pre) == 0 || len(w.pre) == 0:
		return cmp.Compare(len(w.pre), len(v.pre)) // the one without is the newer
	}
	return slices.CompareFunc(v.pre, w.pre, func(a, b preField) int {
		return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.number, b.number))
	})
}

// sameSeries says whether two versions share the first two numbers.
func (v version) sameSeries(w version) bool {
	return at(v.numbers, 0) == at(w.numbers, 0) && at(v.numbers, 1) == at(w.numbers, 1)
}

func at(numbers []int, i int) int {
	if i < len(numbers) {
		return numbers[i]
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
