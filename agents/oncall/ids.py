"""Which records were seen before: what comes again must not count again. Pure."""

from __future__ import annotations

_REMEMBERED_IDS = 20_000


class Ids:
    """The newest ids that were seen."""

    def __init__(self) -> None:
        self._seen: dict[str, None] = {}

    def is_new(self, event_id: str) -> bool:
        """Whether it was not seen before; it is from now on."""
        if event_id in self._seen:
            return False
        self._seen[event_id] = None
        if len(self._seen) > _REMEMBERED_IDS:
            del self._seen[next(iter(self._seen))]
        return True
