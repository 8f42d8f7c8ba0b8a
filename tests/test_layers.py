"""The house plan's walls, read from the source with ``ast``: who may import whom, and the small rules of the house.

docs/architecture.md says what the walls are for. A test here that fails is to be answered by moving the import, or by
moving the wall and saying why in the commit.
"""

from __future__ import annotations

import ast
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import deepscan

PACKAGE = Path(deepscan.__file__).parent

BASE = frozenset({"errors", "types", "text"})
MAY_IMPORT: dict[str, frozenset[str]] = {
    "": frozenset({"types", "engine"}),  # deepscan/__init__.py, which re-exports scan()
    "__main__": frozenset({"cli", "errors"}),
    "errors": frozenset(),
    "terms": frozenset(),
    "records": frozenset(),
    "deferred": frozenset(),
    "types": frozenset({"terms", "records", "deferred"}),
    "text": frozenset(),
    "machine": frozenset(),
    "explain": frozenset({"errors", "text"}),
    "config": BASE | {"media.limits"},
    "media": BASE | {"config"},
    "models": BASE | {"config", "media", "machine"},
    "checks": BASE | {"config", "media", "models"},
    # An arrow that the house plan did not draw: the case file stores items in the report's own JSON form.
    "engine": BASE | {"config", "media", "machine", "models", "checks", "reports.schema", "reports.upgrades"},
    # What a report says of a code is what `deepscan explain` says of it; the pages import errors and text only.
    "reports": BASE | {"explain"},
    "custody": BASE | {"config", "reports"},
    "ci": BASE | {"reports"},
    "training": BASE | {"config", "media", "models"},
    # Packs are measured on data sets that training reads and splits, with the numbers it writes into cards.
    "evaluation": BASE
    | {"config", "media", "machine", "models"}
    | {
        f"training.{name}"
        for name in ("data", "metrics", "boosting", "shortcuts", "calibrate", "folds", "likelihood", "outputs")
    },
    "cli": BASE
    | {
        "explain",
        "config",
        "media",
        "models",
        "checks",
        "engine",
        "reports",
        "custody",
        "ci",
        "training",
        "evaluation",
    },
}
"""Room -> the rooms, or single modules of rooms, that it may import besides itself."""

MODEL_LIBRARIES = frozenset({"torch", "transformers", "accelerate", "kornia"})
ONLY_IN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(MODEL_LIBRARIES, ("models", "training", "checks.classifier")),
    "rich": ("cli",),
    "typer": ("cli",),
    "sqlite3": ("engine.casefile",),
    "jinja2": ("reports.html", "evaluation.page"),
    "matplotlib": ("evaluation.plots", "training"),
    "pyarrow": (
        "training.data",
        "reports.parquet_report",
    ),
    "cryptography": ("custody.signing", "custody.timestamps", "cli.delivery"),
    "rfc3161_client": ("custody.timestamps",),
    "click": (),  # Typer ships its own
}
"""Library -> the rooms or modules that may import it."""

NEVER_IN: dict[str, frozenset[str]] = {"reports": frozenset({"PIL", "cv2", "numpy"})}

LOADED_LATE = ("training", "models.dinov2")
"""Where model libraries may be imported at once, because nobody imports these rooms and modules at once."""

HEAVY = MODEL_LIBRARIES | {"cv2", "numpy", "PIL", "scipy", "sklearn", "pandas", "av", "huggingface_hub", "exifread"}
"""What ``deepscan --help`` must not load."""

