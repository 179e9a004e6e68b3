package anchor

import (
	"encoding/json"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// Report is where an anchor says what became of it.
type Report struct{ f *os.File }

// Reporting returns the report of this process where it is an anchor, and nil where it is not.
func Reporting() *Report {
	fd, err := strconv.Atoi(os.Getenv(variable))
	if err != nil || fd < 3 {
		return nil
	}
	os.Unsetenv(variable)
	unix.CloseOnExec(fd)
	return &Report{f: os.NewFile(uintptr(fd), "report")}
}

// Done says that the anchor is ready, or with an error why it is about to end. An error of its own says
// that nobody is left to hear it.
func (r *Report) Done(err error) error {
	defer r.f.Close()
	var o outcome
	if err != nil {
		o.Error, o.Advice = err.Error(), sdk.Advice(err)
		if kind := sdk.Kind(err); kind != nil {
			o.Kind = kind.Error()
		}
	}
	return json.NewEncoder(r.f).Encode(o)
}
