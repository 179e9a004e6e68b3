// Berth-driver-singularity runs bundles with Apptainer, SingularityCE or hpcng Singularity.
package main

import (
	"fmt"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/plugin"
)

func main() { plugin.Serve(&native{}) }

// unsupported is the error about a field of config.json, or of a request, that the runtime cannot honour.
func unsupported(field, format string, args ...any) error {
	return sdk.Mark(fmt.Errorf("%s: %w", field, fmt.Errorf(format, args...)), sdk.ErrUnsupported)
}

// unavailable is the error about something that this node lacks.
func unavailable(err error, doing, advice string) error {
	return sdk.WithAdvice(fmt.Errorf("%s: %w", doing, sdk.Mark(err, sdk.ErrUnavailable)), advice)
}
