package wire

import (
	"context"

	"google.golang.org/grpc/metadata"
)

// settingsKey is the metadata of Describe that holds the driver's table. The message has no field for
// it: drivers that are always the same need none, and old ones pass over the metadata.
const settingsKey = "berth-settings-bin"

// maxDescribed bounds the table in bytes: other languages' gRPC takes 8 KiB of metadata at most.
const maxDescribed = 4096

// describing adds the settings to a call of Describe.
func describing(ctx context.Context, settings []byte) context.Context {
	if len(settings) == 0 || len(settings) > maxDescribed {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, settingsKey, string(settings))
}

// describedSettings returns them to the driver's side, nil where there are none.
func describedSettings(ctx context.Context) []byte {
	values := metadata.ValueFromIncomingContext(ctx, settingsKey)
	if len(values) != 1 {
		return nil
	}
	return []byte(values[0])
}
