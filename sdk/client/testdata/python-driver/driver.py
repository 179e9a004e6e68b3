#!/usr/bin/python3
"""A driver of berth in Python, written from docs/protocol.md: the container is a plain process.

Beside it lie driver_pb2.py and rpc_pb2.py, which protoc makes of driver.proto and rpc.proto.
"""

import concurrent.futures
import json
import os
import signal
import sys

import grpc

import driver_pb2 as pb
import rpc_pb2

CODES = {
    "NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "EXISTS": grpc.StatusCode.ALREADY_EXISTS,
    "INVALID": grpc.StatusCode.INVALID_ARGUMENT,
    "STATE": grpc.StatusCode.FAILED_PRECONDITION,
    "UNSUPPORTED": grpc.StatusCode.UNIMPLEMENTED,
    "UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
}


class Refusal(Exception):
    def __init__(self, reason, text, **metadata):
        super().__init__(text)
        self.reason, self.metadata = reason, metadata


def refuse(context, refusal):
    """Ends the call with the status of a refusal, as "Errors" asks."""
    code = CODES[refusal.reason]
    status = rpc_pb2.Status(code=code.value[0], message=str(refusal))
    info = rpc_pb2.ErrorInfo(reason=refusal.reason, domain="berth.driver.v1", metadata=refusal.metadata)
    detail = status.details.add()
    detail.type_url = "type.googleapis.com/google.rpc.ErrorInfo"
    detail.value = info.SerializeToString()
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, str(refusal))


def settings(request):
    table = {"program": "/bin/true"}
    for key, value in json.loads(request.settings_json or b"{}").items():
        if key not in table:
            raise Refusal("INVALID", "setting %s: unknown setting" % key, setting=key)
        if not isinstance(value, str):
            raise Refusal("INVALID", "setting %s: must be a string" % key, setting=key)
        table[key] = value
    return table


def describe(request):
    setting = pb.Setting(key="program", type="string", doc="what a container runs", default_json='"/bin/true"')
    return pb.DescribeResponse(version="1.0", capabilities=["check", "lifecycle"], settings=[setting])


def check(request):
    program = settings(request)["program"]
    answer = pb.CheckResponse(name="python", path=program, version="3")
    if not os.access(program, os.X_OK):
        answer.error.kind, answer.error.text = "UNAVAILABLE", "%s cannot be executed" % program
        answer.error.advice = "set program"
    return answer


def run(request):
    program = settings(request)["program"]
    args = [program.encode(), request.container.id.encode(), b"not UTF-8: \xff"]
    return pb.CommandResponse(path=program, args=args, env=[b"PATH=/usr/bin:/bin"])


def state(request):
    settings(request)
    if request.container.id == "unknown":
        raise Refusal("NOT_FOUND", "no container %s: h\u00e9las" % request.container.id, advice="look elsewhere")
    text = {"ociVersion": "1.0.0", "id": request.container.id, "status": "running", "pid": os.getpid(), "bundle": "/"}
    return pb.StateResponse(state_json=json.dumps(text).encode())


def kill(request):
    settings(request)
    return pb.Done()


METHODS = {
    "Describe": (describe, pb.DescribeRequest),
    "Check": (check, pb.CheckRequest),
    "Run": (run, pb.ContainerRequest),
    "State": (state, pb.ContainerRequest),
    "Kill": (kill, pb.KillRequest),
    "Delete": (kill, pb.DeleteRequest),
}


def handler(answer, request_type):
    def call(request, context):
        try:
            return answer(request)
        except Refusal as refusal:
            refuse(context, refusal)

    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=request_type.FromString, response_serializer=lambda m: m.SerializeToString()
    )


def main():
    if os.environ.get("BERTH_DRIVER_COOKIE") != "berth.driver.v1":
        sys.exit("this is a driver of berth, which starts it by itself")
    for name in ("HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM"):
        signal.signal(getattr(signal, "SIG" + name), lambda *_: None)
    os.umask(0o077)
    socket = os.environ["PLUGIN_UNIX_SOCKET_DIR"] + "/driver"
    for name in [n for n in os.environ if n == "BERTH_DRIVER_COOKIE" or n.startswith("PLUGIN_")]:
        del os.environ[name]
    limit = 8 << 20
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=1),
        options=[("grpc.max_receive_message_length", limit), ("grpc.max_send_message_length", limit)],
    )
    methods = {name: handler(*how) for name, how in METHODS.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("berth.driver.v1.Driver", methods),))
    server.add_insecure_port("unix:" + socket)
    server.start()
    print("1|1|unix|%s|grpc|" % socket, flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    server.wait_for_termination()


main()
