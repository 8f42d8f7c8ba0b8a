"""Maps against planted causes: a model that looks at one patch alone must light that patch, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deepscan.models import loader
from deepscan.models.attribution import attention, occlusion
from tests.fake_pack import SIDE, make_card, make_model, make_pack, pvt_config, vit_config

PATCHES = SIDE // 16


def noise(seed: int = 0, side: int = SIDE) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def looks_at(rows: slice, columns: slice) -> Any:
    """Logits that grow with the contrast of one place; everything else is invisible to it."""

    def logits(batch: NDArray[np.uint8]) -> tuple[float, ...]:
        return tuple(float(p[rows, columns].astype(float).std()) / 10 for p in batch)

    return logits


@pytest.mark.parametrize(("row", "column"), [(0, 0), (40, 0), (70, 60), (100, 100), (20, 100)])
def test_occlusion_lights_the_place_that_is_looked_at(row: int, column: int) -> None:
    place = slice(row, row + 28), slice(column, column + 28)
    found = occlusion(looks_at(*place), noise(side=128), seconds=60)
    assert found.complete
    cell = 128 / found.map.shape[0]
    y, x = np.unravel_index(int(found.map.argmax()), found.map.shape)
    assert row <= (y + 0.5) * cell <= row + 28
    assert column <= (x + 0.5) * cell <= column + 28
    lit = np.zeros(found.map.shape, bool)
    lit[int(row / cell) : int((row + 28) / cell) + 1, int(column / cell) : int((column + 28) / cell) + 1] = True
    assert found.map[lit].mean() > 4 * np.abs(found.map[~lit]).mean()


def test_what_lowers_the_score_is_negative() -> None:
    place = slice(0, 40), slice(0, 40)
    against = looks_at(*place)
    found = occlusion(lambda batch: tuple(-v for v in against(batch)), noise(side=128), seconds=60)
    assert found.map[:4, :4].mean() < 0
    assert found.map[-4:, -4:].mean() == pytest.approx(0, abs=1e-6)


def test_occlusion_ends_when_time_does() -> None:
    calls: list[int] = []

    def slow(batch: NDArray[np.uint8]) -> tuple[float, ...]:
        calls.append(len(batch))
        return (0.0,) * len(batch)

    found = occlusion(slow, noise(), seconds=0)
    assert not found.complete
    assert sum(calls) == 1 + 25
    assert np.isfinite(found.map).all()


def test_gradient_weighted_attention_lights_the_patch_that_a_model_learnt_to_look_at() -> None:
    """A ViT learns that a bright upper middle patch means fake, whatever the others show: a cause that is known."""
    import torch

    card, planted = make_card(), (0, 1)
    model = make_model(vit_config(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0), spread=0.1)
    learn = torch.optim.AdamW(model.parameters(), lr=3e-3)
    rng = np.random.default_rng(0)
    for _ in range(120):
        pictures, fake = _planted(rng, 32, planted)
        learn.zero_grad()
        loss = torch.nn.functional.cross_entropy(_forward(model, card, pictures), torch.from_numpy(fake).long())
        loss.backward()  # type: ignore[no-untyped-call]
        learn.step()
    pictures, fake = _planted(rng, 16, planted)
    assert float(loss.detach()) < 0.2, "it has not learnt the cause, and there is nothing to find"
    maps = []
    for picture in pictures[fake]:
        found = attention(model, card, picture, "cpu")
        assert found is not None
        assert found.shape == (PATCHES, PATCHES)
        maps.append(found / found.sum())
    mean = np.mean(maps, axis=0)
    assert divmod(int(mean.argmax()), PATCHES) == planted
    assert mean[planted] > 2 * np.delete(mean.ravel(), np.ravel_multi_index(planted, mean.shape)).max()

    # Occlusion, which asks the same model in another way, agrees.
    def logits(batch: NDArray[np.uint8]) -> tuple[float, ...]:
        with torch.no_grad():
            rows = _forward(model, card, batch)
        return tuple((rows[:, 1] - rows[:, 0]).tolist())

    strongest = occlusion(logits, pictures[int(fake.argmax())], seconds=60).map
    cell = SIDE / strongest.shape[0]
    y, x = np.unravel_index(int(strongest.argmax()), strongest.shape)
    assert (int((y + 0.5) * cell) // 16, int((x + 0.5) * cell) // 16) == planted


def _planted(
    rng: np.random.Generator, count: int, place: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Pictures of patches of random brightness, of which one alone says what is fake."""
    levels = rng.integers(90, 166, (count, PATCHES, PATCHES, 1))
    fake = np.arange(count) % 2 == 1
    levels[:, place[0], place[1], 0] = np.where(fake, 235, 20)
    pictures = np.repeat(np.repeat(levels, 16, axis=1), 16, axis=2) + rng.integers(-30, 30, (count, SIDE, SIDE, 3))
    return np.clip(pictures, 0, 255).astype(np.uint8), fake


def _forward(model: Any, card: Any, batch: NDArray[np.uint8]) -> Any:
    import torch

    from deepscan.models.preprocess import normalise

    return model(pixel_values=normalise(torch.from_numpy(batch), card.preprocessing)).logits


def test_models_without_plain_attention_are_occluded(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pvt", model=make_model(pvt_config()))
    network = loader.load(pack, device="cpu", precision="fp32")
    found = network.heat_map(noise(), seconds=30)
    assert found.method == "occlusion"
    assert np.isfinite(found.map).all()


def test_a_map_changes_no_answer(tmp_path: Path) -> None:
    network = loader.load(make_pack(tmp_path / "vit"), device="cpu", precision="fp32")
    before = network.logits(noise()[None])
    pixels = noise()
    pixels.setflags(write=False)  # as decoders give them
    assert network.heat_map(pixels, seconds=30).method == "attention"
    assert network.logits(noise()[None]) == before