WIDE_NETS = frozenset({"engine.runner", "cli.app"})
MAX_LINES, MAX_COMMAND_LINES = 400, 100
NO_COMMANDS = frozenset({"__init__", "account", "app", "console", "evaluation_tables", "options", "words"})
"""Modules of cli/ that are no commands."""


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, and whether importing the importer loads it."""

    module: str
    line: int
    at_once: bool


@dataclass(frozen=True, slots=True)
class Module:
    """One source file; ``name`` has no leading ``deepscan.``."""

    name: str
    tree: ast.Module
    lines: int

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        return f"deepscan.{self.name}".rstrip(".")


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        source = path.read_text(encoding="utf-8")
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, ast.parse(source, str(path)), len(source.splitlines())))
    return tuple(found)


def imports(module: Module) -> Iterator[Import]:
    """Every import of a module: at its top, inside functions, and under TYPE_CHECKING."""
    names = {m.name for m in modules()}
    for node, at_once in _statements(module.tree, at_once=True):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, at_once)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            assert node.module is not None
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                is_module = inside.removeprefix("deepscan.") in names and inside.startswith("deepscan.")
                yield Import(inside if is_module else node.module, node.lineno, at_once)


def _statements(node: ast.AST, *, at_once: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        runs = at_once and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            runs = False
        yield child, runs
        yield from _statements(child, at_once=runs)


def within(name: str, places: tuple[str, ...] | frozenset[str]) -> bool:
    """Whether a module is one of ``places`` or lies in one; ``engine.casefile`` holds ``engine.casefile_x`` too."""
    return any(name == place or name.startswith((f"{place}.", f"{place}_")) for place in places)


Rule = Callable[[Module], Iterator[str]]
"""What a module breaks, a line for each break."""


def arrows(module: Module) -> Iterator[str]:
    """Imports go the way the arrows of the house plan go."""
    allowed = MAY_IMPORT[module.room]
    for found in imports(module):
        root, _, target = found.module.partition(".")
        if root != "deepscan" or not target:  # the package itself is the next rule's
            continue
        at_home = target.partition(".")[0] == module.room and module.room != ""
        if not at_home and not within(target, allowed):
            yield f"{module}:{found.line} imports {found.module}"


def version_only(module: Module) -> Iterator[str]:
    """Of the package itself only the version is imported: scan() is there for others."""
    submodules = {m.name for m in modules()}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "deepscan":
            for name in {alias.name for alias in node.names} - submodules - {"__version__"}:
                yield f"{module}:{node.lineno} imports {name} from deepscan"


def libraries(module: Module) -> Iterator[str]:
    """Libraries stay in their rooms, and those with models in them are loaded only when they are needed."""
    for found in imports(module):
        library = found.module.partition(".")[0]
        where = f"{module}:{found.line} imports {found.module}"
        if not within(module.name, ONLY_IN.get(library, (module.name,))):
            yield where
        if library in NEVER_IN.get(module.room, frozenset()):
            yield where
        late = library in MODEL_LIBRARIES or found.module == "deepscan.models.dinov2"
        if late and found.at_once and not within(module.name, LOADED_LATE):
            yield f"{where} before it is needed"


def models_unknown(module: Module) -> Iterator[str]:
    """Of the checks only the two around models and their room know them; the catalogue hands them the card."""
    knowing = ("checks.classifier", "checks.sequence", "checks.scoring", "checks.catalogue")
    if module.room == "checks" and not within(module.name, knowing):
        for found in imports(module):
            if within(found.module, ("deepscan.models",)):
                yield f"{module}:{found.line} imports {found.module}"


def no_wide_net(module: Module) -> Iterator[str]:
    """Only the runner and the command line catch everything. Tidying up and raising again catches nothing."""
    if module.name in WIDE_NETS:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            last = node.body[-1]
            raises_again = isinstance(last, ast.Raise) and last.exc is None
            caught = {"BaseException"} if node.type is None else _names(node.type)
            caught = set() if raises_again else caught
        elif isinstance(node, ast.Call) and _names(node.func) & {"suppress"}:
            caught = {name for argument in node.args for name in _names(argument)}
        else:
            continue
        if caught & {"Exception", "BaseException"}:
            yield f"{module}:{node.lineno} catches everything"


def _names(node: ast.expr) -> set[str]:
    """The last parts of the names in an expression: ``a.b`` gives ``b``."""
    if isinstance(node, ast.Tuple):
        return {name for element in node.elts for name in _names(element)}
    if isinstance(node, ast.Attribute):
        return {node.attr}
    return {node.id} if isinstance(node, ast.Name) else set()


def silent(module: Module) -> Iterator[str]:
    """Only the command line prints, asks, and ends the program."""
    if module.room in ("cli", "__main__"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("print", "input", "exit", "quit", "sys.exit", "os._exit", "sys.stdout.write"):
                yield f"{module}:{node.lineno} calls {called}"


def short(module: Module) -> Iterator[str]:
    """Modules stay under 400 lines, commands under 100: they have no rules of their own."""
    is_command = module.room == "cli" and module.name.removeprefix("cli.") not in NO_COMMANDS
    most = MAX_COMMAND_LINES if is_command and module.name != "cli" else MAX_LINES
    if module.lines >= most:
        yield f"{module} has {module.lines} lines, and must stay under {most}"


def described(module: Module) -> Iterator[str]:
    """Modules, and what is public in them, have a docstring."""
    if module.tree.body and not ast.get_docstring(module.tree):
        yield f"{module} has no docstring"
    for name, node in _public(module.tree, ""):
        if not ast.get_docstring(node):
            yield f"{module}:{node.lineno} {name} has no docstring"


def _public(
    tree: ast.Module | ast.ClassDef, prefix: str
) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node, f"{node.name}.")


def no_drawer_for_everything(module: Module) -> Iterator[str]:
    """Modules are named for what they hold."""
    if {"utils", "util", "helpers", "helper", "manager", "misc", "common"} & set(module.name.split(".")):
        yield str(module)


RULES: tuple[Rule, ...] = (
    arrows,
    version_only,
    libraries,
    models_unknown,
    no_wide_net,
    silent,
    short,
    described,
    no_drawer_for_everything,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule: Rule) -> None:
    assert [broken for module in modules() for broken in rule(module)] == []


def test_every_room_has_its_arrows() -> None:
    assert {module.room for module in modules()} == MAY_IMPORT.keys()


def test_nothing_imports_the_command_line() -> None:
    """Stated by itself, because the arrows above could be drawn anew by mistake."""
    importers = {m.room for m in modules() if any(within(i.module, ("deepscan.cli",)) for i in imports(m))}
    assert importers == {"__main__", "cli"}


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (arrows, "media.odd", "def f():\n    from deepscan.engine import scan\n"),
        (arrows, "config", "from deepscan.media.frames import Frame\n"),
        (arrows, "reports.odd", "import deepscan.engine.casefile\n"),
        (arrows, "engine.odd", "from deepscan.reports import base\n"),
        (arrows, "training.odd", "if TYPE_CHECKING:\n    from deepscan.checks.base import Check\n"),
        (version_only, "engine.odd", "from deepscan import scan\n"),
        (libraries, "models.odd", "import torch\n"),
        (libraries, "checks.ela", "def f():\n    import torch.nn\n"),
        (libraries, "reports.odd", "def f():\n    import numpy as np\n"),
        (libraries, "cli.odd", "import click\n"),
        (libraries, "media.odd", "import sqlite3\n"),
        (models_unknown, "checks.ela", "def f():\n    from deepscan.models import card\n"),
        (no_wide_net, "checks.odd", "try:\n    pass\nexcept (ValueError, Exception):\n    pass\n"),
        (no_wide_net, "checks.odd", "try:\n    pass\nexcept:\n    x = 1\n"),
        (no_wide_net, "checks.odd", "import contextlib\nwith contextlib.suppress(Exception):\n    pass\n"),
        (silent, "engine.odd", "def f():\n    print('x')\n"),
        (silent, "engine.odd", "import sys\nsys.exit(1)\n"),
        (short, "cli.odd", "x = 1\n" * 100),
        (short, "text", "x = 1\n" * 400),
        (described, "text", '"""Doc."""\nclass A:\n    """Doc."""\n    def f(self): ...\n'),
        (no_drawer_for_everything, "media.utils", ""),
    ],
)
def test_the_rules_see_what_breaks_them(rule: Rule, name: str, source: str) -> None:
    module = Module(name, ast.parse(source), len(source.splitlines()))
    assert list(rule(module))


# What happens when it runs.


def run_python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in an empty folder, with that folder as home."""
    environment = {**os.environ, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("words", [(), ("scan",), ("train",), ("report",), ("models",), ("models", "info")])
def test_help_is_quick(words: tuple[str, ...], tmp_path: Path) -> None:
    """It loads nothing that decodes, computes or scores."""
    done = run_python("-X", "importtime", "-m", "deepscan", *words, "--help", folder=tmp_path)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "deepscan.cli.app" in loaded
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY}
    assert "Usage:" in done.stdout
    assert not list(tmp_path.iterdir())


