package client

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/berth-hpc/berth/sdk/internal/wire/driverv1"
)

// raw answers with what no SDK would send.
type raw struct {
	pb.UnimplementedDriverServer
	mode string
}

func serveRaw(mode string) {
	if mode == "no-socket" {
		fmt.Printf("1|1|unix|%s/none|grpc|\n", os.Getenv("PLUGIN_UNIX_SOCKET_DIR"))
		hang()
	}
	path := os.Getenv("PLUGIN_UNIX_SOCKET_DIR") + "/s"
	listener, err := net.Listen("unix", path)
	if err != nil {
		panic(err)
	}
	fmt.Printf("1|1|unix|%s|grpc\n", path)
	if mode == "not-grpc" {
		for {
			conn, err := listener.Accept()
			if err == nil {
				fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\nhello\r\n")
			}
		}
	}
	if mode == "noise" {
		go noise()
	}
	if mode == "never-accept" {
		hang()
	}
	s := grpc.NewServer(grpc.MaxSendMsgSize(64 << 20))
	pb.RegisterDriverServer(s, &raw{mode: mode})
	_ = s.Serve(listener)
}

func (r *raw) Run(context.Context, *pb.ContainerRequest) (*pb.CommandResponse, error) {
	switch r.mode {
	case "huge":
		return &pb.CommandResponse{Path: "/x", Args: [][]byte{make([]byte, 16<<20)}}, nil
	case "relative":
		return &pb.CommandResponse{Path: "sh", Args: [][]byte{[]byte("sh")}}, nil
	case "status":
		return nil, status.Error(codes.NotFound, "a bare status\x1b[31m\n")
	case "late-death": // the connection ends some time before the process
		breakOff()
		misbehave("gate")
	case "canceled":
		return nil, status.Error(codes.Canceled, "says who")
	}
	return &pb.CommandResponse{Path: "/bin/true", Args: [][]byte{[]byte("true")}}, nil
}

// breakOff ends every connection of this process.
func breakOff() {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			_ = unix.Shutdown(fd, unix.SHUT_RDWR) // ENOTSOCK for all else
		}
	}
}

func (r *raw) State(context.Context, *pb.ContainerRequest) (*pb.StateResponse, error) {
	return &pb.StateResponse{StateJson: []byte(`{"ociVersion":"1.0.0","id":"c","status":"running","pid":1}`)}, nil
}
