package limit

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
)

type loadKey struct{}

// WithLoad has the limits below ctx ask load for the load per core instead of the kernel. It is for tests.
func WithLoad(ctx context.Context, load func() float64) context.Context {
	return context.WithValue(ctx, loadKey{}, load)
}

func loadOf(ctx context.Context) float64 {
	if load, ok := ctx.Value(loadKey{}).(func() float64); ok {
		return load()
	}
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 1
	}
	return perCore(string(text), runtime.NumCPU())
}

// perCore reads /proc/loadavg (proc(5)): "0.20 0.18 0.12 1/80 11206". What counts is the greater of the
// average over the last minute, which has in it what waits for a disk, and of how many want to run now, which
// is up to date. It is divided by the cores that this process may use, where a job has fewer than the node.
func perCore(text string, cores int) float64 {
	fields := strings.Fields(text)
	if len(fields) < 4 || cores < 1 {
		return 1
	}
	average, err1 := strconv.ParseFloat(fields[0], 64)
	running, _, _ := strings.Cut(fields[3], "/")
	now, err2 := strconv.ParseFloat(running, 64)
	if err1 != nil || err2 != nil {
		return 1
	}
	return max(average, now) / float64(cores)
}
