package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// enoughIDs is how many ids an image may use: uid_t of 16 bits, which distributions hand out, too.
const enoughIDs = 65536

// idRange is one line of /etc/subuid or /etc/subgid (subuid(5)).
type idRange struct {
	owner        string // a name or a number
	first, count uint64
}

func (r idRange) last() uint64 { return r.first + r.count - 1 }

func (r idRange) String() string { return fmt.Sprintf("%d-%d", r.first, r.last()) }

func subordinateIDs() check {
	none := fault{
		when: "the caller has none", status: StatusWarning,
		why:  "an ordinary user's container then has one user and one group: images whose programs change their user fail",
		mend: "usermod --add-KIND FIRST-LAST USER",
	}
	few := fault{
		when: fmt.Sprintf("the caller has fewer than %d", enoughIDs), status: StatusWarning,
		why:  "images use ids up to 65534: files of an id beyond the range cannot be unpacked, and programs cannot become it",
		mend: none.mend,
	}
	shared := fault{
		when: "two users have the same ones", status: StatusWarning,
		why:  "the containers of one user can read and write what those of the other own",
		mend: "usermod --del-KIND FIRST-LAST USER",
	}
	elsewhere := fault{
		when: "/etc/nsswitch.conf names another source for them", status: StatusWarning,
		why:  "berth and the runtimes read /etc/subuid and /etc/subgid, but newuidmap then maps only what the other source grants",
		mend: "sed -i '/^subid:/d' /etc/nsswitch.conf",
	}
	return check{
		name: "subordinate-ids", about: "The caller's ids in /etc/subuid and /etc/subgid. Root needs none.",
		faults: []fault{none, few, shared, elsewhere},
		look: func(e *examination) {
			before := len(e.findings)
			if source := e.subidSource(); source != "" && source != "files" {
				e.found(elsewhere, fmt.Sprintf("subordinate ids come from %q, says /etc/nsswitch.conf", source))
			}
			for _, kind := range [...]string{"subuids", "subgids"} {
				file := "/etc/" + strings.TrimSuffix(kind, "s")
				ranges := e.idRanges(file)
				own := sum(ranges, e.User, e.uid())
				fill := freeRange(ranges).fill(kind, e.User)
				switch {
				case e.State.UID == 0:
				case own == 0:
					e.found(none, fmt.Sprintf("%s has no line for %s", file, e.User), fill...)
				case own < enoughIDs:
					e.found(few, fmt.Sprintf("%s has %d ids for %s", file, own, e.User), fill...)
				}
				if a, b, ok := overlap(ranges); ok {
					e.found(shared, fmt.Sprintf("%s gives %v to %s and %v to %s", file, a, a.owner, b, b.owner), b.fill(kind, b.owner)...)
				}
			}
			switch {
			case len(e.findings) > before:
			case e.State.UID == 0:
				e.ok("no ids are given to two users; root needs none of its own")
			default:
				e.ok("%s has ids of its own in /etc/subuid and /etc/subgid", e.User)
			}
		},
	}
}

// idRanges reads the lines of a file that make sense, as newuidmap does.
func (n *Node) idRanges(file string) []idRange {
	var ranges []idRange
	for entry := range strings.Lines(n.read(file)) {
		fields := strings.Split(strings.TrimSpace(entry), ":")
		if len(fields) != 3 || fields[0] == "" || fields[0][0] == '#' {
			continue
		}
		first, err1 := strconv.ParseUint(fields[1], 10, 32)
		count, err2 := strconv.ParseUint(fields[2], 10, 32)
		if err1 == nil && err2 == nil && count > 0 {
			ranges = append(ranges, idRange{fields[0], first, count})
		}
	}
	return ranges
}

// subidSource is where the system looks for subordinate ids, "" for the files (nsswitch.conf(5)).
func (n *Node) subidSource() string {
	for entry := range strings.Lines(n.read("etc/nsswitch.conf")) {
		if source, ok := strings.CutPrefix(strings.TrimSpace(entry), "subid:"); ok {
			return strings.TrimSpace(source)
		}
	}
	return ""
}

func sum(ranges []idRange, owners ...string) (ids uint64) {
	for _, r := range ranges {
		for _, owner := range owners {
			if r.owner == owner {
				ids += r.count
				break
			}
		}
	}
	return ids
}

// overlap returns the first two ranges of different owners that share an id.
func overlap(ranges []idRange) (a, b idRange, ok bool) {
	for i, a := range ranges {
		for _, b := range ranges[i+1:] {
			if a.owner != b.owner && a.first <= b.last() && b.first <= a.last() {
				return a, b, true
			}
		}
	}
	return a, b, false
}

// freeRange is a range of enoughIDs above all others, where useradd(8) would begin.
func freeRange(ranges []idRange) idRange {
	free := idRange{first: 100000, count: enoughIDs}
	for _, r := range ranges {
		free.first = max(free.first, r.last()+1)
	}
	return free
}

func (r idRange) fill(kind, owner string) []string {
	return []string{"KIND", kind, "FIRST-LAST", r.String(), "USER", quote(owner)}
}
