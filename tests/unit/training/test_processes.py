"""Two processes that learn one network together: what they write is what one process learns of the same batches."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch.utils.data import Sampler

from deepscan.errors import TrainingError
from deepscan.models.card import load
from deepscan.training import processes
from deepscan.training.draws import Draw, Share
from deepscan.training.options import TrainOptions
from deepscan.training.run import train_pack

OPTIONS = {
    "arch": "vit-tiny",
    "size": 32,
    "subject": "frame",
    "steps": 4,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "precision": "fp32",
    "device": "cpu",
    "accept_shortcut": True,
}


class Counted(Sampler[list[Draw]]):
    """Ten batches of one picture each."""

    def __iter__(self) -> Iterator[list[Draw]]:
        return iter([Draw(i, i, blended=False)] for i in range(10))


def test_the_processes_share_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        own = Share(Counted(), 10)
        batches = [draw.record for batch in own for draw in batch]
        assert len(own) == len(batches) == 5
        taken += batches
    assert taken == [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]


def test_one_process_agrees_with_itself() -> None:
    assert (processes.count(), processes.rank(), processes.is_first()) == (1, 0, True)
    assert processes.any_of(flag=True)
    assert not processes.any_of(flag=False)
    assert processes.of_first(0.25) == 0.25


def test_clips_are_learnt_from_in_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="one process"):
        train_pack(tmp_path, tmp_path / "pack", TrainOptions(sequence=True, base="builtin"), lambda *_: None, [])


def flags(options: dict[str, object]) -> Sequence[str]:
    words = []
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    return words


@pytest.mark.slow
def test_two_processes_learn_what_one_does_with_batches_twice_as_many(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    rng = np.random.default_rng(0)
    for label, level in (("Real", 60), ("Fake", 190)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(40):
            pixels = np.clip(level + rng.normal(0, 20, (40, 40, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{i}.png")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={port}"]
    command += ["-m", "deepscan", "train", str(tmp_path / "data"), "-o", str(tmp_path / "two"), *flags(OPTIONS)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("Packed pack into") == 1, "the first process alone speaks"
    card = load(tmp_path / "two")
    assert card.provenance["processes"] == 2
    assert card.provenance["steps"] == 4
    single = TrainOptions(accumulate=2, **OPTIONS)  # type: ignore[arg-type]
    train_pack(tmp_path / "data", tmp_path / "one", single, lambda *_: None, [])
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert max(float(np.abs(one[k] - two[k].astype(np.float32)).max()) for k in one) < 2e-3
