"""What a stream is called in addresses: its id says too much of somebody to stand there. Pure.

An incident is called by its id, which says nothing of anybody: it is a UUID.
"""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlencode

INCIDENT = "incident"
"""In an address: which of a stream's incidents is meant, where that is not its newest session's."""
_DIGITS = 16


def handle_of(stream_id: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of ``stream_id``, as the view bounds it."""
    return sha256(stream_id.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]


def page_of(handle: str, incident_id: str = "") -> str:
    """Where the stream's page is: of the incident's session, of the newest where none is named."""
    return _asking(f"/streams/{handle}", INCIDENT, incident_id)


def history_of(handle: str, incident_id: str = "") -> str:
    """Where the API has what the plot of that page is drawn from."""
    return _asking(f"/api/v1/streams/{handle}/history", "incident_id", incident_id)


def _asking(path: str, name: str, incident_id: str) -> str:
    return f"{path}?{urlencode({name: incident_id})}" if incident_id else path
