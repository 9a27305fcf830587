"""A fuzzer guided by coverage: ``python -m tests.fuzz.guided TARGET [libFuzzer option…] [FOLDER]``.

Any exception but those that callers are told to expect ends it, with the input that led there.
``seeds.corpus`` has what each target may begin with, to be laid in the folder.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["schemas", "agents", "fastavro"]):
    from agents.detection.decode import DecodeBounds, Decoder
    from agents.detection.payload import too_many_parts, without_ancillary_chunks
    from schemas import EVENT_TYPES, Codec, EventUnreadable, read_header, read_traceparent

from tests.builders import frame_sampled
from tests.detection.test_decode import input_spec
from tests.fuzz.seeds import CODECS, records

CODEC = Codec()
DECODER = Decoder(input_spec(), DecodeBounds(payload_bytes=1 << 16, pixels=640 * 480))
_KINDS = list(EVENT_TYPES.values())
PREFIXES = {kind.__name__: value[:10] for kind, value in records().items()}


def codec(data: bytes) -> None:
    """Any record of any kind."""
    kind = _KINDS[data[0] % len(_KINDS)] if data else _KINDS[0]
    prefix = PREFIXES[kind.__name__] if data[1:2] < b"\xf0" else b""
    try:
        CODEC.decode(prefix + data[2:], kind)
    except EventUnreadable:
        return


def headers(data: bytes) -> None:
    """Any header of any name."""
    pairs = [("traceparent", data), (data[:8].decode("latin-1"), data[8:])]
    read_traceparent(pairs)
    read_header(pairs, "ce_id")


def payload(data: bytes) -> None:
    """Any payload of any codec, decoded in this process."""
    name = CODECS[data[0] % len(CODECS)] if data else CODECS[0]
    too_many_parts(name, data[1:])
    without_ancillary_chunks(data[1:])
    DECODER.decode(frame_sampled(codec=name, payload=data[1:]))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "codec": codec,
    "headers": headers,
    "payload": payload,
}


def main() -> None:
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
