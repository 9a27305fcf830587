"""Being a member of the group."""

from __future__ import annotations

from typing import Any, cast

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from hypothesis import given
from hypothesis import strategies as st

from topology.membership import MemberThread
from topology.runs import RunApp, RunConsumer

TOPICS = ("detections", "heard", "risk", "ticks")


class Cluster:
    """As much of a cluster as the rule looks at: all topics have so many partitions."""

    def __init__(self, partitions: int) -> None:
        self.numbers = set(range(partitions))

    def partitions_for_topic(self, topic: str) -> set[int]:
        return self.numbers


async def test_the_group_hands_out_partitions_by_the_one_rule_that_keeps_numbers_together() -> None:
    app = RunApp("member", librdkafka={}, broker="kafka://127.0.0.1:1", store="memory://")
    thread = cast(MemberThread, cast(RunConsumer, app.consumer)._thread)
    consumer = thread._create_worker_consumer(cast(Any, app.transport))
    assert consumer._partition_assignment_strategy == (RangePartitionAssignor,)


@given(st.integers(1, 24), st.integers(1, 9))
def test_each_partition_of_all_topics_is_one_worker_s(partitions: int, workers: int) -> None:
    metadata = RangePartitionAssignor.metadata(TOPICS)
    members = {f"member-{number}": metadata for number in range(workers)}
    shares = RangePartitionAssignor.assign(Cluster(partitions), members)
    numbers = []
    for share in shares.values():
        by_topic = dict(share.assignment)
        assert len({tuple(by_topic.get(topic, ())) for topic in TOPICS}) == 1
        numbers += by_topic.get(TOPICS[0], [])
    assert sorted(numbers) == list(range(partitions))
