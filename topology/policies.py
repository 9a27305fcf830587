"""The policies in force, from their files: read at the start, and again when the files change.

Files are looked at every half second on a thread, and what looks the same at two looks running
takes effect, whole, between two events. What can't be used leaves everything as it was, and people
are told: by an alert, in the log, and in the worker's status. The log has no word of a file's
contents.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from mode import Service

from agents.decision.policies import LineUp, Policies, parse_file
from agents.decision.policy import Policy
from agents.decision.policy_file import WINDOWS, PolicyInvalid
from agents.publishing import Publisher, PublishFailed, outgoing
from schemas import MICROSECONDS, AlertRaised, PartInForce, derive_id

from .settings import SettingsInvalid

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
_parse = lru_cache(maxsize=16)(parse_file)
"""Files are looked at often and change seldom."""
_LARGEST = 1024 * 1024
"""Bytes of a file; a policy has a few thousand."""


class PolicyUnusable(SettingsInvalid):
    """A policy's file, or one that a line-up names, can't be used."""

    def __init__(self, file: Path, problem: str, line: int | None = None) -> None:
        super().__init__(f"{file}: {problem}")
        self.place = str(file) if line is None else f"{file}, line {line}"
        """For logs: where, and nothing of what stands there."""


def load_policies(source: Path, windows: Collection[float] = WINDOWS) -> Policies:
    """The policies of ``source``, a policy's file or a line-up's. Raises ``PolicyUnusable``."""
    return _Reading(tuple(windows)).policies(source)


def load_policy(source: Path, windows: Collection[float] = WINDOWS) -> Policy:
    """The policy in ``source``. Raises ``PolicyUnusable``."""
    return _Reading(tuple(windows)).policy(source)


class PolicyFiles(Service):
    """Runs with the Faust app and ends with it; ``begin`` comes first.

    ``source`` is a policy's file or a line-up's; ``now`` tells microseconds since the epoch.
    """

    def __init__(
        self,
        source: Path,
        publisher: Publisher,
        windows: Collection[float] = WINDOWS,
        now: Callable[[], int] = lambda: time.time_ns() // 1000,
        **service: Any,
    ) -> None:
        super().__init__(**service)
        self._source = source
        self._publisher = publisher
        self._windows = tuple(windows)
        self._now = now
        self._current: Policies | None = None
        self._loaded_at = 0
        self._failure: str | None = None
        self._last_look: _Look | None = None
        self._acted_on: _Look | None = None
        self._untold: list[AlertRaised] = []

    @property
    def current(self) -> Policies:
        """The policies in force. An event asks once and keeps to the answer."""
        if self._current is None:
            raise RuntimeError("asked for the policies before `begin`")
        return self._current

    def begin(self) -> None:
        """Read the files. Blocks. Raises ``SettingsInvalid`` where they can't be used."""
        found = _look(self._source, self._windows)
        if isinstance(found.outcome, PolicyUnusable):
            raise found.outcome
        self._take_effect(found.outcome)
        self._last_look = self._acted_on = found

    async def refresh(self) -> None:
        """Look at the files, do what they ask for once they are still, and tell people."""
        found = await asyncio.to_thread(_look, self._source, self._windows)
        still, self._last_look = found == self._last_look, found
        if still and found != self._acted_on:
            self._acted_on = found
            if isinstance(found.outcome, PolicyUnusable):
                self._failure = str(found.outcome)
                log.error("%s: can't be used; the policy stays as it was", found.outcome.place)
                self._alert("policy-broken", self._failure, found)
            else:
                self._take_effect(found.outcome)
                if self._failure is not None:
                    self._failure = None
                    self._alert("policy-mended", f"{found.outcome.live.label} is in force", found)
        await self._tell()

    def status(self) -> dict[str, object]:
        """Which policies are in force, and what could not be used; for people to read."""
        policies = self.current
        told: dict[str, object] = {
            "source": str(self._source),
            "failure": self._failure,
            "loaded_at": datetime.fromtimestamp(self._loaded_at / MICROSECONDS, UTC).isoformat(
                timespec="seconds"
            ),
            "live": _told(policies.live),
        }
        if policies.canary is not None:
            told["canary"] = {**_told(policies.canary), "share": policies.share}
        if policies.shadow is not None:
            told["shadow"] = _told(policies.shadow)
        return {"policy": told}

    def in_force(self) -> list[PartInForce]:
        """The policies, by part."""
        policies = self.current
        share = 0.0 if policies.canary is None else policies.share
        parts = (
            ("live", policies.live, 1 - share),
            ("canary", policies.canary, share),
            ("shadow", policies.shadow, 0.0),
        )
        return [
            PartInForce("policy", part, policy.label, policy.digest, share)
            for part, policy, share in parts
            if policy is not None
        ]

    def failures(self) -> list[str]:
        """What can't be used, in words."""
        return [] if self._failure is None else [f"policy: {self._failure}"]

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            await self.sleep(LOOK_SECONDS)
            await self.refresh()

    def _take_effect(self, policies: Policies) -> None:
        if policies != self._current:
            self._current, self._loaded_at = policies, self._now()
            log.info("policy %s is in force", policies.live.label)

    def _alert(self, kind: str, detail: str, found: _Look) -> None:
        now, source = self._now(), self._source.name
        alert_id = derive_id("alert", kind, source, found.digest, now)
        self._untold.append(AlertRaised(alert_id, kind, now, source, detail))

    async def _tell(self) -> None:
        """Publish what was not; where the brokers are away, at the next look again."""
        while self._untold:
            try:
                await self._publisher.publish([outgoing(self._untold[0], None)])
            except PublishFailed:
                return
            del self._untold[0]


