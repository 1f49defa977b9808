"""Functions on a connection become methods of the ledger: each call has a transaction of its own.

What a method does and says is what its function does and says; `Ledger` only lists them.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

P = ParamSpec("P")
T = TypeVar("T")


class Transactions(Protocol):
    """The ledger of one study, as far as its methods need it."""

    @property
    def name(self) -> str:
        """The study's name."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to read with."""

    def writing(self, what: str) -> AbstractContextManager[Connection]:
        """A transaction under the lease."""

    def requesting(self) -> AbstractContextManager[Connection]:
        """A transaction that needs no lease."""


Function = Callable[Concatenate[Connection, str, P], T]  # of a connection, the study's name, and more
Method = Callable[Concatenate[Transactions, P], T]


def read(function: Function[P, T]) -> Method[P, T]:
    """A method that reads."""
    return _method(function, lambda ledger: ledger.reading())


def write(what: str, function: Function[P, T]) -> Method[P, T]:
    """A method that writes, under the lease; `what` names its crash points and whether it is durable."""
    return _method(function, lambda ledger: ledger.writing(what))


def request(function: Function[P, T]) -> Method[P, T]:
    """A method by which any process leaves something for the driver."""
    return _method(function, lambda ledger: ledger.requesting())


def _method(
    function: Function[P, T], transaction: Callable[[Transactions], AbstractContextManager[Connection]]
) -> Method[P, T]:
    @wraps(function)
    def method(self: Transactions, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with transaction(self) as connection:
            return function(connection, self.name, *args, **kwargs)

    return method
