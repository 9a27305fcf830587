"""What every worker says of itself, told in the document; ``agents.oncall.health`` serves it."""

from __future__ import annotations

from http import HTTPStatus

from ..access.roles import Permission
from .operations import AnyOperation, NothingAsked, Operation
from .views import LiveTold, ReadyTold, WorkerTold

TAG = "worker"

OPERATIONS: list[AnyOperation] = [
    Operation(
        "isLive",
        "GET",
        "/live",
        Permission.OPEN,
        "Answers as long as the process does: a slow start is not a dead process.",
        TAG,
        LiveTold,
        NothingAsked,
        None,
    ),
    Operation(
        "isReady",
        "GET",
        "/ready",
        Permission.OPEN,
        "Whether the worker does its whole work; 503, with the reasons, while it does not.",
        TAG,
        ReadyTold,
        NothingAsked,
        None,
        also=(HTTPStatus.SERVICE_UNAVAILABLE,),
    ),
    Operation(
        "getWorker",
        "GET",
        "/api/v1/worker",
        Permission.VIEW,
        "What this worker runs, and what it counted since it started.",
        TAG,
        WorkerTold,
        NothingAsked,
        None,
    ),
]
