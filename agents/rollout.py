"""Which streams take part in a trial: a share of them, the same ones everywhere. Pure."""

from __future__ import annotations

from hashlib import sha256


def in_share(key: str, share: float) -> bool:
    """Whether what ``key`` names is among ``share``, 0 to 1, of all.

    It is if the first 8 bytes of the SHA-256 of the key (UTF-8), as a big-endian number over
    2**64, are below ``share``. So it stays where it is as long as the share does, on every worker,
    and a share that grows only adds to what is in it.
    """
    place = int.from_bytes(sha256(key.encode()).digest()[:8], "big")
    return place < share * 2**64
