"""Whether each partition was one worker's alone, by what workers noted."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.ownership import (
    Handed,
    Note,
    Notes,
    Taken,
    claimed_twice,
    read_notes,
    taken_twice,
)

ROLE = "detection"


def handed(worker: str, generation: int, *numbers: int, role: str = ROLE) -> Handed:
    return Handed(worker, role, generation, [("frames", number) for number in numbers])


def taken(worker: str, generation: int, first: int, last: int, role: str = ROLE) -> Taken:
    return Taken(worker, role, generation, "frames", 0, first, last)


def test_a_partition_that_two_workers_have_in_one_generation_is_claimed_twice() -> None:
    assert claimed_twice([handed("a", 3, 0, 1, 2), handed("b", 3, 2, 3)]) == 1


def test_a_partition_may_go_to_another_worker_in_another_generation() -> None:
    notes = [handed("a", 3, 0, 1), handed("b", 3, 2), handed("b", 4, 0, 1, 2), handed("b", 4, 0)]
    assert claimed_twice(notes) == 0


def test_each_role_has_partitions_of_its_own() -> None:
    assert claimed_twice([handed("a", 3, 0), handed("b", 3, 0, role="judgement")]) == 0
    assert taken_twice([taken("a", 3, 0, 9), taken("b", 3, 0, 9, role="judgement")]) == 0


def test_records_that_two_workers_take_in_one_generation_are_taken_twice() -> None:
    assert taken_twice([taken("a", 3, 0, 9), taken("b", 3, 8, 20)]) == 2


def test_records_may_be_taken_again_in_another_generation_or_by_the_same_worker() -> None:
    assert taken_twice([taken("a", 3, 0, 9), taken("b", 4, 5, 9), taken("a", 3, 0, 9)]) == 0


def test_notes_are_read_as_they_were_written_but_for_one_that_was_cut_short(tmp_path: Path) -> None:
    notes: list[Note] = [handed("a", 3, 0, 1), taken("a", 3, 0, 9)]
    with_a, with_b = Notes(tmp_path, "a"), Notes(tmp_path, "b")
    for note in notes:
        with_a.write(note)
    with_b.write(handed("b", 4, 2))
    with (tmp_path / "b.jsonl").open("ab") as file:
        file.write(b'{"type":"Taken","wor')
    assert read_notes(tmp_path) == [*notes, handed("b", 4, 2)]
