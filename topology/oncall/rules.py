"""What the rules of the policy that decides about a stream measure now, for people to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from agents.decision.conditions import Condition, Group, compiled, conditions_in, explain_one
from agents.decision.facts import Facts
from agents.decision.measures import MEASURES, Circumstances
from agents.decision.policies import Policies
from agents.decision.policy import Rule
from agents.decision.session import Session
from agents.decision.updates import learn
from agents.oncall.ports import Measured, PolicyNow, RuleNow, TellRules, Threshold
from schemas import RiskAssessed, StreamUpdated


def telling_rules(policies: Callable[[], Policies]) -> TellRules:
    """A ``TellRules`` by the policies in force when it is asked."""

    def tell(
        stream_id: str, risk: RiskAssessed | None, updates: Sequence[StreamUpdated]
    ) -> PolicyNow:
        policy = policies().of(stream_id)
        at = Circumstances(risk, _facts(updates))
        return PolicyNow(policy.label, tuple(_now(rule, at) for rule in policy.rules))

    return tell


def _facts(updates: Sequence[StreamUpdated]) -> Facts:
    session = Session()
    for update in updates:
        session = learn(session, update, update.updated_at)
    return session.facts


def _now(rule: Rule, at: Circumstances) -> RuleNow:
    conditions = tuple(conditions_in(rule.when))
    grouped = any(isinstance(it, Group) for it in rule.when.of)
    return RuleNow(
        name=rule.name,
        grade=rule.grade.name.lower(),
        holds=compiled(rule.when)(at),
        need="mixed" if grouped else rule.when.need,
        conditions=tuple(
            Measured(explain_one(it, at), compiled(Group("all", (it,)))(at)) for it in conditions
        ),
        thresholds=tuple(_thresholds(rule, conditions)),
    )


def _thresholds(rule: Rule, conditions: Sequence[Condition]) -> Iterator[Threshold]:
    """Of the measures that lie between 0 and 1."""
    for condition in conditions:
        if MEASURES[condition.measure].highest == 1.0:
            for value in (condition.at_least, condition.at_most):
                if value is not None:
                    yield Threshold(condition.measure, condition.window, value, rule.name)
