"""The process manager `buy-in` of the poker demo on the released Python client library.

The same answers as `examples/poker/src/buy_in.rs`. It serves `angzarr.ProcessManagerService` and health.
"""

from angzarr_client.process_manager import ProcessManager, applies, handles, output_domain, prepares
from angzarr_client.process_manager_handler import ProcessManagerHandler
from angzarr_client.proto.angzarr import process_manager_pb2_grpc
from angzarr_client.proto.angzarr.types_pb2 import (
    UUID,
    CommandBook,
    CommandPage,
    Cover,
    Notification,
    RejectionNotification,
)
from angzarr_client.proto.examples.buy_in_pb2 import (
    BuyInCompleted,
    BuyInFailed,
    BuyInInitiated,
    BuyInOrchestratorState,
    BuyInRequested,
    ConfirmBuyIn,
    PlayerSeated,
    ReleaseBuyIn,
    SeatingRejected,
    SeatPlayer,
)
from angzarr_client.proto.examples.orchestration_pb2 import (
    BUY_IN_COMPLETED,
    BUY_IN_FAILED,
    BUY_IN_PHASE_UNSPECIFIED,
    BUY_IN_SEATING,
    OrchestrationFailure,
)
from angzarr_client.proto.examples.poker_types_pb2 import Currency
from google.protobuf.timestamp_pb2 import Timestamp

from serving import serve


def now():
    moment = Timestamp()
    moment.GetCurrentTime()
    return moment


def money(amount):
    return Currency(amount=amount, currency_code="USD")


class BuyIn(ProcessManager[BuyInOrchestratorState]):
    """From a player's wish to a seat at the table, or back.

    The library addresses a command to the root of the aggregate that triggered it. The recorded example leaves it at
    that, and so does this. What happens out of turn leads to nothing.
    """

    name = "buy-in"

    def _create_empty_state(self):
        return BuyInOrchestratorState()

    # ---- its own events ----

    @applies(BuyInInitiated)
    def initiated(self, state, event: BuyInInitiated):
        state.reservation_id = event.reservation_id
        state.player_root = event.player_root
        state.table_root = event.table_root
        state.seat = event.seat
        state.amount = event.amount.amount
        state.phase = event.phase
        state.started_at.CopyFrom(event.initiated_at)

    @applies(BuyInCompleted)
    def completed(self, state, _event: BuyInCompleted):
        state.phase = BUY_IN_COMPLETED

    @applies(BuyInFailed)
    def failed(self, state, _event: BuyInFailed):
        state.phase = BUY_IN_FAILED

    # ---- triggers ----

    @prepares(BuyInRequested)
    def table_of(self, event: BuyInRequested):
        return [Cover(domain="table", root=UUID(value=event.table_root))]

    @output_domain("table")
    @handles(BuyInRequested, input_domain="player")
    def requested(self, event: BuyInRequested, root):
        if self.state.phase != BUY_IN_PHASE_UNSPECIFIED:
            return None
        self._apply_and_record(
            BuyInInitiated(
                player_root=root,
                table_root=event.table_root,
                reservation_id=event.reservation_id,
                seat=event.seat,
                amount=money(event.amount.amount),
                phase=BUY_IN_SEATING,
                initiated_at=now(),
            )
        )
        return SeatPlayer(
            player_root=root,
            reservation_id=event.reservation_id,
            seat=event.seat,
            amount=event.amount.amount,
        )

    @output_domain("player")
    @handles(PlayerSeated, input_domain="table")
    def seated(self, event: PlayerSeated):
        if self.state.phase != BUY_IN_SEATING:
            return None
        self._apply_and_record(
            BuyInCompleted(
                player_root=event.player_root,
                table_root=self.state.table_root,
                reservation_id=event.reservation_id,
                seat=event.seat_position,
                amount=money(event.stack),
                completed_at=now(),
            )
        )
        return ConfirmBuyIn(reservation_id=event.reservation_id)

    @output_domain("player")
    @handles(SeatingRejected, input_domain="table")
    def rejected(self, event: SeatingRejected):
        if self.state.phase != BUY_IN_SEATING:
            return None
        return self.gives_up(event.player_root, event.reservation_id, event.reason)

    @handles(Notification, input_domain="table")
    def refused(self, event: Notification):
        """The table refused the command, so there is no event, only the framework's notification."""
        rejection = RejectionNotification()
        if self.state.phase != BUY_IN_SEATING or not event.payload.Unpack(rejection):
            return None
        commands = rejection.rejected_command.pages
        if not commands or not commands[0].command.Is(SeatPlayer.DESCRIPTOR):
            return None
        player = self.state.player_root
        page = CommandPage()
        page.command.Pack(self.gives_up(player, self.state.reservation_id, rejection.rejection_reason))
        return CommandBook(cover=Cover(domain="player", root=UUID(value=player)), pages=[page])

    def gives_up(self, player, reservation, reason):
        self._apply_and_record(
            BuyInFailed(
                player_root=player,
                reservation_id=reservation,
                failure=OrchestrationFailure(
                    code="SEATING_REJECTED",
                    message=reason,
                    failed_at_phase="SEATING",
                    failed_at=now(),
                ),
            )
        )
        return ReleaseBuyIn(reservation_id=reservation, reason=reason)


def handle(trigger, process_state, destination_sequences):
    """Works around the library, which answers with a book of own events even if there are none, and gives no correlation
    id to a handler that addresses a command itself."""
    response = BuyIn.handle(trigger, process_state, destination_sequences)
    for book in response.commands:
        book.cover.correlation_id = trigger.cover.correlation_id
    if not response.process_events.pages:
        response.ClearField("process_events")
    return response


if __name__ == "__main__":
    serve(
        BuyIn.name,
        process_manager_pb2_grpc.add_ProcessManagerServiceServicer_to_server,
        ProcessManagerHandler(BuyIn).with_handle(handle),
        "50054",
    )
