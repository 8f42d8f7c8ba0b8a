"""What gets installed: the wheel's content and metadata, the dependencies, and the versions that CI pins."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import deepscan
from deepscan.models import card as cards
from deepscan.models.packs import BUILTIN_FOLDER
from tests.test_layers import imports, modules

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "deepscan"
MAX_PACK_BYTES = 30_000_000
"""An embedded pack is to be small enough to ship."""

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BASE = [Requirement(text) for text in PROJECT["dependencies"]]
TEST = [Requirement(text) for text in PROJECT["optional-dependencies"]["test"]]
EXTRAS = [
    Requirement(text) for name, texts in PROJECT["optional-dependencies"].items() if name != "test" for text in texts
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves folders in its tree."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("deepscan", "tests", "docs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(target), str(source)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def stated(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(f"{_dist_info()}/METADATA").decode())


def _dist_info() -> str:
    return f"deepscan-{deepscan.__version__}.dist-info"


@pytest.mark.slow
class TestWheel:
    def test_everything_of_the_package_is_in_it(self, names: frozenset[str]) -> None:
        """Every module, the mark for type checkers, the published schema, and the whole embedded pack."""
        wanted = {
            path.relative_to(ROOT).as_posix()
            for path in PACKAGE.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert {"deepscan/py.typed", "deepscan/reports/report.schema.json"} <= wanted
        assert wanted == {name for name in names if name.startswith("deepscan/")}

    def test_nothing_else_is_in_it(self, names: frozenset[str]) -> None:
        assert {name.partition("/")[0] for name in names} == {"deepscan", _dist_info()}

    def test_its_version_has_one_source(self, wheel: Path, stated: Message) -> None:
        assert "version" not in PROJECT
        assert PROJECT["dynamic"] == ["version"]
        assert stated["Version"] == deepscan.__version__
        assert wheel.name == f"deepscan-{deepscan.__version__}-py3-none-any.whl"

    def test_its_command(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            points = archive.read(f"{_dist_info()}/entry_points.txt").decode()
        assert "[console_scripts]\ndeepscan = deepscan.__main__:main\n" in points

    def test_its_licence(self, wheel: Path, stated: Message) -> None:
        assert stated["License-Expression"] == "Apache-2.0 AND LicenseRef-deepscan-faces-non-commercial"
        with zipfile.ZipFile(wheel) as archive:
            assert archive.read(f"{_dist_info()}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()

    def test_what_it_needs(self, stated: Message) -> None:
        assert stated["Requires-Python"] == ">=3.11"
        needed = [Requirement(text) for text in stated.get_all("Requires-Dist", [])]
        assert {r.name for r in needed if r.marker is None} == {r.name for r in BASE}
        assert set(stated.get_all("Provides-Extra", [])) == PROJECT["optional-dependencies"].keys()


def test_what_workers_import_of_the_command_costs_them_nothing() -> None:
    """multiprocessing imports the script that the command is, in each worker: the command line stays out of it."""
    code = "import sys, deepscan.__main__; print({'typer', 'deepscan.cli'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_version_is_what_the_command_says() -> None:
    done = subprocess.run([sys.executable, "-m", "deepscan", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"deepscan {deepscan.__version__}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+", deepscan.__version__)


def test_the_embedded_pack_states_its_licence_and_is_small() -> None:
    if not (BUILTIN_FOLDER / cards.CARD_NAME).is_file():
        pytest.skip("this tree has no embedded pack yet")
    card = cards.load(BUILTIN_FOLDER)
    assert len(card.licence.split()) > 1, "a sentence, which reports print"
    assert card.licence_class in ("open", "non-commercial")
    assert card.data
    assert card.provenance
    assert sum(path.stat().st_size for path in BUILTIN_FOLDER.rglob("*") if path.is_file()) <= MAX_PACK_BYTES


def test_every_library_that_is_imported_is_declared() -> None:
    owners = metadata.packages_distributions()
    declared = {canonicalize_name(requirement.name) for requirement in (*BASE, *EXTRAS)}
    used = {found.module.partition(".")[0] for module in modules() for found in imports(module)}
    for library in sorted(used - sys.stdlib_module_names - {"deepscan"}):
        assert {canonicalize_name(owner) for owner in owners[library]} & declared, library


def test_every_library_that_is_declared_is_imported() -> None:
    """A dependency that nothing uses is to go."""
    by_others = {"accelerate"}  # transformers' Trainer imports it
    owners = metadata.packages_distributions()
    used = {found.module.partition(".")[0] for module in modules() for found in imports(module)}
    owned = {canonicalize_name(owner) for library in used for owner in owners.get(library, [])}
    assert {canonicalize_name(requirement.name) for requirement in BASE} - by_others <= owned


# constraints.txt


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if line and not line.startswith("#")]
    assert all(found), "every line is NAME==VERSION"
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def test_the_pins_satisfy_what_the_package_asks_for() -> None:
    pinned = pins()
    for requirement in (*BASE, *EXTRAS, *TEST):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_everything_that_is_needed_is_pinned() -> None:
    """Walked from what is installed here: dependencies of dependencies too."""
    pinned = pins()
    done: set[str] = set()

    def walk(requirement: Requirement) -> None:
        name = canonicalize_name(requirement.name)
        key = f"{name}[{','.join(sorted(requirement.extras))}]"
        if key in done:
            return
        done.add(key)
        if name.startswith(("nvidia-", "cuda-", "triton")):  # builds of torch for graphics cards choose their own
            return
        assert name in pinned, f"{name} is missing from constraints.txt"
        for text in metadata.requires(name) or []:
            inner = Requirement(text)
            if inner.marker is None or any(inner.marker.evaluate({"extra": e}) for e in {"", *requirement.extras}):
                walk(inner)

    for requirement in (*BASE, *EXTRAS, *TEST):
        walk(requirement)
    if (sys.version_info[:2], sys.platform, platform.machine()) == ((3, 11), "linux", "x86_64"):  # as in CI
        assert {name.partition("[")[0] for name in done} >= pinned.keys(), "constraints.txt pins what nothing needs"


def test_every_package_says_what_it_holds() -> None:
    """An empty file is the same bytes as any other empty file, those of the shared data among them."""
    folders = (ROOT / "deepscan", ROOT / "tests")
    assert [path for folder in folders for path in folder.rglob("__init__.py") if not path.stat().st_size] == []
