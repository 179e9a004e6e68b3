package doctor

import "slices"

// Status is how bad a finding is.
type Status string

// The statuses, the worst last.
const (
	StatusOK      Status = "ok"
	StatusNote    Status = "note"    // worth knowing; nothing fails for it
	StatusWarning Status = "warning" // some containers will not run, or something is at risk
	StatusBroken  Status = "broken"  // berth cannot do what this node is configured for
)

// Finding is one thing that a check found. Every text is one line without control characters. Why
// and Mend are empty where all is well, and only there.
type Finding struct {
	Check  string `json:"check"`  // the check's name, as docs/doctor.md lists it
	Status Status `json:"status"` // how bad it is
	What   string `json:"what"`   // what was found
	Why    string `json:"why"`    // why it matters
	Mend   string `json:"mend"`   // the command that mends it, to be typed into a shell
}

// Broken says whether anything is broken: then berth doctor ends with status 1.
func Broken(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Status == StatusBroken })
}
