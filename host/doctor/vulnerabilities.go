package doctor

import "slices"

// product is a runtime with its known vulnerabilities.
type product struct {
	names []string // as drivers report it
	pkg   string   // the package that has it
	flaws []flaw
}

// flaw is one release's fix of one or more vulnerabilities.
type flaw struct {
	ids   []string
	since string   // the first version that has it; empty: all before the fix
	fixed []string // for each series of releases the version that fixed it, ascending
	what  string   // what it allows: a clause
}

// products lists what the projects' own release notes call fixed. It is the only place for it.
func products() []product {
	return []product{
		{[]string{"runc"}, "runc", []flaw{
			{[]string{"CVE-2019-5736"}, "", []string{"1.0.0-rc7"}, "a container overwrites runc itself on the node"},
			{[]string{"CVE-2021-30465"}, "", []string{"1.0.0-rc95"}, "an image mounts the node's files by exchanging a symbolic link"},
			{[]string{"CVE-2022-29162"}, "", []string{"1.1.2"}, "programs started by exec have capabilities that they should not"},
			{[]string{"CVE-2023-25809", "CVE-2023-27561", "CVE-2023-28642"}, "", []string{"1.1.5"}, "a container writes to the node's cgroups, or is not confined by AppArmor and SELinux"},
			{[]string{"CVE-2024-21626"}, "1.0.0-rc93", []string{"1.1.12"}, "an image gets at the node's files through a leaked descriptor"},
			{[]string{"CVE-2024-45310"}, "", []string{"1.1.14", "1.2.0-rc.3"}, "a container makes empty files on the node"},
			{[]string{"CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"}, "", []string{"1.2.8", "1.3.3", "1.4.0-rc.3"}, "an image writes to the node's /proc, and so leaves the container"},
			{[]string{"CVE-2026-41579"}, "", []string{"1.3.6", "1.4.3", "1.5.0-rc.3"}, "an image whose /dev is a symbolic link makes and removes certain files on the node"},
		}},
		{[]string{"crun"}, "crun", []flaw{
			{[]string{"CVE-2019-18837"}, "", []string{"0.10.5"}, "an image mounts the node's files through a symbolic link"},
			{[]string{"CVE-2022-27650"}, "", []string{"1.4.4"}, "programs started by exec have capabilities that they should not"},
			{[]string{"CVE-2025-24965"}, "", []string{"1.20"}, "an image makes files on the node, with the krun handler"},
			{[]string{"CVE-2026-30892"}, "1.19", []string{"1.27"}, "crun exec --user 1 runs as root of the container"},
			{[]string{"CVE-2026-47766"}, "", []string{"1.28"}, "an image whose /dev is a symbolic link makes devices outside the container"},
		}},
		{[]string{"nvidia-container-runtime", "nvidia-container-toolkit"}, "nvidia-container-toolkit", []flaw{
			{[]string{"CVE-2024-0132", "CVE-2024-0133"}, "", []string{"1.16.2"}, "an image gets at the node's files while they are mounted"},
			{[]string{"CVE-2025-23266", "CVE-2025-23267"}, "", []string{"1.17.8"}, "an image has its own library loaded by a hook that runs on the node"},
		}},
		{[]string{"apptainer"}, "apptainer", []flaw{
			{[]string{"CVE-2023-30549"}, "", []string{"1.1.8"}, "an image of the ext4 format attacks the kernel, where apptainer is setuid"},
			{[]string{"CVE-2025-65105"}, "", []string{"1.4.5"}, "a container switches --security off"},
			{[]string{"CVE-2026-48785"}, "", []string{"1.5.1"}, "\"limit container paths\" allows directories whose names only begin alike"},
		}},
		{[]string{"singularity"}, "singularity-ce", []flaw{
			{[]string{"CVE-2025-64750"}, "", []string{"4.3.5"}, "a container switches --security off"},
			{[]string{"CVE-2026-47215"}, "", []string{"4.4.2"}, "\"limit container paths\" allows directories whose names only begin alike"},
		}},
	}
}

// productOf finds a runtime by the name that its driver gives it.
func productOf(name string) (product, bool) {
	for _, p := range products() {
		if slices.Contains(p.names, name) {
			return p, true
		}
	}
	return product{}, false
}

// open returns the ids of the vulnerabilities that a version still has.
func (p product) open(v version) []string {
	var ids []string
	for _, f := range p.flaws {
		if f.affects(v) {
			ids = append(ids, f.ids...)
		}
	}
	return ids
}

// affects says whether a version has the flaw: it is older than the fix in its own series and, where
// its series has none, older than the last.
func (f flaw) affects(v version) bool {
	if first, ok := parseVersion(f.since); ok && v.compare(first) < 0 {
		return false
	}
	for i, text := range f.fixed {
		fix, ok := parseVersion(text)
		if ok && v.compare(fix) >= 0 && (i == len(f.fixed)-1 || v.sameSeries(fix)) {
			return false
		}
	}
	return true
}
