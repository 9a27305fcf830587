"""Waiting for what became of an order that went through the on-call view."""

from __future__ import annotations

from typing import cast

import pytest

from topology.api_client import Api
from topology.api_orders import Became, wait_for
from topology.override import OrderUnanswered

SENT = Became("order-1", "sent", final=False)


class View:
    """Answers each question at once, as a worker does that stops, with ``answers`` in turn."""

    def __init__(self, *answers: Became) -> None:
        self.answers = list(answers)
        self.now = 0.0

    def get(self, path: str, answer: type[Became], *, wait: int) -> Became:
        assert (path, answer, 1 <= wait <= 30) == ("/api/v1/orders/order-1", Became, True)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def pause(self, seconds: float) -> None:
        self.now += seconds


def wait(view: View, seconds: float) -> Became:
    return wait_for(cast(Api, view), SENT, seconds, clock=lambda: view.now, pause=view.pause)


def test_nobody_asks_without_pause() -> None:
    """A worker that keeps nobody waiting is asked twice a second."""
    done = Became("order-1", "in effect", final=True)
    view = View(SENT, SENT, done)
    assert wait(view, 30) is done
    assert view.now == 1.0


def test_it_ends_after_so_many_seconds() -> None:
    view = View(SENT)
    with pytest.raises(OrderUnanswered, match="order-1 was sent"):
        wait(view, 3)
    assert view.now == 3.0
