"""What people's orders leave through. The composition root passes what implements it."""

from __future__ import annotations

from typing import Protocol

from schemas import DrillOrdered, OperatorCommanded


class NotOrdered(Exception):
    """Kafka did not take an order, as far as is known. The message is for people.

    Should it have taken it after all, giving it again under the same id is the same order.
    """


class GiveOrder(Protocol):
    """Sends a person's order."""

    async def __call__(self, order: OperatorCommanded | DrillOrdered) -> None:
        """Return once all replicas have ``order``. Raises ``NotOrdered`` where they do not say so
        within seconds."""
        ...


async def nowhere(order: OperatorCommanded | DrillOrdered) -> None:
    """A ``GiveOrder`` for a view that nothing leaves. Raises ``NotOrdered``."""
    raise NotOrdered("this worker gives no orders")
