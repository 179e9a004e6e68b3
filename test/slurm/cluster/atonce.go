package cluster

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
)

// LimitParallel has as many tests of this program run at once as is useful on this machine, where -parallel does not
// say how many: four for each core, since they wait more than they compute, fewer where others keep the cores busy,
// and no more than there is memory for clusters. It is called before the tests run, and parses the flags.
func LimitParallel() error {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if chosen {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(atOnce(runtime.NumCPU(), load())))
}

// atOnce is how many tests may run at once on that many cores with that load.
func atOnce(cores int, load float64) int {
	const most = 16
	return min(max(4*cores-int(load), 2*cores), most)
}

// load is how many processes have been running on average in the last minute: proc_loadavg(5).
func load() (average float64) {
	text, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(text), &average)
	return average
}
