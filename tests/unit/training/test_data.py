from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepscan.errors import TrainingError
from deepscan.training.copies import NEAR, join_copies, near_pairs, without_twins
from deepscan.training.data import Record, read_dataset
from deepscan.training.survey import HASH_WORDS, look, perceptual_hash
from tests import media_factory


def tree(folder: Path) -> Path:
    """As the Kaggle set "Deepfake and Real Images" is laid out."""
    for part in ("Train", "Validation", "Test"):
        for label in ("Real", "Fake"):
            place = folder / "Dataset" / part / label
            place.mkdir(parents=True)
            for i in range(2):
                media_factory.write_jpeg(place, f"{label}_{i}.jpg", seed=hash((part, label, i)) % 1000)
    return folder


def test_a_folder_tree_with_parts(tmp_path: Path) -> None:
    records = read_dataset(tree(tmp_path))
    assert len(records) == 12
    assert {r.split for r in records} == {"train", "val", "test"}
    assert sum(r.fake for r in records) == 6
    assert all(r.fake == ("Fake" in r.path.parts) for r in records)
    assert {r.source for r in records} == {"Dataset"}


def test_a_list_with_groups_and_its_pictures_elsewhere(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("a.jpg", "b.jpg"):
        media_factory.write_jpeg(pictures, name)
    listing = tmp_path / "index.csv"
    listing.write_text("path,label,source,group,split\na.jpg,real,films,1,train\nb.jpg,fake,films,1,train\n")
    with pytest.raises(TrainingError, match="None of the 2 pictures"):
        read_dataset(listing)
    records = read_dataset(listing, pictures)
    assert [(r.path.name, r.fake, r.group, r.split) for r in records] == [
        ("a.jpg", False, "films/1", "train"),
        ("b.jpg", True, "films/1", "train"),
    ]


def test_missing_files_are_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.jpg", "b.jpg"):
        media_factory.write_jpeg(tmp_path, name)
    media_factory.write_empty(tmp_path, "c.jpg")
    listing = tmp_path / "index.csv"
    listing.write_text("path,label\na.jpg,real\nb.jpg,fake\nc.jpg,fake\nd.jpg,real\n")
    with caplog.at_level(logging.WARNING):
        records = read_dataset(listing)
    assert [r.path.name for r in records] == ["a.jpg", "b.jpg"]
    assert "2 missing or empty pictures" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\na.jpg,maybe\n", "maybe"),
        ("path,label\na.jpg,\n", "line 2"),
        ("path,label,split\na.jpg,real,later\n", "unknown split"),
        ("path,label\na.jpg,real\n", "no fake pictures"),
    ],
)
def test_what_a_list_may_not_say(tmp_path: Path, text: str, message: str) -> None:
    media_factory.write_jpeg(tmp_path, "a.jpg")
    listing = tmp_path / "index.csv"
    listing.write_text(text)
    with pytest.raises(TrainingError, match=message):
        read_dataset(listing)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="There is no data set"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(TrainingError, match="named after a label"):
        read_dataset(tmp_path)


def test_folders_that_no_label_names_are_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tree(tmp_path)
    for place in ("Dataset/Train/Perhaps", "Dataset/Train/Perhaps", "Dataset/Test/Sketches"):
        (folder / place).mkdir(exist_ok=True)
        media_factory.write_jpeg(folder / place, f"{len(list((folder / place).iterdir()))}.jpg")
    assert len(read_dataset(folder)) == 12
    assert "3 pictures in no folder named after a label: left out" in caplog.text
    assert "Dataset/Train/Perhaps, Dataset/Test/Sketches." in caplog.text


def test_a_folder_under_both_labels_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "Real" / "fake"
    place.mkdir(parents=True)
    media_factory.write_jpeg(place)
    with pytest.raises(TrainingError, match="both labels"):
        read_dataset(tmp_path)


