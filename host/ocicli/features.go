package ocicli

import (
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
)

func (c *call) featuresCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "features",
		Short: "Print what every driver's containers can use as JSON",
		Long: `Print as JSON what berth itself knows of the OCI runtime specification (features.md).
What is absent is unknown: it depends on the driver and its runtime.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return cmdline.PrintJSON(knownFeatures()) },
	}
}

func knownFeatures() *features.Features {
	return &features.Features{
		OCIVersionMin: "1.0.0",
		OCIVersionMax: specVersion,
		Hooks:         []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"},
		Annotations:   map[string]string{"org.berth.version": cmdline.CurrentVersion().Version},
	}
}
