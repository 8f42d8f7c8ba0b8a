from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from deepscan.config import ScanOptions
from deepscan.errors import InputError, UsageError
from deepscan.media.discover import Candidate, read_list, walk
from deepscan.types import SkipCode, Skipped


def found(paths: Path | list[Path], **options: object) -> tuple[list[str], dict[str, SkipCode]]:
    """Names of candidates in order, and what was skipped, by its path below the first argument's parent."""
    several = paths if isinstance(paths, list) else [paths]
    names, skips = [], {}
    for each in walk(several, ScanOptions(**options)):  # type: ignore[arg-type]
        if isinstance(each, Candidate):
            names.append(str(each.name))
        else:
            assert each.path not in skips
            assert each.reason.isprintable()
            skips[os.path.relpath(each.path, several[0])] = each.code
    return names, skips


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_folders_are_walked_in_the_order_of_their_parts(tmp_path: Path) -> None:
    make(tmp_path, "b.jpg", "a/z.jpg", "a/b/c.jpg", "a.jpg", "B.jpg", "a-b/c.jpg", "é.jpg", "z.jpg")
    names, skips = found(tmp_path)
    assert names == ["B.jpg", "a/b/c.jpg", "a/z.jpg", "a-b/c.jpg", "a.jpg", "b.jpg", "z.jpg", "é.jpg"]
    assert skips == {}


def test_folders_are_listed_only_when_they_are_reached(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "b/1.jpg")
    walking = walk([tmp_path], ScanOptions())
    next(walking)
    make(tmp_path, "b/2.jpg")
    assert [str(each.name) for each in walking if isinstance(each, Candidate)] == ["b/1.jpg", "b/2.jpg"]


def test_a_file_argument_has_its_folder_as_root(tmp_path: Path) -> None:
    make(tmp_path, "sub/a.jpg")
    (only,) = walk([tmp_path / "sub" / "a.jpg"], ScanOptions())
    assert isinstance(only, Candidate)
    assert (only.root, str(only.name), only.path) == (tmp_path / "sub", "a.jpg", tmp_path / "sub" / "a.jpg")


def test_a_relative_argument_stays_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "sub/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert [c.path for c in walk([Path("sub")], ScanOptions()) if isinstance(c, Candidate)] == [Path("sub/a.jpg")]
    assert [c.path for c in walk([Path()], ScanOptions()) if isinstance(c, Candidate)] == [Path("sub/a.jpg")]


def test_hidden_files_and_folders_are_left_out_and_counted_once(tmp_path: Path) -> None:
    make(tmp_path, ".h.jpg", ".dir/a.jpg", ".dir/b.jpg", "c.jpg")
    assert found(tmp_path) == (["c.jpg"], {".h.jpg": SkipCode.HIDDEN, ".dir": SkipCode.HIDDEN})
    assert found(tmp_path, hidden=True) == ([".dir/a.jpg", ".dir/b.jpg", ".h.jpg", "c.jpg"], {})


def test_what_is_named_is_scanned_though_hidden(tmp_path: Path) -> None:
    make(tmp_path, ".h.jpg", ".dir/a.jpg")
    assert found(tmp_path / ".h.jpg") == ([".h.jpg"], {})
    assert found(tmp_path / ".dir") == (["a.jpg"], {})


@pytest.mark.parametrize("order", [0, 1])
def test_what_is_named_beside_its_folder_is_answered_once(tmp_path: Path, order: int) -> None:
    make(tmp_path, ".h.jpg", "a.jpg")
    names, skips = found([[tmp_path, tmp_path / ".h.jpg"], [tmp_path / ".h.jpg", tmp_path]][order])
    assert sorted(names) == [".h.jpg", "a.jpg"]
    assert skips == {}


def test_overlapping_arguments_give_a_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "s/a.jpg", "s/.h.jpg", "s/deep/b.jpg", "c.jpg")
    monkeypatch.chdir(tmp_path)
    arguments = [Path("s/deep"), Path("s"), tmp_path, Path("s/a.jpg"), Path("./s/../c.jpg"), Path("s")]
    answered = [each.path.absolute() for each in walk(arguments, ScanOptions())]
    whole = [p.resolve() for p in answered]
    assert sorted(whole) == sorted(tmp_path / n for n in ("s/a.jpg", "s/.h.jpg", "s/deep/b.jpg", "c.jpg"))


def test_a_file_behind_a_link_and_dot_dot_is_not_mistaken_for_another(tmp_path: Path) -> None:
    make(tmp_path, "x.jpg", "other/x.jpg", "other/in/y.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "other" / "in")
    assert found([tmp_path / "x.jpg", tmp_path / "link" / ".." / "x.jpg"])[0] == ["x.jpg", "x.jpg"]


def test_linked_folders_only_on_request(tmp_path: Path) -> None:
    make(tmp_path, "real/a.jpg", "tree/b.jpg")
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "real")
    assert found(tmp_path / "tree") == (["b.jpg"], {"link": SkipCode.SYMLINK})
    assert found(tmp_path / "tree", follow_symlinks=True) == (["b.jpg", "link/a.jpg"], {})
    assert found(tmp_path / "tree" / "link") == (["a.jpg"], {})  # named: entered


