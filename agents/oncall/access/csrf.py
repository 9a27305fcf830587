"""Whether a request that changes something comes from our own pages. Pure.

Browsers send cookies, and a proxy adds its headers, whoever made the browser send the request. So
such a request must prove that it was made from a page of ours: by a value that only the session's
own pages contain (their forms' field ``csrf``, or the header ``X-CSRF-Token``), and by what
browsers say of where it comes from.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from urllib.parse import urlsplit

FIELD = "csrf"
HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Origin(StrEnum):
    """Where a browser says that a request comes from."""

    OURS = "our own pages"
    FOREIGN = "elsewhere"
    UNTOLD = "not told"


def proof(keys: Sequence[bytes], session: str) -> str:
    """What the pages of ``session`` contain. The first of ``keys`` makes it."""
    return hmac.digest(keys[0], session.encode(), sha256).hex()


def proves(given: str, keys: Sequence[bytes], session: str) -> bool:
    """Whether ``given`` is what the pages of ``session`` contain, in constant time."""
    expected = [hmac.digest(key, session.encode(), sha256).hex() for key in keys]
    found = [
        hmac.compare_digest(given.encode(errors="replace"), each.encode()) for each in expected
    ]
    return any(found)


def told_origin(fetch_site: str | None, origin: str | None, hosts: Sequence[str]) -> Origin:
    """By the headers ``Sec-Fetch-Site`` and ``Origin``; ``hosts`` are ours, each ``host[:port]``.

    The first can't be made up by a page and is not changed by a proxy, so where it is there it
    decides. ``same-site`` is another origin, and foreign.
    """
    if fetch_site is not None:
        # "none" is a person's own doing: a reload, a bookmark.
        return Origin.OURS if fetch_site in ("same-origin", "none") else Origin.FOREIGN
    if origin is None:
        return Origin.UNTOLD
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return Origin.FOREIGN
    return Origin.OURS if host and host in hosts else Origin.FOREIGN
