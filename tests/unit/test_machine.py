"""How many cores a process may keep busy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepscan import machine
from deepscan.machine import usable_cores
from deepscan.models.lanes import cpu_lanes


@pytest.fixture(autouse=True)
def _sixty_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)


def system(root: Path, groups: str, **files: str) -> Path:
    """A system with these control groups; the names of files have ``__`` for a slash."""
    for name, text in {"proc__self__cgroup": groups, **files}.items():
        path = root.joinpath(*name.split("__"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="ascii")
    return root


V1 = "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n2:cpuset:/docker/abc"


@pytest.mark.parametrize(
    ("groups", "files", "cores"),
    [
        ("0::/", {}, 64),
        ("0::/", {"sys__fs__cgroup__cpu.max": "max 100000"}, 64),
        ("0::/", {"sys__fs__cgroup__cpu.max": "200000 100000"}, 2),
        ("0::/", {"sys__fs__cgroup__cpu.max": "150000 100000"}, 2),
        ("0::/", {"sys__fs__cgroup__cpu.max": "10000 100000"}, 1),
        ("0::/", {"sys__fs__cgroup__cpu.max": "9900000 100000"}, 64),
        ("0::/", {"sys__fs__cgroup__cpu.max": "nonsense"}, 64),
        ("0::/a/b", {"sys__fs__cgroup__a__b__cpu.max": "max 1", "sys__fs__cgroup__a__cpu.max": "300000 100000"}, 3),
        ("0::/docker/abc", {"sys__fs__cgroup__cpu.max": "400000 100000"}, 4),
        (V1, {}, 64),
        (V1, {"sys__fs__cgroup__cpu__cpu.cfs_quota_us": "-1", "sys__fs__cgroup__cpu__cpu.cfs_period_us": "1"}, 64),
        (V1, {"sys__fs__cgroup__cpu__cpu.cfs_quota_us": "500", "sys__fs__cgroup__cpu__cpu.cfs_period_us": "100"}, 5),
        ("no groups\n\n::", {}, 64),
    ],
)
def test_a_container_has_the_cores_whose_time_it_was_given(
    groups: str, files: dict[str, str], cores: int, tmp_path: Path
) -> None:
    assert usable_cores(system(tmp_path, groups, **files)) == cores


def test_without_control_groups_all_that_it_may_run_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable_cores(tmp_path) == 64
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 7}, raising=False)
    assert usable_cores(tmp_path) == 2


def test_a_model_has_a_lane_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_quotas", lambda root: iter([3.0]))
    assert cpu_lanes() == 3
