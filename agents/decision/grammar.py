"""What a TOML file may say: one description from which files are read and a JSON Schema is made.
Pure.

Reading gives back what was said and no defaults, so that these stand in one place, the records.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from schemas import MICROSECONDS

from .toml_lines import Path

_UNITS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "day": 86400, "days": 86400}
_DURATION = re.compile(rf"([0-9]+(?:\.[0-9]+)?) ?({'|'.join(_UNITS)})")
_LONGEST_DAYS = 366
_SHOWN = 40
"""Most characters of a wrong value that an error repeats."""


class Misfit(Exception):
    """What stands at ``path`` does not fit; the message says what was expected there."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(problem)
        self.path = path


class Kind(Protocol):
    """What may stand in one place."""

    def read(self, value: object, path: Path) -> Any:
        """What ``value`` means. Raises ``Misfit``."""
        ...

    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema, as far as that can say it."""
        ...


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. ``convert`` raises ``ValueError`` for what does not fit."""

    expects: str
    """Completes the sentence "expected …"."""
    convert: Callable[[object], Any]
    json: Mapping[str, Any]

    def read(self, value: object, path: Path) -> Any:
        try:
            return self.convert(value)
        except ValueError:
            raise Misfit(path, f"expected {self.expects}, found {shown(value)}") from None

    def schema(self) -> dict[str, Any]:
        return dict(self.json)


@dataclass(frozen=True, slots=True)
class ListOf:
    """At least ``fewest`` of a kind; read as a tuple."""

    kind: Kind
    fewest: int = 0

    def read(self, value: object, path: Path) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Misfit(path, f"expected a list, found {shown(value)}")
        if len(value) < self.fewest:
            raise Misfit(path, f"expected at least {self.fewest}, found {len(value)}")
        return tuple(self.kind.read(item, (*path, n)) for n, item in enumerate(value))

    def schema(self) -> dict[str, Any]:
        fewest = {"minItems": self.fewest} if self.fewest else {}
        return {"type": "array", "items": self.kind.schema(), **fewest}


@dataclass(frozen=True, slots=True)
class MapOf:
    """Values of one kind under keys of the file's own, which match ``pattern``."""

    pattern: str
    expects: str
    kind: Kind

    def read(self, value: object, path: Path) -> dict[str, Any]:
        table = _table(value, path)
        for key in table:
            if not re.fullmatch(self.pattern, key):
                raise Misfit((*path, key), f"expected {self.expects}, found {shown(key)}")
        return {key: self.kind.read(item, (*path, key)) for key, item in table.items()}

    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "patternProperties": {f"^{self.pattern}$": self.kind.schema()},
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table, with what an editor says about it."""

    kind: Kind
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class TableOf:
    """A table whose keys are known; read as those that it has."""

    fields: Mapping[str, Field]
    about: str = ""

    def read(self, value: object, path: Path) -> dict[str, Any]:
        table = _table(value, path)
        for key in table:
            if key not in self.fields:
                raise Misfit((*path, key), f"unknown key{suggestion(key, self.fields)}")
        for key, field in self.fields.items():
            if field.required and key not in table:
                raise Misfit(path, f"'{key}' is missing")
        return {key: self.fields[key].kind.read(it, (*path, key)) for key, it in table.items()}

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object"}
        if self.about:
            schema["description"] = self.about
        schema["properties"] = {
            key: {"description": field.about, **field.kind.schema()}
            for key, field in self.fields.items()
        }
        if required := [key for key, field in self.fields.items() if field.required]:
            schema["required"] = required
        return {**schema, "additionalProperties": False}


def text(pattern: str, expects: str) -> Scalar:
    """Text of which all matches ``pattern``."""

    def convert(value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return Scalar(expects, convert, {"type": "string", "pattern": f"^({pattern})$"})


def choice(*words: str) -> Scalar:
    def convert(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return Scalar(f"one of {', '.join(words)}", convert, {"enum": list(words)})


def number(lowest: float, highest: float = math.inf) -> Scalar:
    """A number within the bounds, both inclusive; read as a float."""

    def convert(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        try:
            found = float(value)
        except OverflowError:
            raise ValueError from None
        if not lowest <= found <= highest or math.isinf(found):
            raise ValueError
        return found

    return Scalar(
        f"a number {_range(lowest, highest)}", convert, _bounded("number", lowest, highest)
    )


def whole(lowest: int, highest: int) -> Scalar:
    """A whole number within the bounds, both inclusive."""

    def convert(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise ValueError
        return value

    expects = f"a whole number {_range(lowest, highest)}"
    return Scalar(expects, convert, _bounded("integer", lowest, highest))


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


TRUTH = Scalar("true or false", _truth, {"type": "boolean"})


def _duration(value: object) -> int:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    seconds = float(found[1]) * _UNITS[found[2]]
    if not 0 < seconds <= _LONGEST_DAYS * _UNITS["days"]:
        raise ValueError
    return max(round(seconds * MICROSECONDS), 1)


DURATION = Scalar(
    f'a duration such as "10 s", "5 min", "1 h", "7 days", at most {_LONGEST_DAYS} days',
    _duration,
    {"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["10 s", "5 min"]},
)
"""Read as microseconds."""


def suggestion(key: str, known: Collection[str]) -> str:
    """What was meant by ``key``, where that can be guessed, or else what there is."""
    if close := get_close_matches(key, known, 1):
        return f", did you mean '{close[0]}'?"
    return f"; known are {', '.join(known)}"


def _table(value: object, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misfit(path, f"expected a table, found {shown(value)}")
    return value


def shown(value: object) -> str:
    """What a file says and should not, in a form and a length for messages."""
    match value:
        case dict():
            return "a table"
        case list():
            return "a list"
        case bool():
            return str(value).lower()
        case str():
            return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…")
        case int() if abs(value) >= 10**_SHOWN:
            return "a number that is too large"
    return str(value)[:_SHOWN]


def _range(lowest: float, highest: float) -> str:
    return f"of at least {lowest:g}" if math.isinf(highest) else f"{lowest:g} to {highest:g}"


def _bounded(kind: str, lowest: float, highest: float) -> dict[str, Any]:
    most = {} if math.isinf(highest) else {"maximum": highest}
    return {"type": kind, "minimum": lowest, **most}
