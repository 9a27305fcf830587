"""What hostile input is made of: a valid payload of each codec, a valid record of each event."""

from __future__ import annotations

from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from schemas import EVENT_TYPES, Codec, Event
from tests.detection.test_decode import key_frame, picture

CODECS = ("jpeg", "png", "webp", "h264", "hevc", "av1")
_PLAIN: dict[type, Any] = {str: "text", bytes: b"bytes", bool: True, int: 12345, float: 0.5}


def payloads() -> dict[str, list[bytes]]:
    """By codec."""
    return {
        "jpeg": [picture(), picture(320, 240)],
        "png": [picture(file_format="PNG")],
        "webp": [picture(file_format="WEBP")],
        "h264": [key_frame("libx264")],
        "hevc": [key_frame("libx265")],
        "av1": [key_frame("libsvtav1")],
    }


def records() -> dict[type[Event], bytes]:
    """By event, every field with something in it."""
    codec = Codec()
    return {made: codec.encode(_filled(made)) for made in EVENT_TYPES.values()}


def corpus(target: str) -> list[bytes]:
    """Valid input of a target of ``guided``, as it takes it: a number says of what kind it is."""
    match target:
        case "payload":
            found = payloads()
            return [
                bytes([number]) + payload
                for number, codec in enumerate(CODECS)
                for payload in found[codec]
            ]
        case "codec":
            # Behind the number, a byte that asks for the schema's own ten in front.
            return [bytes([number, 0]) + it[10:] for number, it in enumerate(records().values())]
        case _:
            return [b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"]


def _filled(record: Any) -> Any:
    hints = get_type_hints(record)
    return record(**{it.name: _value(hints[it.name]) for it in msgspec.structs.fields(record)})


def _value(hint: Any) -> Any:
    if get_origin(hint) is list:
        return [_value(get_args(hint)[0])] * 2
    return _filled(hint) if issubclass(hint, msgspec.Struct) else _PLAIN[hint]
