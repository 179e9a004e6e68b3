package wire

import (
	"context"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/berth-hpc/berth/sdk/limit"
)

// limitName is the metadata of a call that tells its limit, in milliseconds: docs/protocol.md, "Limits".
const limitName = "berth-limit"

// limited sends the limit of each call with it. gRPC's own grpc-timeout would be a fixed deadline, and a
// limit grows with the node's load.
type limited struct{ grpc.ClientConnInterface }

// Invoke implements grpc.ClientConnInterface.
func (l limited) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return l.ClientConnInterface.Invoke(withLimit(ctx), method, args, reply, opts...)
}

// NewStream implements grpc.ClientConnInterface.
func (l limited) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return l.ClientConnInterface.NewStream(withLimit(ctx), desc, method, opts...)
}

func withLimit(ctx context.Context) context.Context {
	left, is := limit.Of(ctx)
	if !is {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, limitName, strconv.FormatInt(left.Milliseconds(), 10))
}

// limitCall gives a driver's call the limit that the host sent with it. The driver applies it by itself:
// it looks at the same node's load.
func limitCall(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx, cancel := fromLimit(ctx)
	defer cancel()
	return handle(ctx, request)
}

// limitStream is limitCall of a call that streams.
func limitStream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, cancel := fromLimit(stream.Context())
	defer cancel()
	return handle(server, &limitedStream{stream, ctx})
}

type limitedStream struct {
	grpc.ServerStream
	ctx context.Context
}

// Context implements grpc.ServerStream.
func (s *limitedStream) Context() context.Context { return s.ctx }

func fromLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	for _, text := range metadata.ValueFromIncomingContext(ctx, limitName) {
		if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms > 0 && ms <= maxLimit.Milliseconds() {
			return limit.WithTimeout(ctx, time.Duration(ms)*time.Millisecond, "not done")
		}
	}
	return context.WithCancel(ctx)
}

// maxLimit is the longest limit that is taken: more than any site sets.
const maxLimit = 365 * 24 * time.Hour