def test_help_takes_less_than_four_tenths_of_a_second(tmp_path: Path) -> None:
    """Of processor time, so that a busy machine does not matter; the best of three."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run_python("-m", "deepscan", "--help", folder=tmp_path)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.4


def test_importing_deepscan_loads_no_torch(tmp_path: Path) -> None:
    code = "import sys, deepscan; print([m for m in ('torch', 'transformers', 'cv2', 'numpy') if m in sys.modules])"
    assert run_python("-c", code, folder=tmp_path).stdout == "[]\n"


WATCH = """
import json, logging, os, random, signal, sys, threading, warnings
{libraries}
from PIL import Image, ImageFile
import numpy, torch, cv2

def state():
    return {{
        "argv": list(sys.argv),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "signals": [repr(signal.getsignal(s)) for s in sorted(signal.valid_signals())],
        "root logger": [logging.root.level, [repr(h) for h in logging.root.handlers], logging.root.manager.disable],
        "deepscan's logger": [repr(h) for h in logging.getLogger("deepscan").handlers],
        "warnings": [repr(f) for f in warnings.filters],
        "threads": threading.active_count(),
        "excepthook": repr(sys.excepthook),
        "recursion": sys.getrecursionlimit(),
        "random": hash(random.getstate()),
        "numpy random": hash(numpy.random.get_state()[1].tobytes()),
        "numpy errors": numpy.geterr(),
        "Pillow": [Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, sorted(Image.OPEN)],
        "torch": [torch.get_num_threads(), str(torch.get_default_dtype()), torch.initial_seed(),
                  torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled(), torch.cuda.is_initialized()],
        "OpenCV": [cv2.getNumThreads(), cv2.ocl.useOpenCL(), cv2.utils.logging.getLogLevel()],
    }}