def test_copies_share_a_group_across_chains(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        media_factory.write_jpeg(tmp_path, name, seed=ord(name[0]))
    (tmp_path / "a2.jpg").write_bytes((tmp_path / "a.jpg").read_bytes())
    (tmp_path / "b2.jpg").write_bytes((tmp_path / "b.jpg").read_bytes())
    listing = tmp_path / "index.csv"
    listing.write_text("path,label,group\na.jpg,real,1\na2.jpg,fake,2\nb.jpg,real,2\nb2.jpg,real,3\nc.jpg,real,4\n")
    groups = {r.path.name: r.group for r in join_copies(look(read_dataset(listing)))}
    assert groups["a.jpg"] == groups["a2.jpg"] == groups["b.jpg"] == groups["b2.jpg"]
    assert groups["c.jpg"] != groups["a.jpg"]


def test_a_parquet_list_says_what_a_csv_list_says(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for name in ("a.jpg", "b.jpg"):
        media_factory.write_jpeg(tmp_path, name)
    columns = {"path": ["a.jpg", "b.jpg"], "label": ["real", "fake"], "group": [1, None], "split": ["train", "val"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "index.parquet")
    (tmp_path / "index.csv").write_text("path,label,group,split\na.jpg,real,1,train\nb.jpg,fake,,val\n")
    assert read_dataset(tmp_path / "index.parquet") == read_dataset(tmp_path / "index.csv")
    (tmp_path / "bad.parquet").write_text("no parquet")
    with pytest.raises(TrainingError, match=r"bad\.parquet cannot be read"):
        read_dataset(tmp_path / "bad.parquet")


def scene(seed: int) -> Image.Image:
    """Blurred noise: a picture with large forms, like no other seed's."""
    noise = np.random.default_rng(seed).integers(0, 255, (12, 12, 3)).astype(np.uint8)
    return Image.fromarray(noise).resize((160, 160), Image.Resampling.BICUBIC)


def test_near_copies_share_a_group_and_other_pictures_do_not(tmp_path: Path) -> None:
    picture = scene(0)
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "saved again.jpg", quality=40)
    picture.resize((90, 90)).save(tmp_path / "half.jpg", quality=70)
    for seed in range(1, 30):
        scene(seed).save(tmp_path / f"other {seed}.png")
    names = sorted(p.name for p in tmp_path.iterdir())
    listing = tmp_path / "index.csv"
    rows = [f"{name},{'fake' if i % 2 else 'real'}" for i, name in enumerate(names)]
    listing.write_text("path,label\n" + "\n".join(rows))
    groups = {r.path.name: r.group for r in join_copies(look(read_dataset(listing)))}
    assert groups["a.png"] == groups["saved again.jpg"] == groups["half.jpg"]
    assert len(set(groups.values())) == len(names) - 2


def test_every_near_pair_is_found_whatever_bits_differ() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, (60, HASH_WORDS)).astype(np.uint64)
    for near in range(NEAR + 1):
        twin = hashes[0].copy()
        for bit in rng.permutation(64 * HASH_WORDS)[:near]:
            twin[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
        assert list(near_pairs(np.vstack([hashes, twin]), NEAR)) == [(0, 60)]


def test_a_hash_survives_brightness() -> None:
    pixels = np.asarray(scene(3))
    lighter = np.clip(pixels * 0.8 + 30, 0, 255).astype(np.uint8)
    assert np.bitwise_count(perceptual_hash(pixels) ^ perceptual_hash(lighter)).sum() <= NEAR / 2


def test_a_copy_of_what_is_held_out_is_not_learnt_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = ["path,label,group,split"]
    for name, seed, label, group, part in (
        ("a.png", 1, "real", 1, "train"),
        ("a again.jpg", 1, "real", 2, "val"),
        ("b.jpg", 2, "fake", 3, "train"),
        ("of b's group.png", 3, "real", 3, "train"),
        ("b again.png", 2, "fake", 4, "test"),
        ("c.png", 4, "fake", 5, "train"),
    ):
        scene(seed).save(tmp_path / name)
        rows.append(f"{name},{label},{group},{part}")
    (tmp_path / "index.csv").write_text("\n".join(rows))
    survey = look(read_dataset(tmp_path / "index.csv"))
    with caplog.at_level(logging.WARNING):
        kept = without_twins(survey.records, join_copies(survey))
    assert [r.path.name for r in kept] == ["a again.jpg", "b again.png", "c.png"]
    assert "3 pictures left out" in caplog.text


def test_a_group_that_straddles_by_itself_is_left_for_the_split_to_refuse() -> None:
    straddling = tuple(
        Record(Path(f"{part}.png"), fake=False, source="s", group="g", split=part) for part in ("train", "val")
    )
    assert without_twins(straddling, straddling) == straddling
