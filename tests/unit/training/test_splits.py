from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from deepscan.errors import TrainingError
from deepscan.training.data import Record, read_records
from deepscan.training.splits import Split, split, store


def records(pairs: int, *, stated: str | None = None, source: str = "films") -> list[Record]:
    """So many originals, each with two fakes in its group."""
    return [
        Record(Path(f"{source}/{i}-{j}.jpg"), fake=j > 0, source=source, group=f"{source}/{i}", split=stated)
        for i in range(pairs)
        for j in range(3)
    ]


def groups(part: tuple[Record, ...]) -> set[str]:
    return {record.group for record in part}


def assert_disjoint(parts: Split) -> None:
    assert not groups(parts.train) & groups(parts.calibration)
    assert not groups(parts.train) & groups(parts.test)
    assert not groups(parts.calibration) & groups(parts.test)


def test_groups_never_straddle_and_nothing_is_lost() -> None:
    everything = records(50) + records(30, source="other")
    parts = split(everything, 0.2, seed=3)
    assert_disjoint(parts)
    together = [*parts.train, *parts.calibration, *parts.test]
    assert Counter(r.path for r in together) == Counter(r.path for r in everything)
    assert len(groups(parts.calibration)) + len(groups(parts.test)) == 16
    assert {r.source for r in parts.test} == {"films", "other"}


def test_stated_splits_are_kept_and_a_missing_test_part_is_made_of_the_held_out_one() -> None:
    parts = split([*records(20, stated="train", source="a"), *records(10, stated="val", source="b")])
    assert {r.source for r in parts.train} == {"a"}
    assert {r.source for r in parts.calibration} == {r.source for r in parts.test} == {"b"}
    assert_disjoint(parts)


def test_all_three_stated() -> None:
    parts = split([r for name in ("train", "val", "test") for r in records(5, stated=name, source=name)])
    assert [{r.source for r in p} for p in (parts.train, parts.calibration, parts.test)] == [
        {"train"},
        {"val"},
        {"test"},
    ]


def test_train_and_test_stated_without_validation() -> None:
    parts = split([*records(40, stated="train", source="a"), *records(5, stated="test", source="b")])
    assert {r.source for r in parts.test} == {"b"}
    assert {r.source for r in parts.calibration} == {"a"}
    assert_disjoint(parts)


def test_the_seed_decides() -> None:
    everything = records(60)
    assert split(everything, seed=1) == split(everything, seed=1)
    assert split(everything, seed=1) != split(everything, seed=2)
    assert split(everything, seed=1) == split(everything, seed=1)


def test_a_group_on_both_sides_is_refused() -> None:
    leaking = [
        Record(Path("a.jpg"), fake=False, source="s", group="g", split="train"),
        Record(Path("b.jpg"), fake=True, source="s", group="g", split="val"),
    ]
    with pytest.raises(TrainingError, match="more than one split"):
        split(leaking)


def test_one_group_that_spans_everything_is_refused() -> None:
    with pytest.raises(TrainingError, match="no part can be held out"):
        split([Record(Path(f"{i}.jpg"), fake=bool(i % 2), source="s", group="g") for i in range(40)])


def test_a_stored_split_is_read_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pack").mkdir()
    parts = split(records(20))
    store(parts, Path("pack/split.csv"))
    monkeypatch.chdir("/")
    found = read_records(tmp_path / "pack" / "split.csv")
    held = {(tmp_path / r.path).resolve(): r.fake for r in parts.calibration}
    assert {r.path.resolve(): r.fake for r in found if r.split == "val"} == held
    assert Counter(r.split for r in found) == {"train": 48, "val": 6, "test": 6}
    assert len({r.group for r in found}) == 20


def test_too_few_pictures_or_a_part_without_a_class_are_refused() -> None:
    with pytest.raises(TrainingError, match="has 18 pictures, and at least 20 are needed"):
        split(records(6))
    reals = [Record(Path(f"{i}.jpg"), fake=False, source="s", group=str(i)) for i in range(40)]
    fakes = [Record(Path(f"f{i}.jpg"), fake=True, source="s", group="all fakes") for i in range(20)]
    with pytest.raises(TrainingError, match="lacks one of the two classes"):
        split([*reals, *fakes])
