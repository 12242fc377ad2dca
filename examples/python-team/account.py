"""Bank accounts. A shop or a hotel can place a hold on money, which is then not available for withdrawals."""

from angzarr_client import CommandRejectedError, CommandRouter, StateRouter, run_command_handler_server

import account_pb2 as bank


class Account:
    def __init__(self):
        self.balance = 0
        self.holds = {}


def deposited(account, event):
    account.balance += event.cents


def withdrawn(account, event):
    account.balance -= event.cents


def hold_placed(account, event):
    account.holds[event.hold] = event.cents


def hold_released(account, event):
    account.holds.pop(event.hold, None)


HISTORY = (
    StateRouter(Account)
    .on(bank.AccountOpened, lambda account, event: None)
    .on(bank.MoneyDeposited, deposited)
    .on(bank.MoneyWithdrawn, withdrawn)
    .on(bank.HoldPlaced, hold_placed)
    .on(bank.HoldReleased, hold_released)
)


def require(condition, otherwise):
    if not condition:
        raise CommandRejectedError(otherwise)


def open_account(command, account, sequence):
    return bank.AccountOpened(owner=command.owner)


def deposit(command, account, sequence):
    require(command.cents > 0, "a deposit must be positive")
    return bank.MoneyDeposited(cents=command.cents)


def withdraw(command, account, sequence):
    available = account.balance - sum(account.holds.values())
    require(command.cents <= available, f"only {available / 100:.2f} available")
    return bank.MoneyWithdrawn(cents=command.cents, balance=account.balance - command.cents)


def place_hold(command, account, sequence):
    return bank.HoldPlaced(hold=command.hold, cents=command.cents)


def release_hold(command, account, sequence):
    require(command.hold in account.holds, f"there is no hold {command.hold}")
    return bank.HoldReleased(hold=command.hold)


ROUTER = (
    CommandRouter("account")
    .with_state(HISTORY)
    .on(bank.OpenAccount, open_account)
    .on(bank.DepositMoney, deposit)
    .on(bank.WithdrawMoney, withdraw)
    .on(bank.PlaceHold, place_hold)
    .on(bank.ReleaseHold, release_hold)
)

if __name__ == "__main__":
    run_command_handler_server(ROUTER, "50051")
