"""What it takes to watch, to escalate and to take down, and what follows. Pure.

A policy is frozen and carries its version; its digest goes with every decision made under it. Its
file's grammar is that of ``policy_file``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, StrEnum
from functools import cached_property, partial
from hashlib import sha256

import msgspec
from msgspec import Struct

from schemas import MICROSECONDS, RiskAssessed

from .conditions import Group
from .facts import Facts
from .measures import Circumstances
from .requirement import Requirement

_SECOND = MICROSECONDS
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


class Grade(IntEnum):
    """How far the evidence goes, weakest first."""

    NONE = 0
    WATCH = 1
    ESCALATE = 2
    TAKEDOWN = 3
    CERTAIN = 4
    """Content that is known: taken down at once."""


class Severity(StrEnum):
    """How urgent an escalation is, least first."""

    ELEVATED = "elevated"
    HIGH = "high"
    CRITICAL = "critical"


class Rule(Struct, frozen=True):
    """Reaches ``grade`` while ``when`` holds."""

    name: str
    grade: Grade
    when: Group
    severity: Severity = Severity.HIGH
    """Of the escalation that it raises."""
    boost: bool = False
    """Whether it asks for a higher sampling rate when it begins to hold."""
    cooldown: int = 0
    """Of a rule that escalates: not raised again within this, in microseconds."""


class Answers(Struct, frozen=True):
    """How long answers are waited for, in microseconds, and how often is asked."""

    takedown_within: int = 10 * _SECOND
    takedown_retries: int = 1
    """After these an escalation says that the takedown is not confirmed."""
    escalation_within: dict[str, int] = msgspec.field(
        default_factory=lambda: {
            Severity.ELEVATED.value: 10 * _MINUTE,
            Severity.HIGH.value: 5 * _MINUTE,
            Severity.CRITICAL.value: 2 * _MINUTE,
        }
    )
    """By severity."""
    escalation_repeats: int = 3
    forget_after: int = 7 * _DAY
    """An incident that nobody answers is closed after this."""


class Routes(Struct, frozen=True):
    """Whom escalations are for."""

    by_severity: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=lambda: {
            Severity.ELEVATED.value: ("human-review",),
            Severity.HIGH.value: ("human-review", "on-call"),
            Severity.CRITICAL.value: ("on-call", "human-review"),
        }
    )
    repeated: tuple[str, ...] = ("duty-manager",)
    """Besides, once nobody has answered in time."""


class Referral(Struct, frozen=True):
    """Whom law-enforcement referrals are for, and when one is prepared."""

    on: tuple[str, ...] = ("takedown", "verdict-true")
    default: str = "national-police"
    """Where no region fits; empty: none is prepared then."""
    regions: dict[str, str] = {}

    def recipient(self, region: str) -> str:
        """Who a referral of a stream in ``region`` is for; empty for nobody."""
        return self.regions.get(region, self.default)


class BreakerLimits(Struct, frozen=True):
    """How much is too much to be true. Times in microseconds."""

    takedowns: int = 5
    within: int = 10 * _MINUTE
    share_at_risk: float = 0.05
    at_least_at_risk: int = 20
    """The share counts from this many streams at risk on."""
    lasts: int = _HOUR


class Boost(Struct, frozen=True):
    """How fast a stream is to be sampled that needs a closer look, and how long (microseconds)."""

    frames_per_second: float = 8.0
    lasts: int = 60 * _SECOND


class Policy(Struct, frozen=True, dict=True):
    """Versioned rules, strongest grade first, and all that follows from them. Times in
    microseconds."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    answers: Answers = Answers()
    routes: Routes = Routes()
    referral: Referral = Referral()
    breaker: BreakerLimits = BreakerLimits()
    sampling: Boost = Boost()
    unwatched_after: int = 15 * _SECOND
    stop_settle: int = 10 * _SECOND
    """Frames captured later than this after a confirmed stop mean that the stream still runs."""
    longest_override: int = 7 * _DAY
    """Longest suppression, hold or breaker that may be ordered."""

    @property
    def label(self) -> str:
        return f"{self.name}/{self.version}"

    @cached_property
    def digest(self) -> str:
        """SHA-256, hex, of the policy as canonical JSON."""
        return sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    @cached_property
    def asked(self) -> tuple[tuple[Rule, Requirement], ...]:
        """The rules with what they ask for, made ready to be asked often."""
        return tuple((rule, Requirement(rule.when)) for rule in self.rules)


class Verdict(Struct, frozen=True):
    """What a policy makes of one stream; without a rule for the grade ``NONE``."""

    grade: Grade
    rule: str = ""
    explain: Callable[[], str] = str
    """The rule beside what was measured, in words, and what held stronger ones back. Called only
    where somebody is told: of most risks nobody is."""
    severity: Severity = Severity.ELEVATED
    boost: bool = False
    cooldown: int = 0
    holding: tuple[str, ...] = ()
    """All rules that hold now: what hysteresis goes by the next time."""
    window: int = 0
    """Longest window that the rule looks at, in microseconds; 0 for none."""


_NOTHING = Verdict(Grade.NONE)


def judge(
    policy: Policy, risk: RiskAssessed | None, facts: Facts, holding: tuple[str, ...]
) -> Verdict:
    """The first rule of ``policy`` that holds, and what fiction held back before it.

    ``holding`` is the verdict's of the same stream and policy before. Without a ``risk`` only
    conditions on facts can hold.
    """
    at = Circumstances(risk, facts)
    holds = [rule for rule, it in policy.asked if it.holds(at, rule.name in holding)]
    if not holds:
        return _NOTHING
    deciding = holds[0]
    requirement = next(it for rule, it in policy.asked if rule is deciding)
    return Verdict(
        grade=deciding.grade,
        rule=deciding.name,
        explain=partial(_explain, policy, deciding, at, holding),
        severity=deciding.severity,
        boost=deciding.boost,
        cooldown=deciding.cooldown,
        holding=tuple(it.name for it in holds),
        window=requirement.window(at),
    )


def _explain(policy: Policy, deciding: Rule, at: Circumstances, holding: tuple[str, ...]) -> str:
    held_back: list[str] = []
    for rule, requirement in policy.asked:
        if rule is deciding:
            return ". ".join([requirement.explain(at), *held_back])
        if requirement.holds_but_for_fiction(at, rule.name in holding):
            told = requirement.explain_fiction(at)
            held_back.append(f"held back from rule '{rule.name}': {told}")
    raise ValueError(f"rule '{deciding.name}' is none of policy {policy.label}")
