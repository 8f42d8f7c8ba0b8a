"""What the user asked for: where it may stand, what wins, and what is refused with a sentence."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from deepscan.config import (
    SPEED_ONLY,
    ScanOptions,
    as_json,
    load_settings,
    result_options,
    with_settings,
)
from deepscan.errors import ConfigError
from deepscan.training.options import TrainOptions
from deepscan.types import Level, MediaKind

FIELDS = [field.name for field in dataclasses.fields(ScanOptions)]

# The same setting as a configuration file has it, as an environment variable has it, and as the options hold it.
SETTINGS: list[tuple[str, str, str, Any]] = [
    ("include", '["*.jpg", "a,b.png"]', "*.jpg", None),
    ("exclude", '"a, b ,"', "a, b ,", ("a", "b")),
    ("hidden", "true", "yes", True),
    ("follow-symlinks", "true", "1", True),
    ("max-size", '"2 GiB"', "2 GiB", 2 * 1024**3),
    ("max_size", "4096", "4096", 4096),
    ("max-memory", '"2 GiB"', "2 GiB", 2 * 1024**3),
    ("verify-unchanged", "true", "on", True),
    ("trust-mtime", "true", "1", True),
    ("kinds", '["video"]', "video", (MediaKind.VIDEO,)),
    ("frames", "4", "4", 4),
    ("frames", '"auto"', "auto", None),
    ("keyframes", "true", "on", True),
    ("all-frames", "true", "1", True),
    ("every", "0.5", "0.5", 0.5),
    ("every", '"auto"', "AUTO", None),
    ("device", '"cuda:1"', "cuda:1", "cuda:1"),
    ("precision", '"bf16"', "bf16", "bf16"),
    ("style", '"brief"', "brief", "brief"),
    ("batch-size", "8", "8", 8),
    ("batch-size", '"auto"', "auto", None),
    ("model", '"owner/name@main"', "owner/name@main", "owner/name@main"),
    ("fake-label", '"Deepfake"', "Deepfake", "Deepfake"),
    ("offline", "true", "on", True),
    ("checks", '"ela"', "ela", ("ela",)),
    ("skip", '["ela", "identity"]', "ela,identity", ("ela", "identity")),
    ("fail-on", '"never"', "never", "never"),
    ("faces", '"yunet"', "yunet", "yunet"),
    ("stability", "true", "yes", True),
    ("exhibits", "false", "no", False),
    ("workers", "0", "0", 0),
    ("file-seconds", "30", "30", 30.0),
    ("trust-list", '"roots.pem"', "roots.pem", "roots.pem"),
    ("fetch-remote", "true", "on", True),
    ("exiftool", "true", "1", True),
    ("redact-location", "true", "yes", True),
    ("thorough", "true", "yes", True),
]


def variable(name: str) -> str:
    return "DEEPSCAN_" + name.replace("-", "_").upper()


def options(
    folder: Path, *, toml: str = "", table: str = "", environment: dict[str, str] | None = None, **flags: Any
) -> ScanOptions:
    """The options that a scan in ``folder`` would have."""
    for name, text in (("deepscan.toml", toml), ("pyproject.toml", f"[tool.deepscan]\n{table}" if table else "")):
        if text:
            (folder / name).write_text(text, encoding="utf-8")
    return with_settings(ScanOptions(), load_settings(folder, environment or {}) | flags)


@pytest.mark.parametrize(("name", "toml", "word", "value"), SETTINGS, ids=lambda value: str(value)[:16])
def test_a_setting_means_the_same_in_a_file_and_in_the_environment(
    name: str, toml: str, word: str, value: Any, tmp_path: Path
) -> None:
    field = name.replace("-", "_")
    from_file = getattr(options(tmp_path, toml=f"{name} = {toml}"), field)
    (tmp_path / "deepscan.toml").unlink()
    from_table = getattr(options(tmp_path, table=f"{name} = {toml}"), field)
    (tmp_path / "pyproject.toml").unlink()
    from_environment = getattr(options(tmp_path, environment={variable(name): word}), field)
    if name == "include":  # a list keeps the commas in its globs; a word cannot
        assert from_file == from_table == ("*.jpg", "a,b.png")
        assert from_environment == ("*.jpg",)
    else:
        assert from_file == from_table == from_environment == value
        assert type(from_file) is type(value)


def test_every_option_is_among_those_settings() -> None:
    assert {name.replace("-", "_") for name, *_ in SETTINGS} == set(FIELDS)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("frames", (2, 3, 4, 5)),
        ("every", (1.5, 2.5, 3.5, 4.5)),
        ("device", ("cpu", "cuda", "mps", "cuda:2")),
        ("skip", (("ela",), ("metadata",), ("identity",), ("classifier",))),
        ("max_size", (1, 2, 3, 4)),
        ("kinds", (("image",), ("video",), ("image", "video"), ("video", "image"))),
        ("hidden", (True, False, True, False)),
    ],
)
def test_defaults_then_pyproject_then_the_file_then_the_environment_then_flags(
    name: str, values: tuple[Any, ...], tmp_path: Path
) -> None:
    project, file, environment, flag = values
    if isinstance(project, tuple):
        in_toml = [json.dumps(list(value)) for value in (project, file)]
        word = ",".join(environment)
    else:
        in_toml, word = [json.dumps(value) for value in (project, file)], str(environment)

    def now(**given: Any) -> Any:
        found = getattr(options(tmp_path, **given), name)
        return tuple(str(entry) for entry in found) if isinstance(found, tuple) else found

    assert getattr(ScanOptions(), name) == getattr(options(tmp_path), name)
    assert now(table=f"{name} = {in_toml[0]}") == project
    assert now(toml=f"{name} = {in_toml[1]}") == file
    assert now(environment={variable(name): word}) == environment
    assert now(environment={variable(name): word}, **{name: flag}) == flag


def test_files_add_up_and_other_tables_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nframes = 1\n[tool.deepscan]\nframes = 2\nskip = 'ela'\n")
    (tmp_path / "deepscan.toml").write_text("frames = 3\n")
    assert load_settings(tmp_path, {}) == {"frames": 3, "skip": "ela"}
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert load_settings(tmp_path, {}) == {"frames": 3}


def test_a_folder_in_the_place_of_a_file_is_no_setting(tmp_path: Path) -> None:
    (tmp_path / "deepscan.toml").mkdir()
    assert load_settings(tmp_path, {"HOME": "/", "DEEPSCAN_DATA": "/data"}) == {}


@pytest.mark.parametrize("source", ["deepscan.toml", "pyproject.toml", "the environment"])
def test_an_unknown_setting_is_refused_and_says_where_it_stands(source: str, tmp_path: Path) -> None:
    given = {
        "deepscan.toml": {"toml": "frmes = 3"},
        "pyproject.toml": {"table": "frmes = 3"},
        "the environment": {"environment": {"DEEPSCAN_FRMES": "3"}},
    }[source]
    with pytest.raises(ConfigError, match="no option 'frmes'") as caught:
        options(tmp_path, **given)  # type: ignore[arg-type]
    assert source in caught.value.message
    assert all(name.replace("_", "-") in caught.value.hint for name in FIELDS)


@pytest.mark.parametrize("data", [b"frames = ", b"frames 3", b"\xff\xfe\x00", b"[tool\n", b"frames = 3\nframes = 4\n"])
@pytest.mark.parametrize("name", ["deepscan.toml", "pyproject.toml"])
def test_a_file_that_is_no_toml_is_refused(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        load_settings(tmp_path, {})
    assert str(tmp_path / name) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deepscan.toml", "skip = 5"),
        ("deepscan.toml", "kinds = 1"),
        ("pyproject.toml", "tool = 3"),
        ("pyproject.toml", "[tool]\ndeepscan = 3"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused_with_a_sentence(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError):
        with_settings(ScanOptions(), load_settings(tmp_path, {}))


@pytest.mark.parametrize("text", ["frames = 4.7", "frames = true", "workers = 0.9", "batch-size = 2.5"])
def test_a_whole_number_must_be_one(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        options(tmp_path, toml=text)


def test_off_is_the_opposite_of_on(tmp_path: Path) -> None:
    assert options(tmp_path, environment={"DEEPSCAN_HIDDEN": "on"}).hidden is True
    assert options(tmp_path, environment={"DEEPSCAN_HIDDEN": "off"}).hidden is False


REFUSED: list[tuple[str, Any]] = [
    ("frames", 0),
    ("frames", "-3"),
    ("frames", "many"),
    ("frames", ""),
    ("frames", "9" * 5000),
    ("every", 0),
    ("every", -1.0),
    ("every", "nan"),
    ("every", "often"),
    ("max_size", 0),
    ("max_size", "-1"),
    ("max_size", "big"),
    ("max_size", "0.2"),
    ("batch_size", 0),
    ("batch_size", "some"),
    ("workers", -1),
    ("workers", "0.5"),
    ("file_seconds", 0),
    ("max_memory", "100MB"),
    ("max_memory", "much"),
    ("file_seconds", "nan"),
    ("precision", "fp8"),
    ("precision", "FP32"),
    ("fail_on", "info"),
    ("fail_on", ""),
    ("kinds", ""),
    ("kinds", []),
    ("kinds", "audio"),
    ("kinds", ["image", "Video"]),
    ("device", "tpu"),
    ("device", "cpu:1"),
    ("device", "cuda:x"),
    ("device", "cuda:-1"),
    ("device", ""),
    ("hidden", "perhaps"),
    ("hidden", 2),
    ("offline", ""),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=lambda value: str(value)[:16] or "nothing")
def test_a_value_that_is_not_allowed_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        with_settings(ScanOptions(), {name: value})
    sentence = caught.value.message
    assert sentence.startswith((f"Option {name} is", f"Option {name.replace('_', '-')} is"))
    assert "and must be" in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize(("name", "value"), [("frames", math.inf), ("workers", -math.inf), ("max_size", "9" * 400)])
def test_a_number_beyond_all_numbers_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError):
        with_settings(ScanOptions(), {name: value})


def test_a_wrong_value_is_refused_in_python_too() -> None:
    with pytest.raises(ConfigError, match="frames"):
        ScanOptions(frames=0)
    with pytest.raises(ConfigError, match="fail-on"):
        dataclasses.replace(ScanOptions(), fail_on="always")


@pytest.mark.parametrize(
    ("fail_on", "level"),
    [("strong", Level.STRONG), ("moderate", Level.MODERATE), ("weak", Level.WEAK), ("never", None)],
)
def test_the_level_that_fails(fail_on: str, level: Level | None) -> None:
    assert ScanOptions(fail_on=fail_on).fail_level is level


def test_options_are_json_in_the_order_they_are_declared() -> None:
    plain = as_json(ScanOptions(kinds=(MediaKind.VIDEO,), include=("*.mp4",), every=2.0))
    assert list(plain) == FIELDS
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert repr(plain["kinds"]) == "['video']"  # a plain string, not a member of an enumeration
    assert plain["checks"] is None


def test_what_changes_no_answer_is_left_out_of_what_answers_depend_on() -> None:
    assert set(FIELDS) >= SPEED_ONLY
    assert set(result_options(ScanOptions())) == set(FIELDS) - SPEED_ONLY
    # Everything that decides what is looked at within a file, and how, must be among what answers depend on.
    assert {"frames", "every", "model", "fake_label", "checks", "skip", "precision", "exhibits"} <= set(
        result_options(ScanOptions())
    )
    fast = ScanOptions(workers=1, batch_size=7, device="cpu", fail_on="never", include=("*",))
    assert result_options(fast) == result_options(ScanOptions())
    assert result_options(ScanOptions(frames=3)) != result_options(ScanOptions())


TRAINING_REFUSED: list[tuple[str, Any]] = [
    ("size", 31),
    ("size", 1025),
    ("epochs", 0),
    ("epochs", math.nan),
    ("steps", 0),
    ("batch_size", 1),
    ("learning_rate", 0.0),
    ("learning_rate", math.nan),
    ("warmup", 1.0),
    ("ema", 1.0),
    ("pseudo_fakes", 1.1),
    ("degrade", -0.1),
    ("held_out", 0.0),
    ("held_out", 1.0),
    ("precision", "fp8"),
    ("subject", "body"),
    ("licence_class", "public domain"),
]


@pytest.mark.parametrize(("name", "value"), TRAINING_REFUSED)
def test_training_refuses_what_cannot_work(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"Option {name.replace('_', '-')} is "):
        TrainOptions(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("margin", 99.0), ("margin", -1.0), ("margin", math.nan), ("evenness", math.nan), ("seed", -1)],
)
def test_training_refuses_what_would_fail_later(name: str, value: Any) -> None:
    with pytest.raises(ConfigError):
        TrainOptions(**{name: value})


def test_the_defaults_hold() -> None:
    assert ScanOptions() == with_settings(ScanOptions(), {})
    assert TrainOptions() == dataclasses.replace(TrainOptions())
    with pytest.raises(dataclasses.FrozenInstanceError):
        ScanOptions().frames = 3  # type: ignore[misc]


def test_some_options_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="trust-mtime is 'on', and must be off with verify-unchanged"):
        ScanOptions(trust_mtime=True, verify_unchanged=True)
    with pytest.raises(ConfigError, match="keyframes is 'on', and must be off with all-frames"):
        ScanOptions(keyframes=True, all_frames=True)
