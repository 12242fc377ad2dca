"""What all servers here have in common: health, a port, and a clean shutdown."""

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def serve(name, add_to, servicer, port):
    """Serves on 127.0.0.1:$PORT, or on `port` if the variable is not set, until it gets a signal to end."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4), options=[("grpc.so_reuseport", 0)])
    add_to(servicer, server)
    state_of_health = health.HealthServicer()
    state_of_health.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(state_of_health, server)
    address = f"127.0.0.1:{os.environ.get('PORT', port)}"
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError as error:
        sys.exit(f"error: cannot serve on {address}: {error}")
    server.start()
    print(f"{name} on 127.0.0.1:{bound}, dialect angzarr", flush=True)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    server.stop(grace=1).wait()