touched = []

def watch(event, arguments):
    if event == "open" and arguments[2] is not None:
        path, _, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if writes or not str(path).endswith((".py", ".pyc", ".so")):
            touched.append([event, str(path)])
    elif event.startswith(("socket.", "subprocess.", "os.mkdir", "os.remove", "os.rename", "os.system", "shutil.",
                           "sqlite3.", "urllib.", "tempfile.")):
        touched.append([event, repr(arguments)[:200]])

before = state()
sys.addaudithook(watch)
for name in {names}:
    __import__(name)
done = list(touched)
after = state()
print(json.dumps({{"changed": [k for k in before if before[k] != after[k]], "touched": done}}))
"""


def _library_imports() -> str:
    """The import statements for other packages that deepscan's modules execute at once.

    They are executed before the watch begins: what torch does to the warnings filters is not ours to answer for.
    """
    lines = {
        ast.unparse(node)
        for module in modules()
        for node, at_once in _statements(module.tree, at_once=True)
        if at_once
        and (
            (
                isinstance(node, ast.ImportFrom)
                and (node.module or "").partition(".")[0] not in ("deepscan", "__future__")
            )
            or (isinstance(node, ast.Import) and not any(a.name.startswith("deepscan") for a in node.names))
        )
    }
    return "\n".join(sorted(lines))


@pytest.mark.slow
def test_importing_any_module_touches_nothing(tmp_path: Path) -> None:
    """Every module at once, watched by an audit hook: no disk, no network, no process, no global state."""
    names = [str(m) for m in modules() if m.name != "__main__"]
    code = WATCH.format(libraries=_library_imports(), names=names)
    done = run_python("-W", "ignore", "-c", code, folder=tmp_path)
    assert done.stdout.splitlines()[-1] == '{"changed": [], "touched": []}'
    assert done.stderr == ""
    assert not list(tmp_path.iterdir())
