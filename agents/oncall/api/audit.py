"""The audit. Who is searched for is a name, so it comes in a body and not in an address."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..access.roles import Permission
from ..audit import MOST_PER_PAGE, PER_PAGE, Search
from ..audit_entries import Kind
from ..bounds import ID_CHARACTERS
from ..desk import Desk
from .operations import AnyOperation, Call, NothingAsked, Operation
from .views import AuditTold
from .words import Handle, Microseconds, Page

TAG = "audit"


Who = Annotated[str, Meta(max_length=ID_CHARACTERS, description="Whole, as entries say it.")]


class AuditChosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries; what is not said does not matter."""

    kind: Kind | UnsetType = UNSET
    what: Annotated[
        str, Meta(max_length=ID_CHARACTERS, description="The command, the rule, and so on.")
    ] = ""
    handle: Handle | UnsetType = UNSET
    since: Microseconds = 0
    until: Microseconds | UnsetType = UNSET


class AuditAsked(AuditChosen, frozen=True, forbid_unknown_fields=True):
    """Which entries, and which page of them."""

    page: Page = 1
    per_page: Annotated[int, Meta(ge=1, le=MOST_PER_PAGE)] = PER_PAGE


class AuditSearched(AuditAsked, frozen=True, forbid_unknown_fields=True):
    """Which entries, by whose they are too."""

    who: Who = ""


def operations(desk: Desk) -> list[AnyOperation]:
    """The list and the search."""

    async def audit(call: Call[AuditAsked, None]) -> AuditTold:
        return _told(desk, call.asked, "", call.visit.now)

    async def search(call: Call[NothingAsked, AuditSearched]) -> AuditTold:
        return _told(desk, call.body, call.body.who, call.visit.now)

    where = "/api/v1/audit"
    return [
        Operation(
            "listAudit",
            "GET",
            where,
            Permission.VIEW,
            "Who did what, when, why, and what came of it.",
            TAG,
            AuditTold,
            AuditAsked,
            audit,
        ),
        Operation(
            "searchAudit",
            "POST",
            f"{where}/search",
            Permission.VIEW,
            "The same, by whose the entries are.",
            TAG,
            AuditTold,
            NothingAsked,
            search,
            AuditSearched,
        ),
    ]


def _told(desk: Desk, asked: AuditAsked, who: str, now: int) -> AuditTold:
    search = search_of(asked, who, asked.page, asked.per_page)
    found = desk.read_model.audit.search(search, now)
    return AuditTold(
        as_of=now,
        total=found.total,
        dropped=found.dropped,
        page=found.page,
        pages=found.pages,
        begins=list(found.begins),
        entries=found.entries,
    )


def search_of(asked: AuditChosen, who: str, page: int = 1, per_page: int = PER_PAGE) -> Search:
    """The search that is ``asked`` for, of what is ``who``'s where that is not empty."""
    return Search(
        kind="" if asked.kind is UNSET else asked.kind,
        who=who,
        what=asked.what,
        handle="" if asked.handle is UNSET else asked.handle,
        since=asked.since,
        until=None if asked.until is UNSET else asked.until,
        page=page,
        per_page=per_page,
    )
