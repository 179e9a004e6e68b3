package slurm

import (
	"fmt"
	"strconv"
	"strings"
)

// position is where a node stands in a list of nodes as Slurm writes them into the environment:
// "n[1-3,08-10],login". It compresses the number at the end of a name and nothing else; what looks
// otherwise has no position here.
func position(list, node string) (index int, found bool) {
	for list != "" {
		item, rest, ok := cutItem(list)
		if !ok {
			return 0, false
		}
		list = rest
		prefix, numbers, compressed := strings.Cut(item, "[")
		if !compressed {
			if item == node {
				return index, true
			}
			index++
			continue
		}
		for _, r := range strings.Split(strings.TrimSuffix(numbers, "]"), ",") {
			offset, count := inRange(r, strings.TrimPrefix(node, prefix))
			if count == 0 {
				return 0, false
			}
			if offset >= 0 && strings.HasPrefix(node, prefix) {
				return index + offset, true
			}
			index += count
		}
	}
	return 0, false
}

// cutItem cuts a list after its first item, which may have commas within one pair of brackets at its end.
func cutItem(list string) (item, rest string, ok bool) {
	end := strings.IndexByte(list, ',')
	if open := strings.IndexByte(list, '['); open >= 0 && (end < 0 || open < end) {
		end = strings.IndexByte(list, ']') + 1
		if end <= open || strings.Contains(list[open+1:end], "[") || end < len(list) && list[end] != ',' {
			return "", "", false
		}
	}
	if end < 0 || end == len(list) {
		return list, "", true
	}
	return list[:end], list[end+1:], true
}

// inRange says how many numbers "7" or "08-11" stands for, 0 where it is no range, and which of them
// number is, -1 for none. Numbers have as many digits as the first.
func inRange(r, number string) (offset, count int) {
	low, high, several := strings.Cut(r, "-")
	if !several {
		high = low
	}
	first, err := strconv.ParseUint(low, 10, 31)
	last, lastErr := strconv.ParseUint(high, 10, 31)
	if err != nil || lastErr != nil || last < first {
		return -1, 0
	}
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil || n < first || n > last || fmt.Sprintf("%0*d", len(low), n) != number {
		return -1, int(last - first + 1)
	}
	return int(n - first), int(last - first + 1)
}
