"""What every pack must keep, whoever made it: run over the embedded one and the ones the tests build."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from deepscan.models import describe, loader, packs
from deepscan.models.card import CARD_NAME
from deepscan.models.files import read_config
from deepscan.models.packs import Pack
from deepscan.models.preprocess import fit, golden_input
from deepscan.types import Level
from tests.fake_pack import make_model, make_pack, make_plain, pvt_config, vit_config

MAX_BUILTIN_BYTES = 30_000_000


@pytest.fixture(scope="module", params=["builtin", "vit", "pvt-whole-frame", "plain"])
def pack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    folder = tmp_path_factory.mktemp("contract") / str(request.param)
    match request.param:
        case "builtin":
            if not (packs.BUILTIN_FOLDER / CARD_NAME).is_file():
                pytest.skip("no embedded pack has been built in this tree")
            model = "builtin"
        case "vit":
            model = str(make_pack(folder).folder)
        case "pvt-whole-frame":
            model = str(make_pack(folder, subject="frame", model=make_model(pvt_config())).folder)
        case _:
            model = str(make_plain(folder, make_model(vit_config(("Realism", "Deepfake")))))
    yield packs.find(model, fake_label=None, offline=True)


def test_it_is_what_its_card_says(pack: Pack) -> None:
    result = packs.verify(pack)
    assert result.sha256 == pack.card.weights_sha256 == pack.sha256
    assert len(result.golden) == len(pack.card.golden)


def test_a_pack_with_a_card_has_golden_answers(pack: Pack) -> None:
    if not (pack.folder / CARD_NAME).is_file():
        pytest.skip("a plain Hugging Face model comes without golden answers")
    assert len(pack.card.golden) >= 3
    assert len({round(golden.logit, 3) for golden in pack.card.golden}) > 1, "the network ignores its input"


def test_it_answers_with_probabilities_that_depend_on_the_picture(pack: Pack) -> None:
    network = loader.load(pack, device="cpu", precision="fp32")
    rule = pack.card.preprocessing
    black = np.zeros((90, 70, 3), np.uint8)
    pictures = np.stack([fit(black, rule), fit(black + 255, rule), golden_input(9, rule)])
    logits = network.logits(pictures)
    assert len(set(logits)) == 3
    values = network.probabilities(pictures)
    assert ((values >= 0) & (values <= 1)).all()


def test_its_thresholds_claim_no_more_than_was_measured(pack: Pack) -> None:
    for threshold in pack.card.thresholds:
        assert threshold.false_alarms is not None or threshold.level is Level.WEAK
    by_level = sorted(pack.card.thresholds, key=lambda t: t.level.rank)
    assert [t.probability for t in by_level] == sorted(t.probability for t in by_level)


def test_its_files_run_no_code(pack: Pack) -> None:
    read_config(pack.folder)
    assert not [path for path in pack.folder.rglob("*") if path.suffix in (".py", ".bin", ".pkl", ".pt", ".pth")]


def test_its_card_can_be_read_by_people(pack: Pack) -> None:
    lines = dict(describe.lines(pack))
    for name in ("licence", "coverage", "trained on", "thresholds", "means fake", "made by"):
        assert lines[name].strip(), name
    assert pack.sha256 in lines["weights"]


def test_the_embedded_pack_is_small_enough_and_says_what_it_may_be_used_for(pack: Pack) -> None:
    if pack.origin.kind != "builtin":
        pytest.skip("only the embedded pack ships")
    assert sum(path.stat().st_size for path in Path(pack.folder).rglob("*") if path.is_file()) <= MAX_BUILTIN_BYTES
    assert pack.card.licence_class == "non-commercial"
    assert pack.card.view.subject == "face"
    assert pack.card.thresholds
    assert pack.card.metrics
    assert pack.card.provenance
