"""The saga `hand-player` of the poker demo on the released Python client library.

The same answers as `examples/poker/src/sagas.rs`. It serves `angzarr.SagaService` and health.
"""

from angzarr_client import Destinations
from angzarr_client.proto.angzarr import saga_pb2_grpc
from angzarr_client.proto.angzarr.types_pb2 import UUID, CommandBook, CommandPage, Cover
from angzarr_client.proto.examples.hand_pb2 import HandComplete
from angzarr_client.proto.examples.player_pb2 import DepositFunds
from angzarr_client.proto.examples.poker_types_pb2 import Currency
from angzarr_client.saga import Saga, domain, handles, output_domain
from angzarr_client.saga_handler import SagaHandler

from serving import serve

PLAYER = "player"


def payout(root, amount):
    deposit = DepositFunds(amount=Currency(amount=amount, currency_code="CHIPS"))
    page = CommandPage()
    page.command.Pack(deposit)
    return CommandBook(cover=Cover(domain=PLAYER, root=UUID(value=root)), pages=[page])


@domain("hand")
@output_domain(PLAYER)
class HandPlayer(Saga):
    """Pays the winners of a hand: one command per winner, in the order of the pots.

    Returns complete command books, because the library would address plain commands to the root of the hand.
    """

    name = "hand-player"

    @handles(HandComplete)
    def pay(self, event: HandComplete, destinations: Destinations):
        won = {}
        for pot in event.winners:
            won[pot.player_root] = won.get(pot.player_root, 0) + pot.amount
        books = [payout(root, amount) for root, amount in won.items()]
        if destinations.sequence_for(PLAYER):
            for book in books:
                destinations.stamp_command(book, PLAYER)
        return books or None


if __name__ == "__main__":
    serve(HandPlayer.name, saga_pb2_grpc.add_SagaServiceServicer_to_server, SagaHandler(HandPlayer), "50053")
