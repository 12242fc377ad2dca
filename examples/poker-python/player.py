"""The player aggregate of the poker demo on the released Python client library.

The same rules and texts as `examples/poker/src/player.rs`, so that both peers give the same answers.
It serves `angzarr.CommandHandlerService` and health on 127.0.0.1:$PORT until it gets a signal to end.
"""

from angzarr_client import (
    CommandHandlerGrpc,
    CommandRejectedError,
    CommandRouter,
    StateRouter,
)
from angzarr_client.proto.angzarr import command_handler_pb2_grpc
from angzarr_client.proto.angzarr.command_handler_pb2 import BusinessResponse, RevocationResponse
from angzarr_client.proto.angzarr.types_pb2 import (
    EventBook,
    EventPage,
    Notification,
    PageHeader,
    RejectionNotification,
)
from angzarr_client.proto.examples.player_pb2 import (
    ActionRequested,
    DepositFunds,
    FundsDeposited,
    FundsReleased,
    FundsReserved,
    FundsTransferred,
    FundsWithdrawn,
    PlayerRegistered,
    PlayerReturningToPlay,
    PlayerSittingOut,
    PlayerState,
    RegisterPlayer,
    ReleaseFunds,
    RequestAction,
    ReserveFunds,
    SitIn,
    SitOut,
    TransferFunds,
    WithdrawFunds,
)
from angzarr_client.proto.examples.poker_types_pb2 import Currency
from google.protobuf.timestamp_pb2 import Timestamp

from serving import serve

LARGEST = 2**63 - 1
ACTIVE = "active"
SITTING_OUT = "sitting_out"


def now():
    moment = Timestamp()
    moment.GetCurrentTime()
    return moment


# ---- checks ----


def require(holds, otherwise):
    if not holds:
        raise CommandRejectedError(otherwise)


def require_filled(value, field):
    require(value, f"{field} must not be empty")


def require_exists(state):
    require(state != PlayerState(), "Player does not exist")


def require_positive(amount):
    require(amount.amount > 0, "amount must be positive")


def require_available(state, amount):
    require(state.bankroll.amount - state.reserved_funds.amount >= amount, "Insufficient funds")


def total(a, b):
    require(a + b <= LARGEST, "amount is too large")
    return a + b


def money(state, amount, code=""):
    """An amount in the bankroll's currency, or in `code` if the bankroll has none yet."""
    return Currency(amount=amount, currency_code=state.bankroll.currency_code or code)


# ---- events ----


def registered(state, event):
    state.display_name = event.display_name
    state.email = event.email
    state.player_type = event.player_type
    state.ai_model_id = event.ai_model_id
    state.status = ACTIVE


def balance_changed(state, event):
    state.bankroll.CopyFrom(event.new_balance)


def reserved(state, event):
    state.table_reservations[event.table_root.hex()] = event.amount.amount
    state.reserved_funds.CopyFrom(event.new_reserved_balance)


def released(state, event):
    state.table_reservations.pop(event.table_root.hex(), None)
    state.reserved_funds.CopyFrom(event.new_reserved_balance)


def sat_out(state, _event):
    state.status = SITTING_OUT


def sat_in(state, _event):
    state.status = ACTIVE


HISTORY = (
    StateRouter(PlayerState)
    .on(PlayerRegistered, registered)
    .on(FundsDeposited, balance_changed)
    .on(FundsWithdrawn, balance_changed)
    .on(FundsTransferred, balance_changed)
    .on(FundsReserved, reserved)
    .on(FundsReleased, released)
    .on(PlayerSittingOut, sat_out)
    .on(PlayerReturningToPlay, sat_in)
)


# ---- commands ----


def register(command, state, _sequence):
    require(state == PlayerState(), "Player already exists")
    require_filled(command.display_name, "display_name")
    require_filled(command.email, "email")
    return PlayerRegistered(
        display_name=command.display_name,
        email=command.email,
        player_type=command.player_type,
        ai_model_id=command.ai_model_id,
        registered_at=now(),
    )


def deposit(command, state, _sequence):
    require_exists(state)
    require_positive(command.amount)
    balance = total(state.bankroll.amount, command.amount.amount)
    return FundsDeposited(
        amount=command.amount,
        new_balance=money(state, balance, command.amount.currency_code),
        deposited_at=now(),
    )


def withdraw(command, state, _sequence):
    require_exists(state)
    require_positive(command.amount)
    require_available(state, command.amount.amount)
    balance = state.bankroll.amount - command.amount.amount
    return FundsWithdrawn(
        amount=command.amount,
        new_balance=money(state, balance, command.amount.currency_code),
        withdrawn_at=now(),
    )


def reserve(command, state, _sequence):
    require_exists(state)
    require_positive(command.amount)
    require_filled(command.table_root, "table_root")
    require(command.table_root.hex() not in state.table_reservations, "Funds already reserved for table")
    require_available(state, command.amount.amount)
    bound = total(state.reserved_funds.amount, command.amount.amount)
    code = command.amount.currency_code
    return FundsReserved(
        amount=command.amount,
        table_root=command.table_root,
        new_available_balance=money(state, state.bankroll.amount - bound, code),
        new_reserved_balance=money(state, bound, code),
        reserved_at=now(),
    )


