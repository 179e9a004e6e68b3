package trust

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/berth-hpc/berth/sdk"
)

// DriverPrefix is what the file name of a driver begins with; the driver's name follows.
const DriverPrefix = "berth-driver-"

const maxDriverName = 32

// ValidateDriverName says whether name can be a driver's: up to 32 lower-case letters, digits and
// "-", starting with a letter or digit. It can then be a part of a file's name. The error is an
// sdk.ErrInvalid.
func ValidateDriverName(name string) error {
	valid := name != "" && len(name) <= maxDriverName && name[0] != '-'
	for i := 0; valid && i < len(name); i++ {
		c := name[i]
		valid = 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
	}
	if !valid {
		return sdk.Mark(fmt.Errorf("%.80q is not a driver's name: up to %d lower-case letters, digits and \"-\", starting with a letter or digit", name, maxDriverName), sdk.ErrInvalid)
	}
	return nil
}

// OpenDriver opens the driver of that name in the directory dir, as Open does. A name that
// ValidateDriverName refuses is never looked up.
func (r Rules) OpenDriver(dir, name string) (*os.File, error) {
	if err := ValidateDriverName(name); err != nil {
		return nil, err
	}
	return r.Open(filepath.Join(dir, DriverPrefix+name))
}
