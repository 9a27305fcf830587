"""How far event time may run ahead: what admission lets in, rebuilding has to reckon with."""

from __future__ import annotations

from schemas import MICROSECONDS

MAX_AHEAD = 60 * MICROSECONDS
"""How far, in microseconds, a shard's clock may be ahead of the broker's. One frame of the far
future would make every honest frame after it late."""
