"""Reads what was asked of an operation, and says what is wrong with it and where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from aiohttp import StreamReader, web
from multidict import MultiMapping

from .problems import Refused, Wrong, invalid

B = TypeVar("B")

MOST_BYTES = 64 * 1024
"""Of a body: 100 ids and a reason are a tenth of it."""
_JSON = "application/json"
_PLACE = re.compile(r" - at `\$\.?(.*)`$")


def read_asked(asks: type[B], parts: Mapping[str, str], query: MultiMapping[str]) -> B:
    """The parameters. Raises ``Refused``, with 404 where a part of the path can't be one."""
    fields = {it.encode_name: it for it in msgspec.structs.fields(asks)}  # type: ignore[arg-type]
    found: dict[str, Any] = dict(parts)
    wrong = []
    for name in dict.fromkeys(query):
        values = query.getall(name)
        if name in parts or name not in fields:
            wrong.append(Wrong("There is no such parameter.", parameter=name))
        elif _is_list(fields[name].type):
            found[name] = values
        elif len(values) > 1:
            wrong.append(Wrong("It is said more than once.", parameter=name))
        else:
            found[name] = values[0]
    if wrong:
        raise invalid(wrong)
    try:
        return msgspec.convert(found, asks, strict=False)
    except msgspec.ValidationError as error:
        detail, place = _read(error)
        if place and place[0] in parts:
            raise Refused(HTTPStatus.NOT_FOUND, "There is nothing here.", "not-found") from None
        raise invalid([Wrong(detail, parameter=place[0] if place else "")]) from None


async def read_body(request: web.Request, body: type[B]) -> B:
    """The body, which is JSON. Raises ``Refused``."""
    if request.content_type != _JSON:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body is to be {_JSON}.", "not-json")
    raw = await _bounded(request.content)
    try:
        return msgspec.json.decode(raw, type=body)
    except msgspec.ValidationError as error:
        detail, place = _read(error)
        pointer = "".join(f"/{it}" for it in place)
        raise invalid([Wrong(detail, pointer=f"#{pointer}")]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"It is no JSON: {error}", "no-json") from None


async def _bounded(content: StreamReader) -> bytes:
    raw = bytearray()
    async for chunk in content.iter_any():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {MOST_BYTES} bytes.", "too-long"
            )
    return bytes(raw)


def _is_list(kind: Any) -> bool:
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_origin(plain) is list


def _read(error: msgspec.ValidationError) -> tuple[str, list[str]]:
    """What is wrong, and the names and numbers that lead to it."""
    text = str(error)
    found = _PLACE.search(text)
    place = found[1].replace("[", ".").replace("]", "") if found else ""
    return _PLACE.sub("", text) + ".", [it for it in place.split(".") if it]
