"""Being a member of the group that hands out the partitions: all that aiokafka is left to do.

Records are fetched in ``topology.fetching``.

A worker has the partitions of the same numbers of all topics that it reads, as what is said of a
stream lies in partitions of one number. Faust 0.15.3 hands the partitions of an app without tables
out round robin, one topic's after the other's: with a number of workers that does not divide that
of the partitions, each would have other numbers of each topic.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import (
    IllegalGenerationError,
    KafkaError,
    NoError,
    RebalanceInProgressError,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents.publishing import ProcessUnfit

log = logging.getLogger(__name__)

_MEMBER_SECONDS = 60.0
_LEAVE_SECONDS = 2.0
_RETRY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Handover:
    """The partitions that this worker has from now on, and no others."""

    partitions: frozenset[TP]
    is_member: Callable[[], Awaitable[bool]]
    """Whether it has them still, which the brokers are asked."""


class MemberThread(driver.AIOKafkaConsumerThread):
    """Takes part in the group and commits. It fetches nothing, nor asks where partitions begin:
    aiokafka 0.14 learns from fetches alone that a partition has another leader, and would ask the
    former one for minutes.

    Who was told to stop does not join any more: it is a member until what it has in work is done
    and committed, and leaves then, whatever the group waits for. Faust 0.15.3 and aiokafka 0.14 do
    not get that done where a rebalance and the order to stop meet:

    - Faust has the consumer closed at once (faust-streaming #23), on another loop than the one that
      uses its connections, and without a word to the group, which then waits for a session to end;
    - aiokafka waits for a join to come to its end, which is when the slowest member has joined, and
      for Faust to be done with a handover, which it may not be any more."""

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._partition_assignment_strategy = (RangePartitionAssignor,)
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        fetcher = self._ensure_consumer()._fetcher

        def nothing(_assignment: Any) -> tuple[Any, ...]:
            """As for partitions that are all paused: no fetches, no resets, when to look again,
            no new metadata, none to resume."""
            return [], {}, fetcher._fetcher_timeout, False, []

        fetcher._get_actions_per_node = nothing

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let go of them, so that the group can be joined anew, unless this worker is to leave."""
        if not self.app.should_stop:
            await super().on_partitions_revoked(revoked)
        if self.app.should_stop:
            await asyncio.Event().wait()

    async def on_thread_stop(self) -> None:
        """Leave the group. All is committed by now."""
        if self._consumer is not None:
            await _leave(self._consumer._coordinator)
        await super().on_thread_stop()

    def close(self) -> None:
        """Nothing: ``on_thread_stop`` is where the group is left."""

    async def is_member(self, generation: int) -> bool:
        """See the function of that name; on this thread."""
        coordinator = self._ensure_consumer()._coordinator
        async with asyncio.timeout(_MEMBER_SECONDS):
            while True:
                await coordinator.ensure_coordinator_known()
                beat = HeartbeatRequest(coordinator.group_id, generation, coordinator.member_id)
                with suppress(KafkaError):
                    answer = await coordinator._send_req(beat)
                    error = for_code(answer.error_code)
                    if error in (NoError, RebalanceInProgressError):
                        return True
                    if error in (IllegalGenerationError, UnknownMemberIdError):
                        return False
                    coordinator.coordinator_dead()
                await asyncio.sleep(_RETRY_SECONDS)

    def polling(self) -> AbstractContextManager[None]:
        """While in this context the member is seen to be at work, as the group asks of it."""
        context: AbstractContextManager[None] = (
            self._ensure_consumer()._subscription.fetch_context()
        )
        return context


async def _leave(coordinator: GroupCoordinator) -> None:
    """Be a member no more, or at least no one that joins again."""
    task = coordinator._coordination_task
    task.cancel()
    await asyncio.wait({task}, timeout=_LEAVE_SECONDS)
    await coordinator._stop_heartbeat_task()
    node, member = coordinator.coordinator_id, coordinator.member_id
    if node is not None and member != JoinGroupRequest.UNKNOWN_MEMBER_ID:
        # Not on the coordinator's connection: a join may be in flight there, and brokers answer one
        # request of a connection after the other.
        leave = LeaveGroupRequest(coordinator.group_id, member)
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await coordinator._client.send(node, leave)
        except (KafkaError, TimeoutError) as error:
            log.warning("the group learns from its session only that a member left: %r", error)
    coordinator.reset_generation()


async def is_member(thread: MemberThread, generation: int) -> bool:
    """Whether the brokers take this worker for a member of the group in ``generation``, and that is
    still the last one. Asked of them: a worker that stood still, or was cut off, does not know.

    Raises ``ProcessUnfit`` where they do not say.
    """
    try:
        return bool(await thread.call_thread(thread.is_member, generation))
    except TimeoutError as error:
        raise ProcessUnfit(f"no word of the group in {_MEMBER_SECONDS:g} s") from error
