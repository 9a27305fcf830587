"""What it takes to escalate and to take down. Pure.

A policy is frozen and carries its version; its digest goes with every decision made under it.
"""

from __future__ import annotations

from enum import IntEnum
from hashlib import sha256

import msgspec

from schemas import RiskAssessed, WindowSummary


class Grade(IntEnum):
    """How far the evidence goes, weakest first."""

    NONE = 0
    WATCH = 1
    ESCALATE = 2
    TAKEDOWN = 3


class Rule(msgspec.Struct, frozen=True):
    """Reaches ``grade`` when one window meets every bound; all bounds are inclusive."""

    name: str
    grade: Grade
    window_seconds: float
    hits: int
    share: float
    """Hits among the frames of the window: what makes a rule mean the same at any sampling rate."""
    mean: float
    coverage: float
    fictional: float = 1.0
    """Largest mean of the fictional signal (game or film); 1 leaves it out of account."""

    def met_by(self, window: WindowSummary) -> bool:
        return self.met_but_for_fiction(window) and window.fictional <= self.fictional

    def met_but_for_fiction(self, window: WindowSummary) -> bool:
        return (
            window.hits >= self.hits
            and window.hits >= self.share * window.frames
            and window.mean >= self.mean
            and window.coverage >= self.coverage
        )

    def explain(self, window: WindowSummary) -> str:
        """The rule beside what was measured, in words."""
        fiction = (
            f", fiction {window.fictional:.2f} (allows {self.fictional:g})"
            if self.fictional < 1
            else ""
        )
        return (
            f"{window.hits} of {window.frames} frames of the last {window.seconds:g} s show a "
            f"firearm (rule '{self.name}' asks for {self.share:.0%} and at least {self.hits}), "
            f"mean signal {window.mean:.2f} "
            f"(asks for {self.mean:g}), watched {window.coverage:.0%} of the time "
            f"(asks for {self.coverage:.0%}){fiction}"
        )


class Policy(msgspec.Struct, frozen=True):
    """Versioned rules, strongest grade first."""

    name: str
    version: str
    rules: tuple[Rule, ...]

    @property
    def label(self) -> str:
        return f"{self.name}/{self.version}"

    @property
    def digest(self) -> str:
        """SHA-256, hex, of the policy as canonical JSON."""
        return sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


class Verdict(msgspec.Struct, frozen=True):
    """What a policy makes of one risk; without a rule for the grade ``NONE``."""

    grade: Grade
    rule: str = ""
    explanation: str = ""


def judge(policy: Policy, risk: RiskAssessed) -> Verdict:
    """The first rule of ``policy`` that ``risk`` meets, and what fiction held back before it."""
    windows = {window.seconds: window for window in risk.windows}
    held_back: list[str] = []
    for rule in policy.rules:
        window = windows.get(rule.window_seconds)
        if window is None or not rule.met_but_for_fiction(window):
            continue
        if rule.met_by(window):
            explanation = "; ".join([rule.explain(window), *held_back])
            return Verdict(rule.grade, rule.name, explanation)
        held_back.append(
            f"looks like a game or film ({window.fictional:.2f}), of which rule '{rule.name}' "
            f"allows {rule.fictional:g}"
        )
    return Verdict(Grade.NONE)


DEFAULT_POLICY = Policy(
    name="default",
    version="2",
    rules=(
        Rule(
            "sustained-firearm",
            Grade.TAKEDOWN,
            10.0,
            hits=4,
            share=0.4,
            mean=0.2,
            coverage=0.4,
            fictional=0.5,
        ),
        Rule("repeated-firearm", Grade.ESCALATE, 3.0, hits=2, share=0.5, mean=0.2, coverage=0.5),
        Rule("recurring-firearm", Grade.ESCALATE, 10.0, hits=3, share=0.3, mean=0.1, coverage=0.3),
        Rule("firearm-seen", Grade.WATCH, 10.0, hits=1, share=0.0, mean=0.0, coverage=0.0),
    ),
)
"""Takes down after four of ten seconds, escalates after one and a half of three. What looks like a
game or a film is put before people and not taken down."""