def release(command, state, _sequence):
    require_exists(state)
    require_filled(command.table_root, "table_root")
    amount = state.table_reservations.get(command.table_root.hex())
    require(amount is not None, "No funds reserved for table")
    return freed(state, command.table_root, amount)


def freed(state, table_root, amount):
    bound = state.reserved_funds.amount - amount
    return FundsReleased(
        amount=money(state, amount),
        table_root=table_root,
        new_available_balance=money(state, state.bankroll.amount - bound),
        new_reserved_balance=money(state, bound),
        released_at=now(),
    )


def sit_out(command, state, _sequence):
    require_exists(state)
    require_filled(command.table_root, "table_root")
    require(state.status != SITTING_OUT, "Player is already sitting out")
    return PlayerSittingOut(table_root=command.table_root, sat_out_at=now())


def sit_in(command, state, _sequence):
    require_exists(state)
    require_filled(command.table_root, "table_root")
    require(state.status == SITTING_OUT, "Player is not sitting out")
    return PlayerReturningToPlay(table_root=command.table_root, sat_in_at=now())


def transfer(root):
    """The command is addressed to the player who receives the money."""

    def handle(command, state, _sequence):
        require_exists(state)
        require_positive(command.amount)
        require_filled(command.from_player_root, "from_player_root")
        require(command.from_player_root != root, "Player cannot transfer funds to itself")
        balance = total(state.bankroll.amount, command.amount.amount)
        return FundsTransferred(
            from_player_root=command.from_player_root,
            to_player_root=root,
            amount=command.amount,
            hand_root=command.hand_root,
            reason=command.reason,
            new_balance=money(state, balance, command.amount.currency_code),
            transferred_at=now(),
        )

    return handle


def request_action(root):
    def handle(command, state, _sequence):
        require_exists(state)
        require_filled(command.hand_root, "hand_root")
        require(command.timeout_seconds >= 0, "timeout_seconds must not be negative")
        deadline = now()
        deadline.seconds += command.timeout_seconds
        return ActionRequested(
            hand_root=command.hand_root,
            table_root=command.table_root,
            player_root=root,
            player_type=state.player_type,
            amount_to_call=command.amount_to_call,
            min_raise=command.min_raise,
            max_raise=command.max_raise,
            hole_cards=command.hole_cards,
            community_cards=command.community_cards,
            pot_size=command.pot_size,
            phase=command.phase,
            deadline=deadline,
        )

    return handle


# ---- refusals of what the events led to ----


def compensate(request, told):
    """Releases money that was reserved for a table if the table refused the player.

    Decodes the notification itself, because the library's router recognises it under one prefix only, which is not the
    one that coordinators use.
    """
    notification, rejection = Notification(), RejectionNotification()
    notification.ParseFromString(told.value)
    if not notification.payload.Unpack(rejection):
        return BusinessResponse(events=EventBook())
    book = rejection.rejected_command
    rejected = book.pages[0].command.TypeName() if book.pages else ""
    if rejected != "examples.JoinTable":
        reason = f"No compensation for {rejected}: {rejection.rejection_reason}"
        return BusinessResponse(revocation=RevocationResponse(emit_system_revocation=True, reason=reason))
    table = book.cover.root.value
    state = HISTORY.with_event_book(request.events)
    amount = state.table_reservations.get(table.hex())
    if amount is None:
        return BusinessResponse(events=EventBook())
    page = EventPage(header=PageHeader(sequence=request.events.next_sequence))
    page.event.Pack(freed(state, table, amount))
    return BusinessResponse(events=EventBook(pages=[page]))


class Player:
    """The aggregate in the form that the library's servicer expects.

    The library's router does not tell handlers the root of a command, so each command gets a router of its own that
    knows it.
    """

    domain = "player"

    def dispatch(self, request):
        root = request.command.cover.root.value
        for page in request.command.pages[:1]:
            if page.command.TypeName().endswith(".Notification"):
                return compensate(request, page.command)
        router = (
            CommandRouter[PlayerState](self.domain)
            .with_state(HISTORY)
            .on(RegisterPlayer, register)
            .on(DepositFunds, deposit)
            .on(WithdrawFunds, withdraw)
            .on(ReserveFunds, reserve)
            .on(ReleaseFunds, release)
            .on(SitOut, sit_out)
            .on(SitIn, sit_in)
            .on(TransferFunds, transfer(root))
            .on(RequestAction, request_action(root))
        )
        return router.dispatch(request)


def main():
    serve(
        Player.domain,
        command_handler_pb2_grpc.add_CommandHandlerServiceServicer_to_server,
        CommandHandlerGrpc(Player()),
        "50052",
    )


if __name__ == "__main__":
    main()
