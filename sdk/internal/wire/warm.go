package wire

import (
	"google.golang.org/protobuf/proto"

	pb "github.com/berth-hpc/berth/sdk/internal/wire/driverv1"
)

// Warm does beforehand what the first use of the messages of a call about a container costs a
// process once: half a millisecond of reflection, for which a host has time while its driver starts.
func Warm() {
	for _, m := range []proto.Message{
		&pb.ContainerRequest{Container: &pb.Container{Io: &pb.IO{}, Log: &pb.Log{}}},
		&pb.CommandResponse{},
	} {
		_ = proto.Size(m)
	}
}
