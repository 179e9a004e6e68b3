package dispatch

import (
	"context"

	"github.com/berth-hpc/berth/host/trust"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/limit"
)

// DriverStatus is one driver in a list.
type DriverStatus struct {
	Name    string      `json:"name"`
	Runtime sdk.Runtime `json:"runtime"`
	Error   string      `json:"error,omitempty"` // why it does not work here
	Advice  string      `json:"advice,omitempty"`
}

// Drivers checks every driver that is installed or configured, in the order in which "auto" tries
// them.
func (h *Host) Drivers(ctx context.Context) ([]DriverStatus, error) {
	names, err := h.candidates()
	if err != nil {
		return nil, err
	}
	list := []DriverStatus{}
	for _, name := range names {
		status := DriverStatus{Name: name}
		found, err := h.CheckDriver(ctx, name)
		if found != nil {
			status.Runtime = *found
		}
		if err != nil {
			status.Error, status.Advice = err.Error(), sdk.Advice(err)
		}
		list = append(list, status)
	}
	return list, nil
}

// CheckDriver starts a driver and has it check the node. What it found of its runtime may be
// returned besides an error. A driver that cannot check is an sdk.ErrUnsupported.
func (h *Host) CheckDriver(ctx context.Context, name string) (*sdk.Runtime, error) {
	d, err := h.OpenDriver(ctx, name)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	ctx, cancel := limit.WithTimeout(ctx, h.Config.Deadlines.Check, "no answer")
	defer cancel()
	found, err := d.Check(ctx)
	return found, h.explain(name, err)
}

// DriverInfo is what a driver's file and the driver itself say.
type DriverInfo struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	client.Description
}

// DriverInfo inspects a driver without settings.
func (h *Host) DriverInfo(ctx context.Context, name string) (*DriverInfo, error) {
	file, err := h.driverFile(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info := &DriverInfo{Name: name, Path: file.Name()}
	if info.SHA256, err = trust.Digest(file); err != nil {
		return nil, err
	}
	d, err := h.startDriver(ctx, name, file, false)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	description, err := d.Describe(ctx)
	if err != nil {
		return nil, err
	}
	info.Description = *description
	return info, nil
}
