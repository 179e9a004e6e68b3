package bundle

import (
	"fmt"
	"os"
)

// devices checks that the device nodes an ordinary user's container wants are there: runtimes bind
// the node's, because only root can make new ones.
func (a *adaptation) devices() error {
	if !a.o.Rootless {
		return nil
	}
	for i, device := range a.linux().Get("devices").Items() {
		v := device.Get("path")
		if _, err := os.Stat(v.Text()); err != nil {
			return a.wrong(v, fmt.Sprintf("linux.devices[%d].path", i), "cannot be used: %w", err)
		}
	}
	return nil
}
