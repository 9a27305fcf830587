"""Who may do what on the brokers, as it should be. Pure.

A plan names principals, and for each the topics that it reads and writes, the groups that it reads
as, the transactional ids that it writes under, and whether it may see that all of our topics exist.
Nothing is granted by pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from schemas import topics

from .errors import OperatorError

Resource = Literal["topic", "group", "transaction"]
Operation = Literal["read", "write", "describe"]

_KEYS = frozenset({"read", "write", "groups", "transactions", "describe"})
_LISTS = ("read", "write", "groups", "transactions")


class AclPlanInvalid(OperatorError):
    """The file is wrong; the message names the principal and the key."""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One thing that a principal, such as ``User:firebreak-shard``, may do."""

    principal: str
    resource: Resource
    name: str
    operation: Operation

    def __str__(self) -> str:
        return f"{self.principal}: {self.operation} {self.resource} {self.name}"


def parse_acls(text: str) -> frozenset[Grant]:
    """The grants that the YAML in ``text`` lists. Raises ``AclPlanInvalid``."""
    try:
        plan = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise AclPlanInvalid(f"not YAML: {error}") from error
    if not isinstance(plan, dict) or plan.keys() != {"principals"}:
        raise AclPlanInvalid("there is to be one key, `principals`")
    principals = plan["principals"]
    if not isinstance(principals, dict) or not principals:
        raise AclPlanInvalid("principals: none")
    return frozenset(grant for name, given in principals.items() for grant in _grants(name, given))


def missing(planned: Iterable[Grant], granted: Iterable[Grant]) -> list[Grant]:
    """What is planned and not granted, in order."""
    return sorted(set(planned) - set(granted))


def besides(planned: Iterable[Grant], granted: Iterable[Grant]) -> list[Grant]:
    """What is granted to the principals of the plan, and not planned, in order."""
    principals = {grant.principal for grant in planned}
    return sorted({it for it in granted if it.principal in principals} - set(planned))


def _check(principal: Any, given: Any) -> None:
    """Raises ``AclPlanInvalid``."""
    if not isinstance(principal, str) or not principal.startswith("User:"):
        raise AclPlanInvalid(f"principals: {principal!r} is not of the form User:NAME")
    if not isinstance(given, dict) or not given:
        raise AclPlanInvalid(f"{principal}: nothing is granted")
    if unknown := given.keys() - _KEYS:
        raise AclPlanInvalid(f"{principal}: {min(map(str, unknown))}: unknown key")
    for key in _LISTS:
        names = given.get(key, [])
        if not isinstance(names, list) or not all(isinstance(it, str) and it for it in names):
            raise AclPlanInvalid(f"{principal}: {key}: not a list of names")
    for key in ("read", "write"):
        if strange := sorted(set(given.get(key, [])) - topics.ALL):
            raise AclPlanInvalid(f"{principal}: {key}: {strange[0]} is none of our topics")
    if given.get("describe", "all") != "all":
        raise AclPlanInvalid(f"{principal}: describe: can only be `all`")


def _grants(principal: str, given: Mapping[str, Any]) -> Iterator[Grant]:
    _check(principal, given)
    for name in given.get("read", []):
        yield Grant(principal, "topic", name, "read")
    for name in given.get("write", []):
        yield Grant(principal, "topic", name, "write")
    for name in given.get("groups", []):
        yield Grant(principal, "group", name, "read")
    for name in given.get("transactions", []):
        yield Grant(principal, "transaction", name, "write")
    if "describe" in given:
        for name in sorted(topics.ALL):
            yield Grant(principal, "topic", name, "describe")
