"""Operations as data: what can be asked of the API, of whom, and what answers.

The routes and the OpenAPI document are made of the same operations, so that neither says what the
other does not.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, Literal, TypeVar

import msgspec

from ..access.roles import Permission
from ..routing import Visit

A = TypeVar("A", bound=msgspec.Struct)
B = TypeVar("B")

JSON = "application/json"
_PART = re.compile(r"\{(\w+)\}")


class NothingAsked(msgspec.Struct, frozen=True):
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Call(Generic[A, B]):
    """One request of an operation, read and found to be what can be asked."""

    visit: Visit
    asked: A
    body: B


@dataclass(frozen=True, slots=True)
class Operation(Generic[A, B]):
    """What answers a method at a path."""

    name: str
    """Its ``operationId``."""
    method: Literal["GET", "POST"]
    path: str
    permission: Permission
    summary: str
    tag: str
    answers: Any
    """The type of what the answer's body says; of no meaning where that is a file."""
    asks: type[A]
    """The parameters: those that the path names are in it, the others in the query."""
    handle: Callable[[Call[A, B]], Awaitable[object]] | None
    """Gives the answer's body, of ``answers`` or its JSON; the answer itself where that is a file.
    Raises ``Refused``. ``None`` where another part of the worker serves it."""
    body: type[B] | None = None
    status: HTTPStatus = HTTPStatus.OK
    refuses: tuple[HTTPStatus, ...] = ()
    """With what, besides what follows from the rest."""
    also: tuple[HTTPStatus, ...] = ()
    """Other statuses whose body is of ``answers``."""
    media: tuple[str, ...] = (JSON,)
    """What an answer comes as: one of these."""

    @property
    def is_json(self) -> bool:
        """Whether it answers in JSON, and not with a file."""
        return self.media == (JSON,)

    @property
    def parts(self) -> list[str]:
        """Names of the path's parts."""
        return _PART.findall(self.path)


AnyOperation = Operation[Any, Any]
