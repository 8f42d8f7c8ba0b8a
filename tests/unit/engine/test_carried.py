from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path, PurePosixPath

from deepscan.checks import catalogue
from deepscan.config import ScanOptions
from deepscan.engine.carried import packed, unpacked
from deepscan.engine.runner import Task
from deepscan.engine.stages import Loss
from deepscan.types import MediaItem, MediaKind

OPTIONS = ScanOptions(checks=("metadata", "marks"))
ITEM = MediaItem(Path("/evidence"), PurePosixPath("a.jpg"), MediaKind.IMAGE, "jpeg", 1, "0" * 64)
TASK = Task(
    ITEM,
    catalogue.select(OPTIONS.checks, OPTIONS.skip),
    None,
    OPTIONS,
    Path("/out"),
    (1, 2, 3, 4),
    {"decode": Loss("It crashed.", timed_out=False)},
    (0.5,),
)


class Counted:
    """Knows how often it was pickled."""

    pickled = 0

    def __reduce__(self) -> tuple[type[Counted], tuple[()]]:
        Counted.pickled += 1
        return Counted, ()


def test_the_same_object_is_pickled_once_and_made_once() -> None:
    first, other = Counted(), Counted()
    data = [packed(value) for value in (first, first, other, first)]
    assert Counted.pickled == 2
    assert unpacked(data[0]) is unpacked(bytes(data[3]))


def test_equal_values_that_are_not_the_same_are_not_taken_for_each_other() -> None:
    assert unpacked(packed((1,))) == (1,)
    assert unpacked(packed((1.0,))) == (1,)
    assert [type(unpacked(packed(value))[0]) for value in ((1,), (1.0,), (True,))] == [int, float, bool]


def test_many_values_one_after_the_other_come_back_as_they_were() -> None:
    assert [unpacked(packed([number])) for number in range(100)] == [[number] for number in range(100)]


def test_a_task_comes_back_as_it_was_and_shares_what_all_tasks_have() -> None:
    other = replace(TASK, item=replace(ITEM, name=PurePosixPath("b.jpg")), lost={}, moments=())
    found, next_one = (pickle.loads(pickle.dumps(task, protocol=5)) for task in (TASK, other))
    assert (found, next_one) == (TASK, other)
    assert found.options is next_one.options
    assert found.checks is next_one.checks
    narrow = replace(TASK, checks=TASK.checks[:1], options=replace(OPTIONS, thorough=True))
    assert pickle.loads(pickle.dumps(narrow)) == narrow
