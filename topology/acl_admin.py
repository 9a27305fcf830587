"""Brings what the brokers grant to the plan."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without __all__
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from .acl_plan import AclPlanInvalid, Grant, Operation, Resource, parse_acls
from .errors import OperatorError

ACLS_FILE = Path(__file__).parent.parent / "deploy/acls.yaml"

_REQUEST_SECONDS = 30.0
_RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transaction": ResourceType.TRANSACTIONAL_ID,
}
_OPERATIONS = {
    "read": AclOperation.READ,
    "write": AclOperation.WRITE,
    "describe": AclOperation.DESCRIBE,
}
_RESOURCE_OF: dict[Any, str] = {resource: name for name, resource in _RESOURCES.items()}
_OPERATION_OF: dict[Any, str] = {operation: name for name, operation in _OPERATIONS.items()}
_ANY_HOST = "*"


class AclsNotApplied(OperatorError):
    """The brokers do not tell what they grant, or did not take a change."""


def load_acls(path: Path = ACLS_FILE) -> frozenset[Grant]:
    """The plan in the file at ``path``. Raises ``AclPlanInvalid``, which names the file."""
    try:
        return parse_acls(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, AclPlanInvalid) as error:
        raise AclPlanInvalid(f"{path}: {error}") from error


def read_grants(admin: AdminClient) -> list[Grant]:
    """All that is granted on single topics, groups and transactional ids, from any host, of the
    kinds that a plan knows. Raises ``AclsNotApplied``."""
    nothing_in_particular: Any = None
    everything = AclBindingFilter(
        ResourceType.ANY,
        nothing_in_particular,
        ResourcePatternType.ANY,
        nothing_in_particular,
        nothing_in_particular,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    try:
        found = admin.describe_acls(everything, request_timeout=_REQUEST_SECONDS).result()
    except KafkaException as error:
        raise AclsNotApplied(f"the brokers don't tell their ACLs: {_reason(error)}") from error
    return sorted(_grant(it) for it in cast(Iterable[AclBinding], found) if _is_ours(it))


def apply_grants(admin: AdminClient, grants: Iterable[Grant]) -> list[tuple[Grant, str | None]]:
    """Grant what is asked for: each with the reason why the brokers did not, if they did not."""
    bindings = {_binding(grant): grant for grant in grants}
    if not bindings:
        return []
    answers = admin.create_acls(list(bindings), request_timeout=_REQUEST_SECONDS)
    told: list[tuple[Grant, str | None]] = []
    for binding, answer in answers.items():
        try:
            answer.result()
        except KafkaException as error:
            told.append((bindings[binding], _reason(error)))
        else:
            told.append((bindings[binding], None))
    return sorted(told)


def _binding(grant: Grant) -> AclBinding:
    return AclBinding(
        _RESOURCES[grant.resource],
        grant.name,
        ResourcePatternType.LITERAL,
        grant.principal,
        _ANY_HOST,
        _OPERATIONS[grant.operation],
        AclPermissionType.ALLOW,
    )


def _is_ours(binding: AclBinding) -> bool:
    return (
        binding.restype in _RESOURCE_OF
        and binding.operation in _OPERATION_OF
        and binding.permission_type == AclPermissionType.ALLOW
        and binding.resource_pattern_type == ResourcePatternType.LITERAL
        and binding.host == _ANY_HOST
    )


def _grant(binding: AclBinding) -> Grant:
    return Grant(
        binding.principal,
        cast(Resource, _RESOURCE_OF[binding.restype]),
        binding.name,
        cast(Operation, _OPERATION_OF[binding.operation]),
    )


def _reason(error: KafkaException) -> str:
    return str(error.args[0].str())