def test_linked_files_are_files(tmp_path: Path) -> None:
    make(tmp_path, "real/a.jpg")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link.jpg").symlink_to(tmp_path / "real" / "a.jpg")
    assert found(tmp_path / "tree") == (["link.jpg"], {})


def test_broken_and_circular_links_have_a_reason(tmp_path: Path) -> None:
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    assert found(tmp_path) == ([], {"gone.jpg": SkipCode.VANISHED, "self.jpg": SkipCode.UNREADABLE})


def test_loops_of_links_end(tmp_path: Path) -> None:
    make(tmp_path, "a/b/x.jpg")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "b" / "self").symlink_to(".")
    names, skips = found(tmp_path, follow_symlinks=True)
    assert names == ["a/b/x.jpg"]
    assert skips == {"a/b/self": SkipCode.SYMLINK, "a/b/up": SkipCode.SYMLINK}


def test_a_loop_above_the_argument_ends(tmp_path: Path) -> None:
    make(tmp_path, "top/start/x.jpg", "top/y.jpg")
    (tmp_path / "top" / "start" / "up").symlink_to(tmp_path / "top")
    names, skips = found(tmp_path / "top" / "start", follow_symlinks=True)
    assert names == ["up/y.jpg", "x.jpg"]
    assert skips == {"up/start": SkipCode.SYMLINK}


def test_links_cannot_multiply_a_tree(tmp_path: Path) -> None:
    """Twenty folders, each with two links to the next: a million paths, if every one were followed."""
    for i in range(20):
        make(tmp_path, f"store/{i:02}/x.jpg")
        for name in "pq":
            (tmp_path / "store" / f"{i:02}" / name).symlink_to(tmp_path / "store" / f"{i + 1:02}")
    names, skips = found(tmp_path / "store" / "00", follow_symlinks=True)
    assert len(names) == 20
    assert len(skips) == 20 + 1  # every q, and what the last p and q point to is not there


def test_special_files_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")  # opening it would wait for a writer
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.jpg"))
        (tmp_path / "link.jpg").symlink_to(tmp_path / "pipe.jpg")
        assert found(tmp_path) == ([], dict.fromkeys(("link.jpg", "pipe.jpg", "socket.jpg"), SkipCode.SPECIAL))
        assert found(tmp_path / "pipe.jpg")[1] == {".": SkipCode.SPECIAL}


def test_an_argument_that_does_not_exist_is_an_error_at_once(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    with pytest.raises(InputError, match="There is no file or folder") as told:
        walk([tmp_path / "a.jpg", tmp_path / "b\x1b[31m.jpg"], ScanOptions())
    assert "\x1b" not in told.value.message
    assert told.value.hint
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is a link to something that is not there"):
        walk([tmp_path / "link"], ScanOptions())
    with pytest.raises(InputError):
        walk([Path("a\0b")], ScanOptions())


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """Folders that cannot be listed, also for root, who runs the tests in a container."""
    folders: set[Path] = set()
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path) in folders:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr("deepscan.media.discover.os.scandir", scandir)
    return folders


def test_a_folder_without_permission_costs_only_itself(tmp_path: Path, refused: set[Path]) -> None:
    make(tmp_path, "a/x.jpg", "b/y.jpg")
    refused.add(tmp_path / "a")
    assert found(tmp_path) == (["b/y.jpg"], {"a": SkipCode.UNREADABLE})
    with pytest.raises(InputError, match="permission denied"):
        walk([tmp_path / "a"], ScanOptions())


def test_an_excluded_folder_is_not_listed(tmp_path: Path, refused: set[Path]) -> None:
    make(tmp_path, "cache/x.jpg", "deep/cache/y.jpg", "z.jpg")
    refused.update((tmp_path / "cache", tmp_path / "deep" / "cache"))
    assert found(tmp_path, exclude=("cache",)) == (
        ["z.jpg"],
        {"cache": SkipCode.EXCLUDED, "deep/cache": SkipCode.EXCLUDED},
    )


def test_a_folder_that_goes_away_has_a_reason(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "b/c.jpg")
    walking = walk([tmp_path], ScanOptions())
    next(walking)
    (tmp_path / "b" / "c.jpg").unlink()
    (tmp_path / "b").rmdir()
    (last,) = walking
    assert isinstance(last, Skipped)
    assert last.code is SkipCode.VANISHED


