"""The OpenAPI 3.1 document of operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from importlib import metadata
from typing import Any

import msgspec

from .. import cookies
from ..access import csrf
from ..access.roles import Permission
from .operations import JSON, AnyOperation
from .problems import PROBLEM, Problem

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_DESCRIPTION = (
    "What the on-call pages show and do, for programs. Any worker that judges serves the whole "
    "picture. Times are microseconds since the Unix epoch, UTC, where nothing else is said; states "
    "and reasons may be joined by others, and fields are only ever added. What refuses is a "
    "problem (RFC 9457)."
)
_SECURITY: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "As `firebreak token create` makes it.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookies.name(secure=False),
        "description": f"A browser's, as sign-in gives it; `{cookies.name(secure=True)}` by HTTPS.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": csrf.HEADER,
        "description": "What the session's own pages contain: asked for beside the cookie by "
        "whatever changes something.",
    },
}
_WHY = {
    HTTPStatus.BAD_REQUEST: "The body is no JSON.",
    HTTPStatus.UNAUTHORIZED: "Nobody is signed in.",
    HTTPStatus.FORBIDDEN: "Whoever is signed in may not, or no page of theirs asked.",
    HTTPStatus.NOT_FOUND: "It is not known to this worker.",
    HTTPStatus.CONFLICT: "Things have changed, or the order's id is another's.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too long.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not sent as JSON.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "It is not what can be asked; it says what is wrong, where.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests; see Retry-After.",
    HTTPStatus.SERVICE_UNAVAILABLE: "It can't be had, or done, now.",
}


def document(operations: Sequence[AnyOperation]) -> Json:
    """What an OpenAPI reader needs to know of ``operations``."""
    asks = {it.asks for it in operations}
    types = [
        *asks,
        Problem,
        *(it.answers for it in operations if it.is_json),
        *(it.body for it in operations if it.body is not None),
    ]
    # Each type once: some can't be hashed.
    found, components = msgspec.json.schema_components(types, ref_template=_REF)
    parameters = {
        it: components.pop(schema["$ref"].rpartition("/")[2])
        for it, schema in zip([*asks], found, strict=False)
    }
    schemas = _Schemas([*zip(types, found, strict=True)], parameters)
    paths: dict[str, Json] = {}
    for it in operations:
        paths.setdefault(it.path, {})[it.method.lower()] = _operation(it, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Firebreak, on call",
            "version": metadata.version("firebreak"),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(it.tag for it in operations)],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SECURITY},
    }


class _Schemas:
    """The schema of each type, and of each parameter."""

    def __init__(self, found: Iterable[tuple[Any, Json]], parameters: dict[Any, Json]) -> None:
        self._found = list(found)
        self.parameters = parameters

    def of(self, wanted: Any) -> Json:
        return next(schema for it, schema in self._found if it is wanted)


def _operation(it: AnyOperation, schemas: _Schemas) -> Json:
    told: Json = {
        "operationId": it.name,
        "summary": it.summary,
        "description": f"Asks for the permission “{it.permission}”.",
        "tags": [it.tag],
        "security": _security(it),
        "parameters": _parameters(it, schemas.parameters[it.asks]),
        "responses": _responses(it, schemas),
    }
    if it.body is not None:
        told["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": schemas.of(it.body)}},
        }
    return told


def _security(it: AnyOperation) -> list[Json]:
    if it.permission is Permission.OPEN:
        return []
    by_cookie: Json = {"session": []} if it.method == "GET" else {"session": [], "csrf": []}
    return [{"bearer": []}, by_cookie]


def _parameters(it: AnyOperation, asks: Json) -> list[Json]:
    required = asks.get("required", [])
    told = []
    for name, schema in asks.get("properties", {}).items():
        schema = dict(schema)  # noqa: PLW2901  # what is taken out of it is not taken out of the type
        parameter: Json = {
            "name": name,
            "in": "path" if name in it.parts else "query",
            "required": name in required,
            "schema": schema,
        }
        if description := schema.pop("description", ""):
            parameter["description"] = description
        told.append(parameter)
    return told


def _responses(it: AnyOperation, schemas: _Schemas) -> Json:
    # What is no JSON has no schema: which media type it is of says what it is.
    said = {"schema": schemas.of(it.answers)} if it.is_json else {}
    body = dict.fromkeys(it.media, said)
    told: Json = {
        str(status.value): {"description": status.phrase, "content": body}
        for status in (it.status, *it.also)
    }
    problem = {PROBLEM: {"schema": schemas.of(Problem)}}
    for status in sorted(_refuses(it)):
        told[str(status.value)] = {"description": _WHY[status], "content": problem}
    return told


def _refuses(it: AnyOperation) -> set[HTTPStatus]:
    refuses = set(it.refuses)
    if it.permission is not Permission.OPEN:
        refuses |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
    if it.handle is not None:
        refuses.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    if it.parts:
        refuses.add(HTTPStatus.NOT_FOUND)
    if it.body is not None:
        refuses |= {
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        }
    return refuses
