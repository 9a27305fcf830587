"""Where in a TOML file each key and each element stands. Pure.

Parsers that keep places give them for the document's text and not for keys and elements, and the
standard library's keeps none; an error that names no line makes people search. The text has been
parsed before, so this follows its structure and leaves judging it to the parser.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping

Path = tuple[str | int, ...]
"""Keys, and numbers of elements from 0: ``("rule", 0, "name")``."""

_SPACE = re.compile(r"(?:\s|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:[^"\\]|\\.)*"' + r"|'[^']*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]+")


def lines_of(text: str) -> Mapping[Path, int]:
    """The line, from 1, of each table, key and element of ``text``, which is valid TOML 1.0."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._line_starts = [found.end() for found in re.finditer("\n", text)]
        self._tables: Counter[Path] = Counter()
        """How many tables each array of tables has so far."""

    def scan(self) -> None:
        table: Path = ()
        while self._next():
            if self._takes("[["):
                *outer, name = self._key()
                array = (*self._within(outer), name)
                table = (*array, self._tables[array])
                self._tables[array] += 1
                self._mark(table)
                self._takes("]]")
            elif self._takes("["):
                table = self._within(self._key())
                self._mark(table)
                self._takes("]")
            else:
                self._pair(table)

    def _within(self, key: list[str]) -> Path:
        """The path of the table ``key``; of an array of tables its last one is meant."""
        path: Path = ()
        for part in key:
            path = (*path, part)
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        path = (*table, *self._key())
        self._mark(path)
        self._next()
        self._takes("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        start = self._next()
        if self._takes("{"):
            while self._next() != "}":
                self._pair(path)
                self._next()
                self._takes(",")
            self._takes("}")
        elif self._takes("["):
            number = 0
            while self._next() != "]":
                self._mark((*path, number))
                self._value((*path, number))
                number += 1
                self._next()
                self._takes(",")
            self._takes("]")
        else:
            self._match(_STRING if start in "\"'" else _BARE_VALUE)

    def _key(self) -> list[str]:
        parts = []
        while True:
            quoted = self._next() in "\"'"
            part = self._match(_STRING if quoted else _BARE_KEY)
            parts.append(tomllib.loads(f"k={part}")["k"] if quoted else part)
            self._next()
            if not self._takes("."):
                return parts

    def _mark(self, path: Path) -> None:
        """Note ``path``, and what it lies in where that has no line of its own, to be here."""
        line = bisect_right(self._line_starts, self._at) + 1
        for length in range(len(path), 0, -1):
            self.lines.setdefault(path[:length], line)

    def _next(self) -> str:
        """Pass over space and comments; the character then, empty at the end."""
        self._match(_SPACE)
        return self._text[self._at : self._at + 1]

    def _takes(self, mark: str) -> bool:
        if taken := self._text.startswith(mark, self._at):
            self._at += len(mark)
        return taken

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"not TOML at character {self._at}")
        self._at = found.end()
        return found.group()