TREE = ("a.jpg", "a.JPG", "b.png", "s/a.jpg", "s/t/a.jpg", "s/t/[x].jpg", "t/c.jpg")


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*.jpg", {"a.jpg", "s/a.jpg", "s/t/a.jpg", "s/t/[x].jpg", "t/c.jpg"}),
        ("*.JPG", {"a.JPG"}),
        ("?.png", {"b.png"}),
        ("[ab].*", {"a.jpg", "a.JPG", "b.png", "s/a.jpg", "s/t/a.jpg"}),
        ("[!a].*", {"b.png", "t/c.jpg"}),
        ("[[]x].jpg", {"s/t/[x].jpg"}),
        ("[", set()),
        ("[z-a].jpg", set()),
        ("s/*.jpg", {"s/a.jpg"}),
        ("s/**", {"s/a.jpg", "s/t/a.jpg", "s/t/[x].jpg"}),
        ("**/t/*", {"s/t/a.jpg", "s/t/[x].jpg", "t/c.jpg"}),
        ("**/a.jpg", {"a.jpg", "s/a.jpg", "s/t/a.jpg"}),
        ("s/**/a.jpg", {"s/a.jpg", "s/t/a.jpg"}),
        ("./s/a.jpg", {"s/a.jpg"}),
        ("/s/a.jpg", {"s/a.jpg"}),
        ("s", set()),
        ("a.jpg\n", set()),
    ],
)
def test_include_patterns(tmp_path: Path, pattern: str, matched: set[str]) -> None:
    make(tmp_path, *TREE)
    names, skips = found(tmp_path, include=(pattern,))
    assert set(names) == matched
    assert skips == dict.fromkeys(set(TREE) - matched, SkipCode.EXCLUDED)


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("t", {"a.jpg", "a.JPG", "b.png", "s/a.jpg"}),
        ("t/", {"a.jpg", "a.JPG", "b.png", "s/a.jpg"}),
        ("s/t", {"a.jpg", "a.JPG", "b.png", "s/a.jpg", "t/c.jpg"}),
        ("s/**", {"a.jpg", "a.JPG", "b.png", "t/c.jpg"}),
        ("**/t/**", {"a.jpg", "a.JPG", "b.png", "s/a.jpg"}),
        ("*", set()),
        ("*.[jp]*", {"a.JPG"}),
    ],
)
def test_exclude_patterns(tmp_path: Path, pattern: str, left: set[str]) -> None:
    make(tmp_path, *TREE)
    assert set(found(tmp_path, exclude=(pattern,))[0]) == left


def test_exclude_wins_over_include_and_holds_for_named_files(tmp_path: Path) -> None:
    make(tmp_path, *TREE)
    assert found(tmp_path, include=("*.jpg",), exclude=("s",))[0] == ["a.jpg", "t/c.jpg"]
    assert found(tmp_path / "a.jpg", exclude=("*.jpg",)) == ([], {".": SkipCode.EXCLUDED})


def test_names_are_kept_as_they_are_and_reasons_are_clean(tmp_path: Path) -> None:
    raw = [b"line\nbreak.jpg", b"\x1b[31mred.jpg", b"not utf-8 \xff\xfe.jpg", b"-rf.jpg", b"\xe2\x80\xaegpj.jpg"]
    for name in raw:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    names, skips = found(tmp_path)
    assert [os.fsencode(name) for name in names] == sorted(raw)
    assert skips == {}
    skipped = [s for s in walk([tmp_path], ScanOptions(exclude=("\x1b*", "*\n*"))) if isinstance(s, Skipped)]
    assert len(skipped) == 2
    assert all(s.reason.isprintable() for s in skipped)


def test_a_very_deep_tree_is_survived(tmp_path: Path) -> None:
    """Deeper than Python's stack, and than a path may be long: the part that has no name left has a reason."""
    top = tmp_path / "top"
    top.mkdir()
    descriptor = os.open(top, os.O_RDONLY)
    for _ in range(2500):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    try:
        names, skips = found(top)
    finally:
        subprocess.run(["rm", "-rf", str(top)], check=True)  # too deep for pytest's own way to tidy up
    assert names == []
    assert list(skips.values()) == [SkipCode.UNREADABLE]


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        (b"a.jpg\nb c.jpg\n", ["a.jpg", "b c.jpg"]),
        (b"a\nb.jpg\0c.jpg\0", ["a\nb.jpg", "c.jpg"]),
        (b"a.jpg", ["a.jpg"]),
        (b"\n\na.jpg\n\n", ["a.jpg"]),
        (b"\0", []),
        (b"", []),
        (b"\xff.jpg\n", ["\udcff.jpg"]),
    ],
)
def test_read_list(data: bytes, paths: list[str]) -> None:
    assert read_list(data) == tuple(Path(p) for p in paths)


def test_input_errors_are_usage_errors() -> None:
    assert issubclass(InputError, UsageError)
