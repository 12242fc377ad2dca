// A player in Go, as far as the test of the debugger needs one: it refuses to deposit nothing, and accepts no other command.
//
// Built with Debian's packages alone, so the messages are read by their field numbers instead of generated types.
package main

import (
	"context"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

// A message whose bytes are left alone.
type raw struct{ bytes []byte }

func (r *raw) Reset()                   { r.bytes = nil }
func (r *raw) String() string           { return "raw" }
func (r *raw) ProtoMessage()            {}
func (r *raw) Marshal() ([]byte, error) { return r.bytes, nil }
func (r *raw) Unmarshal(b []byte) error { r.bytes = append([]byte(nil), b...); return nil }

// The first value of a field: the bytes of a message or text, or a number.
func field(message []byte, wanted protowire.Number) ([]byte, uint64) {
	for len(message) > 0 {
		number, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return nil, 0
		}
		message = message[length:]
		size := protowire.ConsumeFieldValue(number, kind, message)
		if size < 0 {
			return nil, 0
		}
		if number == wanted && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message)
			return value, 0
		}
		if number == wanted && kind == protowire.VarintType {
			value, _ := protowire.ConsumeVarint(message)
			return nil, value
		}
		message = message[size:]
	}
	return nil, 0
}

func inner(message []byte, path ...protowire.Number) []byte {
	for _, number := range path {
		message, _ = field(message, number)
	}
	return message
}

// A ContextualCommand with the command DepositFunds.
func handle(contextual []byte) ([]byte, error) {
	payload := inner(contextual, 2, 2, 3)
	typeURL := string(inner(payload, 1))
	if typeURL != "type.googleapis.com/examples.DepositFunds" {
		return nil, status.Error(codes.InvalidArgument, "Unknown command: "+typeURL)
	}
	return deposit(inner(payload, 2, 1))
}

func deposit(money []byte) ([]byte, error) {
	_, amount := field(money, 1)
	currency := string(inner(money, 2))
	if amount == 0 { // stop here
		return nil, status.Error(codes.FailedPrecondition, "amount must be positive")
	}
	return nil, status.Error(codes.Unimplemented, "deposits in "+currency+" are not part of this test")
}

func serve(_ interface{}, ctx context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
	var request raw
	if err := decode(&request); err != nil {
		return nil, err
	}
	reply, err := handle(request.bytes)
	return &raw{reply}, err
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health.NewServer())
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "angzarr.CommandHandlerService",
		HandlerType: (*interface{})(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Handle", Handler: serve}},
	}, nil)
	log.Print("player on ", listener.Addr())
	log.Fatal(server.Serve(listener))
}
