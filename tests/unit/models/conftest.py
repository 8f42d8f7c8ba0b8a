"""Models that many tests of this folder read, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepscan.models.packs import Pack
from tests.fake_pack import make_model, make_pack, make_plain, vit_config


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """A deepscan pack that looks at faces; nobody writes into it."""
    return make_pack(tmp_path_factory.mktemp("packs") / "faces")


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face image classifier without a card; nobody writes into it."""
    readme = "---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\nlicense: gpl\n"
    return make_plain(tmp_path_factory.mktemp("models") / "plain", make_model(vit_config()), readme=readme)
