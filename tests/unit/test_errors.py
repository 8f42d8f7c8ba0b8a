"""The tree in the docstring is the tree in the code, and an error survives the way out of a worker."""

from __future__ import annotations

import inspect
import pickle
import re
from collections.abc import Iterator

import pytest

from deepscan import errors
from deepscan.errors import DeepscanError, MediaError


def drawn() -> Iterator[tuple[str, str, str]]:
    """Each line of the drawing: the class, its parent, and its exit code or a dash."""
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.fullmatch(r"    ((?:[|`]   |    )*(?:[|`]-- )?)(\w+)(?: +([\d-]+) +\S.*)?", line)
        if found is None:
            continue
        depth = len(found[1]) // 4
        assert depth <= len(above), f"{found[2]} hangs from nothing"
        del above[depth:]
        yield found[2], above[-1] if above else "Exception", found[3] or ""
        above.append(found[2])


TREE = {name: (parent, code) for name, parent, code in drawn()}
CLASSES = {
    name: kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, DeepscanError) and kind.__module__ == errors.__name__
}


def test_every_class_is_drawn_once_and_nothing_else() -> None:
    assert sorted(name for name, _, _ in drawn()) == sorted(CLASSES)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_it_hangs_where_it_is_drawn_with_its_exit_code(name: str) -> None:
    parent, code = TREE[name]
    kind = CLASSES[name]
    assert [base.__name__ for base in kind.__bases__] == [parent]
    if kind is DeepscanError:
        return
    # A MediaError never ends the program: it becomes a reason in the report.
    assert code == ("-" if issubclass(kind, MediaError) else str(kind.exit_code))
    assert kind.__doc__


def test_no_error_ends_with_a_code_that_means_a_result() -> None:
    results = {errors.EXIT_CLEAN, errors.EXIT_FOUND, errors.EXIT_INCOMPLETE}
    assert all(kind.exit_code not in results for kind in CLASSES.values())


def test_the_exit_codes_are_those_of_the_house() -> None:
    codes = (
        errors.EXIT_CLEAN,
        errors.EXIT_FOUND,
        errors.EXIT_USAGE,
        errors.EXIT_INCOMPLETE,
        errors.EXIT_INTERRUPTED,
        errors.EXIT_PIPE,
    )
    assert codes == (0, 1, 2, 3, 130, 141)


@pytest.mark.parametrize("name", sorted(CLASSES))
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_pickling_keeps_the_class_the_sentence_and_the_hint(name: str, protocol: int) -> None:
    error = CLASSES[name]("It broke.", "Mend it.")
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is CLASSES[name]
    assert (again.message, again.hint, str(again)) == ("It broke.", "Mend it.", "It broke.")
    assert again.exit_code == error.exit_code


def test_a_hint_may_be_left_out() -> None:
    assert DeepscanError("It broke.").hint == ""
