"""What a payload can make a decoder do, read off its bytes before the decoder sees them. Pure."""

from __future__ import annotations

_MOST_PARTS = {
    "jpeg": (b"\xff\xda", 100, "scans"),
    "h264": (b"\0\0\1", 1000, "units"),
    "hevc": (b"\0\0\1", 1000, "units"),
}
"""Marker, how many of it one picture may have, and what it begins.

Each JPEG scan goes over the whole picture again, and one of 50 bytes is enough for that: a file of
4 MB could keep a decoder busy for minutes. Encoders write about ten. A picture in H.264 or HEVC
has a slice for each row of blocks at most (8K has 270), and each can claim the whole picture.
"""

_SIGNATURE = 8
_FRAMING = 12
"""Bytes of a PNG chunk besides its data: length, type, checksum."""


def too_many_parts(codec: str, picture: bytes) -> str | None:
    """How many parts ``picture``, one encoded picture, has, in words; ``None`` if few enough."""
    if codec not in _MOST_PARTS:
        return None
    marker, most, name = _MOST_PARTS[codec]
    count = picture.count(marker)
    return f"{count} {name} in one picture, at most {most}" if count > most else None


def without_ancillary_chunks(png: bytes) -> bytes:
    """``png`` with nothing but what its pixels need.

    The decoder unpacks compressed text and colour profiles without a limit: 4 MB of them become
    4 GB. From where chunks can't be followed the bytes stay as they are, for the decoder to refuse.
    """
    kept, at = [png[:_SIGNATURE]], _SIGNATURE
    while at + _FRAMING <= len(png):
        end = at + _FRAMING + int.from_bytes(png[at : at + 4], "big")
        kind = png[at + 4 : at + 8]
        # Critical chunks have a capital first (PNG specification, 5.4); tRNS is transparency.
        if kind[:1].isupper() or kind == b"tRNS":
            kept.append(png[at:end])
        at = end
    return b"".join([*kept, png[at:]])
