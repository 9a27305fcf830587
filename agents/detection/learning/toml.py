"""Writing TOML 1.0: what the standard library only reads. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(tables: Mapping[str, Any]) -> str:
    """``tables`` as TOML, in their order: values, then tables, then arrays of tables.

    Tables further down are written inline. What is ``None`` is left out, since TOML has no null.
    """
    blocks = ["".join(_values(tables, lambda value: not _is_table(value) and not _is_array(value)))]
    for key, value in tables.items():
        if _is_table(value):
            blocks.append(f"[{_key(key)}]\n" + "".join(_values(value)))
        elif _is_array(value):
            blocks.extend(f"[[{_key(key)}]]\n" + "".join(_values(table)) for table in value)
    return "\n".join(block for block in blocks if block)


def _values(table: Mapping[str, Any], wanted: Any = lambda _: True) -> Iterator[str]:
    for key, value in table.items():
        if value is not None and wanted(value):
            yield f"{_key(key)} = {_value(value)}\n"


def _value(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return _string(value)
        case Mapping():
            inner = (f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None)
            return "{" + ", ".join(inner) + "}"
        case list() | tuple():
            # A table a line, so that a difference of two files shows which.
            if _is_array(value):
                return "[\n" + "".join(f"  {_value(item)},\n" for item in value) + "]"
            return "[" + ", ".join(map(_value, value)) + "]"
    raise TypeError(f"TOML has no {type(value).__name__}")


def _string(text: str) -> str:
    # JSON's escapes are TOML's too; TOML forbids DEL besides.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_array(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(_is_table, value))
