"""A client of the debug adapter protocol, as editors are: attaches, stops once in a function, and lets it go on.

Usage: debug_client.py LAUNCH_JSON SOURCE FUNCTION. Attaches as the first configuration in LAUNCH_JSON says, and prints where
it stopped, with the names of the local variables.
"""

import json
import pathlib
import socket
import sys
import time

launch, source, function = sys.argv[1:]
configuration = json.loads(pathlib.Path(launch).read_text())["configurations"][0]
assert (configuration["type"], configuration["request"]) == ("debugpy", "attach"), configuration
source = pathlib.Path(source).resolve()
lines = source.read_text().splitlines()
line = next(number for number, text in enumerate(lines, 1) if text.startswith(f"def {function}(")) + 1


def connect(host, port):
    for _ in range(600):
        try:
            return socket.create_connection((host, port), timeout=60)
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on {host}:{port}")


connection = connect(**configuration.pop("connect"))
stream = connection.makefile("rwb")
sent = 0


def send(command, **arguments):
    global sent
    sent += 1
    body = json.dumps({"seq": sent, "type": "request", "command": command, "arguments": arguments}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    stream.flush()
    return sent


def receive():
    length = 0
    while header := stream.readline().strip():
        name, value = header.split(b": ")
        length = int(value) if name == b"Content-Length" else length
    return json.loads(stream.read(length))


def wait_for(**wanted):
    while True:
        message = receive()
        if all(message.get(key) == value for key, value in wanted.items()):
            return message.get("body", {})


def ask(command, **arguments):
    return wait_for(type="response", request_seq=send(command, **arguments), success=True)


ask("initialize", adapterID="test", pathFormat="path")
send("attach", **configuration)
wait_for(event="initialized")
ask("setBreakpoints", source={"path": str(source)}, breakpoints=[{"line": line}])
send("configurationDone")
thread = wait_for(event="stopped")["threadId"]
frame = ask("stackTrace", threadId=thread, levels=1)["stackFrames"][0]
scope = ask("scopes", frameId=frame["id"])["scopes"][0]
variables = ask("variables", variablesReference=scope["variablesReference"])["variables"]
names = [variable["name"] for variable in variables]
assert (frame["name"], frame["line"]) == (function, line), frame
print(f"stopped in {function}, where there are {', '.join(names)}")
ask("continue", threadId=thread)
