"""How far the embedded broker may grow."""

from __future__ import annotations

from dataclasses import dataclass

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MemoryBounds:
    """In bytes: what the broker may use at most, and what the machine must have left."""

    limit: int
    reserve: int

    @classmethod
    def of(cls, limit_mb: int, machine: int) -> MemoryBounds:
        """The reserve is a twentieth of the ``machine``'s memory, within 256 MB and 1 GB."""
        return cls(limit_mb * _MB, min(max(machine // 20, 256 * _MB), 1024 * _MB))

    def reached(self, used: int, available: int) -> str | None:
        """Which bound is passed, in words; none while ``used`` and ``available`` are within."""
        if used > self.limit:
            return f"it used {used // _MB} MB and may use {self.limit // _MB} MB"
        if available < self.reserve:
            return (
                f"the machine had {available // _MB} MB left, {self.reserve // _MB} MB have to "
                f"stay free, and it used {used // _MB} MB"
            )
        return None
