"""What a stream is called in addresses: its id says too much of somebody to stand there. Pure."""

from __future__ import annotations

from hashlib import sha256

_DIGITS = 16


def handle_of(stream_id: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of ``stream_id``, as the view bounds it."""
    return sha256(stream_id.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]
