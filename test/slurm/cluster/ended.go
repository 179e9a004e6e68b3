package cluster

import (
	"regexp"
	"strconv"
	"strings"
)

// endedFile is where slurmctld writes a line about each job that has ended.
const endedFile = "/var/log/slurm/ended"

// Job is a job that has ended.
type Job struct {
	ID     string
	Name   string
	State  string // such as "COMPLETED" or "TIMEOUT"
	Status int    // of its script or first step: 128+n for a death by signal n
}

// ofEnded are the fields of such a line (JobCompLoc in slurm.conf(5)).
var ofEnded = regexp.MustCompile(`^JobId=(\d+) .*? Name=(\S*) JobState=(\S+) .* ExitCode=(\d+):(\d+)`)

// Ended lists the jobs that have ended. To ask is to read a file.
func (c *Cluster) Ended() []Job {
	text, _ := c.nodes[0].ReadFile(endedFile)
	var jobs []Job
	for line := range strings.Lines(text) {
		f := ofEnded.FindStringSubmatch(line)
		if f == nil {
			continue // half of it is there
		}
		j := Job{ID: f[1], Name: f[2], State: f[3]}
		j.Status, _ = strconv.Atoi(f[4])
		if signal, _ := strconv.Atoi(f[5]); signal != 0 {
			j.Status = 128 + signal
		}
		jobs = append(jobs, j)
	}
	return jobs
}