def _told(policy: Policy) -> dict[str, object]:
    return {"policy": policy.label, "digest": policy.digest, "rules": len(policy.rules)}


@dataclass(frozen=True, slots=True)
class _Look:
    """What came of the files. Two looks are equal if nothing has changed between them."""

    digest: str
    outcome: Policies | PolicyUnusable = field(compare=False)


def _look(source: Path, windows: tuple[float, ...]) -> _Look:
    """Blocks."""
    reading = _Reading(windows)
    outcome: Policies | PolicyUnusable
    try:
        outcome = reading.policies(source)
    except PolicyUnusable as error:
        # What can't be read has no contents to go by.
        reading.digest.update(str(error).encode())
        outcome = error
    return _Look(reading.digest.hexdigest(), outcome)


class _Reading:
    """One reading of the files; ``digest`` is over all that was read."""

    def __init__(self, windows: tuple[float, ...]) -> None:
        self.digest = sha256()
        self._windows = windows

    def policies(self, source: Path) -> Policies:
        """Raises ``PolicyUnusable``."""
        found = self._parse(source)
        if isinstance(found, Policy):
            return Policies(found)
        folder = source.parent
        live = self.policy(folder / found.live)
        canary = self.policy(folder / found.canary) if found.canary else None
        shadow = self.policy(folder / found.shadow) if found.shadow else None
        for part, policy in (("canary", canary), ("shadow", shadow)):
            if policy is not None and policy.label == live.label and policy.digest != live.digest:
                # Decisions are told apart by the label, by people at least.
                raise PolicyUnusable(source, f"{part}: is another {live.label} than the live one")
        return Policies(live, canary, found.share, shadow)

    def policy(self, file: Path) -> Policy:
        """Raises ``PolicyUnusable``."""
        found = self._parse(file)
        if isinstance(found, LineUp):
            raise PolicyUnusable(file, "is a line-up where a policy is asked for")
        return found

    def _parse(self, file: Path) -> Policy | LineUp:
        try:
            with file.open("rb") as opened:
                content = opened.read(_LARGEST + 1)
        except (OSError, ValueError) as error:  # a ValueError is for a path that can't be one
            raise PolicyUnusable(file, getattr(error, "strerror", None) or str(error)) from error
        self.digest.update(f"{file}\0{len(content)}\0".encode() + content)
        if len(content) > _LARGEST:
            raise PolicyUnusable(file, f"is larger than {_LARGEST} bytes")
        try:
            return _parse(content.decode(), self._windows)
        except UnicodeDecodeError as error:
            raise PolicyUnusable(file, f"not UTF-8 at byte {error.start}") from error
        except PolicyInvalid as error:
            raise PolicyUnusable(file, str(error), error.line) from error
