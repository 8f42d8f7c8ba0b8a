"""The templates of the page: the built-in ones, and a folder whose files stand in for those of the same name.

A template of the reader's own is bound as the built-in ones are: it runs in Jinja's sandbox, text is escaped whatever
it does (there is no filter ``safe``, and no switch), and the page keeps its policy, so that it fetches nothing and runs
nothing but the page's own scripts. What is wrong in it is told as a sentence with file and line.
"""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from deepscan.errors import OutputError
from deepscan.text import clean

if TYPE_CHECKING:
    from jinja2 import Environment

PAGE, STYLE = "report.html", "report.css"
SCRIPTS = ("dom.js", "data.js", "table.js", "evidence.js", "film.js", "file.js", "main.js")
MAX_BYTES = 4 * 1024**2
"""Size that a template may have: the built-in page with all its scripts has 40 kB."""

_MAX_VALUE = 2_000
_SPOOL_BYTES = 8 * 1024**2
_ENDS = {**dict.fromkeys(SCRIPTS, ("</script", "<!--")), STYLE: ("</style",)}
_HINT = "Mend it, and write the report again: `deepscan report` needs no second scan."


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of one report; ``folder`` None for the built-in ones alone."""

    environment: Environment
    folder: Path | None

    @classmethod
    def of(cls, folder: Path | None) -> Templates:
        """The built-in templates, with those of a folder before them.

        Raises:
            OutputError: the folder holds none of the names that can be replaced.
        """
        from jinja2 import ChoiceLoader, FunctionLoader, PackageLoader, PrefixLoader, StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        built_in = PackageLoader("deepscan.reports")
        environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
        own = [] if folder is None else [FunctionLoader(lambda name: _own(environment, folder, name))]
        environment.loader = ChoiceLoader([*own, built_in, PrefixLoader({"builtin": built_in})])
        environment.filters["clean"] = lambda text, limit=_MAX_VALUE: clean(str(text), limit)
        del environment.filters["safe"]
        if folder is not None and not any((folder / name).is_file() for name in (PAGE, STYLE, *SCRIPTS)):
            raise OutputError(
                f"{clean(str(folder))} is not a folder with a template: nothing in it replaces a built-in one.",
                f"It may hold {', '.join((PAGE, STYLE, *SCRIPTS))}.",
            )
        return cls(environment, folder)

    def text(self, name: str) -> str:
        """A style or a script, as it stands. Raises OutputError for one that would end its element in the page."""
        assert self.environment.loader is not None
        text, path, _ = self.environment.loader.get_source(self.environment, name)
        for number, line in enumerate(text.splitlines(), 1):
            if any(end in line.lower() for end in _ENDS[name]):
                _refuse(path or name, number, f"{' and '.join(_ENDS[name])} cannot stand in it")
        return text

    def write(self, context: Mapping[str, Any], policy: str, stream: TextIO) -> None:
        """Write the page. With templates of the reader's own nothing is written before all of it is known to hold.

        Raises:
            OutputError: a template has an error, or leaves out the policy.
        """
        page = self.environment.get_template
        if self.folder is None:
            stream.writelines(page(PAGE).generate(context))
            stream.write("\n")
            return
        head = _Head(policy)
        with tempfile.SpooledTemporaryFile(_SPOOL_BYTES, "w+", encoding="utf-8", newline="") as whole:
            with _errors_told(self.folder):
                for piece in page(PAGE).generate(context):
                    if head.holds is None:
                        head.feed(str(piece))  # str: adding to Markup escapes what is added
                    whole.write(piece)
            if not head.holds:
                raise OutputError(
                    f"The page of {clean(str(self.folder / PAGE))} leaves out the page's policy, or has it too late.",
                    'Right after <head>: <meta http-equiv="Content-Security-Policy" content="{{ policy }}">',
                )
            whole.write("\n")
            whole.seek(0)
            while block := whole.read(1 << 20):
                stream.write(block)


class _Head(HTMLParser):
    """Whether the policy stands where browsers heed it: in the head, before anything that it has to govern."""

    def __init__(self, policy: str) -> None:
        super().__init__()
        self._policy = policy
        self.holds: bool | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Only ``html``, ``head`` and other ``meta`` may come before it."""
        if self.holds is not None or tag in ("html", "head"):
            return
        values = dict(attrs)
        if tag != "meta":
            self.holds = False
        elif (values.get("http-equiv") or "").lower() == "content-security-policy":
            self.holds = values.get("content") == self._policy

    def handle_endtag(self, tag: str) -> None:
        """The head ends without it, or there was none."""
        if self.holds is None:
            self.holds = False

    def handle_data(self, data: str) -> None:
        """Text begins the body, and a policy in the body is ignored."""
        if self.holds is None and data.strip():
            self.holds = False


def _own(environment: Environment, folder: Path, name: str) -> tuple[str, str, None] | None:
    """A template of the folder, with its path; None where it has none of that name."""
    from jinja2 import nodes
    from jinja2.loaders import split_template_path

    path = folder.joinpath(*split_template_path(name))
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as e:
        raise OutputError(f"The template {clean(str(path))} cannot be read: {e.strerror or e}.", _HINT) from e
    if len(data) > MAX_BYTES:
        raise OutputError(f"The template {clean(str(path))} is larger than {MAX_BYTES // 1024**2} MiB.", _HINT)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        _refuse(str(path), data.count(b"\n", 0, e.start) + 1, "it is not UTF-8 there", e)
    if name not in _ENDS:
        for switch in environment.parse(text, name, str(path)).find_all(nodes.ScopedEvalContextModifier):
            _refuse(str(path), switch.lineno, "what files say is escaped always, and autoescape cannot be switched")
    return text, str(path), None


@contextmanager
def _errors_told(folder: Path) -> Iterator[None]:
    from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

    try:
        yield
    except TemplateSyntaxError as e:
        _refuse(e.filename or str(folder), e.lineno, str(e.message), e)
    except (TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError) as e:
        why = f"there is no template {e.name!r}" if isinstance(e, TemplateNotFound) else str(e) or type(e).__name__
        _refuse_at(e, folder, why)
    except (TypeError, ValueError) as e:
        _refuse_at(e, folder, str(e))


def _refuse_at(error: Exception, folder: Path, why: str) -> NoReturn:
    """Refuse the line of the folder's templates in which an error was raised; other errors are not theirs."""
    place = _last_line(error.__traceback__, folder)
    if place is None:
        raise error
    _refuse(*place, why, error)


def _last_line(trace: TracebackType | None, folder: Path) -> tuple[str, int] | None:
    """The innermost line of a traceback in a file of the folder: Jinja writes templates' own lines into it."""
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace)]
    files = [place for place in places if not place[0].startswith("<")]  # such as <frozen importlib>
    return next((place for place in reversed(files) if Path(place[0]).is_relative_to(folder)), None)


def _refuse(path: str, line: int, why: str, cause: Exception | None = None) -> NoReturn:
    why = clean(why).rstrip(".")
    raise OutputError(f"The template {clean(path)} cannot be used, line {line}: {why}.", _HINT) from cause
