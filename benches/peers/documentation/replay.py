"""How many cases per second a script replays that works as Angzarr's documentation shows: it reads stored events, and gives them
to the handler with a command.

Usage: replay.py EVENTS SECONDS. Prints the cases per second. The handler is that of examples/poker-python, which uses the
released client library.
"""

import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../examples/poker-python"))

from angzarr_client.proto.angzarr.types_pb2 import CommandBook, CommandPage, ContextualCommand
from angzarr_client.proto.angzarr.types_pb2 import Cover, EventBook, EventPage, PageHeader, UUID
from angzarr_client.proto.examples.player_pb2 import FundsDeposited, FundsWithdrawn, PlayerRegistered, WithdrawFunds
from angzarr_client.proto.examples.poker_types_pb2 import Currency

from player import Player, now


def request(events):
    """A player who registered and made deposits, and who withdraws money."""
    cover = Cover(domain="player", root=UUID(value=bytes([7] * 16)))
    book = EventBook(cover=cover, next_sequence=events)
    for sequence in range(events):
        page = EventPage(header=PageHeader(sequence=sequence))
        if sequence == 0:
            page.event.Pack(PlayerRegistered(display_name="Alice", email="alice@example.com", registered_at=now()))
        else:
            balance = Currency(amount=sequence * 100, currency_code="USD")
            amount = Currency(amount=100, currency_code="USD")
            page.event.Pack(FundsDeposited(amount=amount, new_balance=balance, deposited_at=now()))
        book.pages.append(page)
    command = CommandPage(header=PageHeader(sequence=events))
    command.command.Pack(WithdrawFunds(amount=Currency(amount=50, currency_code="USD")))
    return ContextualCommand(events=book, command=CommandBook(cover=cover, pages=[command]))


def main(events, seconds):
    with tempfile.NamedTemporaryFile() as file:
        file.write(request(events).SerializeToString())
        file.flush()
        cases = 0
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            with open(file.name, "rb") as stored:
                replayed = ContextualCommand.FromString(stored.read())
            response = Player().dispatch(replayed)
            withdrawn = FundsWithdrawn()
            assert response.events.pages[0].event.Unpack(withdrawn)
            assert withdrawn.new_balance.amount == (events - 1) * 100 - 50
            cases += 1
        print(f"{cases / (time.monotonic() - began):.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
