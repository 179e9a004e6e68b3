// See prlimit in nofile.go.
