"""Asks a coordinator with the released client library's `SpeculativeClient`, and prints what it answers, a line a call.

Usage: speculative_client.py ADDRESS
"""

import sys

from angzarr_client.client import SpeculativeClient
from angzarr_client.proto.angzarr import (
    command_handler_pb2,
    process_manager_pb2,
    projector_pb2,
    saga_pb2,
    types_pb2,
)
from google.protobuf.any_pb2 import Any
from google.protobuf.text_format import MessageToString


def book(cover):
    page = types_pb2.EventPage(
        header=types_pb2.PageHeader(sequence=0),
        event=Any(type_url="type.googleapis.com/test.Added", value=b"added"),
    )
    return types_pb2.EventBook(cover=cover, pages=[page], next_sequence=1)


def command(cover, sequence):
    page = types_pb2.CommandPage(
        header=types_pb2.PageHeader(sequence=sequence),
        command=Any(type_url="type.googleapis.com/test.Add", value=b"more"),
    )
    return types_pb2.CommandBook(cover=cover, pages=[page])


def told(name, call, request):
    try:
        print(f"{name}: {MessageToString(call(request), as_one_line=True)}")
    except Exception as error:  # the library wraps every status
        print(f"{name} failed: {error}")


def main(address):
    cover = types_pb2.Cover(domain="player", root=types_pb2.UUID(value=bytes([7] * 16)))
    client = SpeculativeClient.connect(address)
    told(
        "command",
        client.command_handler,
        command_handler_pb2.SpeculateCommandHandlerRequest(
            command=command(cover, 1),
            point_in_time=types_pb2.TemporalQuery(as_of_sequence=0),
        ),
    )
    told(
        "saga",
        client.saga,
        saga_pb2.SpeculateSagaRequest(request=saga_pb2.SagaHandleRequest(source=book(cover))),
    )
    told(
        "process manager",
        client.process_manager,
        process_manager_pb2.SpeculatePmRequest(
            request=process_manager_pb2.ProcessManagerHandleRequest(
                trigger=book(cover), process_state=types_pb2.EventBook(cover=cover)
            )
        ),
    )
    told(
        "projector",
        client.projector,
        projector_pb2.SpeculateProjectorRequest(events=book(cover)),
    )
    client.close()


main(sys.argv[1])
