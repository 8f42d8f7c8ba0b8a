"""Finding faces. The faces here are drawn; real ones are measured by tests/benchmarks/faces.py."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from deepscan.errors import ModelNotFoundError
from deepscan.media import cascades, faces
from deepscan.media.faces import FaceFinder, HaarFinder
from deepscan.media.frames import Face, Pixels
from deepscan.media.grey import Grey
from deepscan.types import Box
from tests.drawn_faces import BACKGROUND, draw_face


def scene(*placed: tuple[int, int, int], size: tuple[int, int] = (800, 600)) -> Pixels:
    """Faces at (x, y) with a side, on grey."""
    picture = np.full((size[1], size[0], 3), BACKGROUND, np.uint8)
    for x, y, side in placed:
        picture[y : y + side, x : x + side] = draw_face(side)
    return picture


def holds(face: Face, x: float, y: float, side: float) -> bool:
    """Whether a box lies on the face drawn there, and has about its size."""
    box = face.box
    near = abs(box.x + box.width / 2 - x) < 0.15 * side and abs(box.y + box.height / 2 - y) < 0.2 * side
    return near and 0.6 * side < max(box.width, box.height) < 1.05 * side


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return HaarFinder()


@pytest.mark.parametrize("side", [64, 100, 256, 700])
def test_one_face(finder: FaceFinder, side: int) -> None:
    found = finder.find(draw_face(side))
    assert len(found) == 1
    assert holds(found[0], side / 2, side / 2, side)
    assert found[0].view == "frontal"


def test_all_faces_largest_first_and_each_once(finder: FaceFinder) -> None:
    placed = [(400, 100, 160), (50, 60, 200), (500, 350, 220)]
    found = finder.find(scene(*placed))
    assert len(found) == 3
    for face, (x, y, side) in zip(found, sorted(placed, key=lambda p: -p[2]), strict=True):
        assert holds(face, x + side / 2, y + side / 2, side)


def test_more_faces_than_are_scored_are_still_found(finder: FaceFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers cut at MAX_FACES and count the rest."""
    monkeypatch.setattr("deepscan.media.limits.MAX_FACES", 2)
    placed = [(20 + 190 * i, 20 + 190 * j, 170) for i in range(4) for j in range(3)]
    assert len(finder.find(scene(*placed))) == 12


@pytest.mark.parametrize("share", [0.70, 0.64])
def test_a_face_that_fills_the_picture_is_found_inside_it(finder: FaceFinder, share: float) -> None:
    """Without surroundings, as in sets of face crops: the box is clipped to the picture."""
    whole = draw_face(256)
    width = round(256 * share)
    left, top = (256 - width) // 2, 36
    crop = whole[top : top + 205, left : left + width]
    found = finder.find(crop)
    assert len(found) == 1
    box = found[0].box
    assert box.x >= 0
    assert box.y >= 0
    assert box.x + box.width <= width
    assert box.y + box.height <= 205
    assert box.width > 0.8 * width


@pytest.mark.parametrize(("large", "small"), [((160, 100, 420), (20, 30, 120)), ((20, 150, 420), (600, 300, 110))])
def test_a_face_beside_a_large_one(
    finder: FaceFinder, large: tuple[int, int, int], small: tuple[int, int, int]
) -> None:
    found = finder.find(scene(large, small))
    assert len(found) == 2
    for face, (left, top, side) in zip(found, (large, small), strict=True):
        assert holds(face, left + side / 2, top + side / 2, side)


@pytest.mark.parametrize("angle", [-20, 20])
def test_a_tilted_face(finder: FaceFinder, angle: int) -> None:
    turned = Image.fromarray(draw_face(256)).rotate(angle, Image.Resampling.BILINEAR, fillcolor=(BACKGROUND,) * 3)
    found = finder.find(np.asarray(turned))
    assert len(found) == 1
    assert holds(found[0], 128, 128, 256)


def test_a_large_photograph_is_searched_at_its_own_scale(finder: FaceFinder) -> None:
    found = finder.find(scene((2600, 1500, 420), size=(4000, 3000)))
    assert len(found) == 1
    assert holds(found[0], 2810, 1710, 420)


def test_a_dark_face(finder: FaceFinder) -> None:
    dark = (draw_face(256) * 0.12).astype(np.uint8)
    assert len(finder.find(dark)) == 1


def test_the_same_picture_gives_the_same_boxes(finder: FaceFinder) -> None:
    picture = scene((400, 100, 160), (50, 60, 200))
    first = finder.find(picture)
    assert all(finder.find(picture) == first for _ in range(3))
    assert pickle.loads(pickle.dumps(HaarFinder())).find(picture) == first


def test_input_may_be_read_only_and_strided_and_is_left_alone(finder: FaceFinder) -> None:
    wide = np.repeat(draw_face(128), 2, axis=1)
    view = wide[:, ::2]
    view.flags.writeable = False
    before = view.copy()
    assert finder.find(view) == finder.find(before)
    assert np.array_equal(view, before)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 5000), (5000, 1), (31, 31), (32, 4000), (4000, 33), (64, 64), (480, 640)]
)
@pytest.mark.parametrize("kind", ["flat", "noise", "stripes"])
def test_no_face_where_there_is_none(finder: FaceFinder, shape: tuple[int, int], kind: str) -> None:
    picture = np.full((*shape, 3), 128, np.uint8)
    if kind == "noise":
        picture = np.random.default_rng(3).integers(0, 256, (*shape, 3)).astype(np.uint8)
    elif kind == "stripes":
        picture[::7] = 255
    assert finder.find(picture) == ()


def test_proposals_are_bounded(finder: FaceFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterned pictures give thousands of proposals, and each costs milliseconds."""
    asked: list[faces._Candidate] = []

    def crowd(grey: Grey, aim: object) -> list[faces._Candidate]:
        spots = [(x * 40.0, y * 40.0) for x in range(60) for y in range(60)]
        return [faces._Candidate(x, y, 30.0, 3.0 + (x + y) % 7, "frontal") for x, y in spots]

    def refuse(grey: Grey, proposal: faces._Candidate, bar: object) -> None:
        asked.append(proposal)

    for search in ("_frontal_anywhere", "_filling", "_profiles_anywhere"):
        monkeypatch.setattr(faces, search, crowd)
    monkeypatch.setattr(faces, "_confirm", refuse)
    assert finder.find(scene()) == ()
    assert len(asked) == 3 * faces.MAX_PROPOSALS
    assert min(c.votes for c in asked) == max(c.votes for c in crowd(np.zeros((1, 1), np.uint8), 0))


def test_profiles_are_looked_for_in_the_mirror_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def left_edge(cascade: str, grey: Grey, **_: object) -> list[faces._Candidate]:
        assert cascade == "haarcascade_profileface"
        return [faces._Candidate(10.0, 20.0, 16.0, 5.0, "frontal")] if grey[0, 0] == 1 else []

    monkeypatch.setattr(faces, "_sweep", left_edge)
    picture = np.zeros((50, 100), np.uint8)
    picture[0, -1] = 1  # at the left edge only in the mirror
    assert faces._profiles(picture, step=1.1, smallest=24, search=cascades.windows) == [
        faces._Candidate(90.0, 20.0, 16.0, 5.0, "profile")
    ]


@pytest.mark.parametrize("cascade", ["haarcascade_frontalface_alt2", "haarcascade_frontalface_default"])
def test_the_quick_search_finds_the_faces_that_all_windows_find(cascade: str) -> None:
    grey = np.asarray(
        cv2.cvtColor(scene((400, 100, 160), (50, 60, 200), (500, 350, 220)), cv2.COLOR_RGB2GRAY), np.uint8
    )
    middles = []
    for search in (cascades.windows, cascades.quick_windows):
        boxes, _ = cv2.groupRectangles(search(cascade, grey, 1.1, 80), 2, cascades.ALIKE)
        middles.append(sorted((x + width / 2, y + width / 2) for x, y, width, _ in boxes))
    assert len(middles[0]) >= 3
    np.testing.assert_allclose(middles[0], middles[1], atol=8)


def test_the_first_stages_accept_all_that_the_whole_cascade_does_and_more() -> None:
    name = "haarcascade_frontalface_alt2"
    grey = np.asarray(cv2.cvtColor(draw_face(256), cv2.COLOR_RGB2GRAY), np.uint8)
    whole = {tuple(window) for window in cascades.windows(name, grey, 1.1, 40)}
    first = {tuple(window) for window in cascades._accepted(cascades._first_stages(name), grey, 1.1, 40, 0)}
    assert whole < first


def test_in_pictures_as_small_as_cut_out_faces_every_window_is_tried(
    finder: FaceFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quick(*_: object) -> list[list[int]]:
        raise AssertionError("quick")

    monkeypatch.setattr(faces, "quick_windows", quick)
    assert finder.find(np.full((faces.CROP_SIDE, faces.CROP_SIDE, 3), 90, np.uint8)) == ()
    with pytest.raises(AssertionError, match="quick"):
        finder.find(np.full((faces.CROP_SIDE, faces.CROP_SIDE + 1, 3), 90, np.uint8))


def test_views_of_one_face_are_merged_and_the_frontal_one_stays() -> None:
    frontal = faces._Candidate(100, 100, 50, 12, "frontal")
    profile = faces._Candidate(110, 104, 60, 40, "profile")
    nested = faces._Candidate(105, 105, 20, 30, "profile")
    neighbour = faces._Candidate(160, 100, 50, 12, "profile")
    assert faces._distinct([profile, nested, neighbour, frontal]) == [frontal, neighbour]


@pytest.mark.parametrize(
    ("candidate", "box"),
    [
        (faces._Candidate(50, 50, 40, 9, "frontal"), Box(30, 30, 40, 40)),
        (faces._Candidate(10, 50, 40, 9, "frontal"), Box(0, 30, 30, 40)),
        (faces._Candidate(90, 70, 30, 9, "frontal"), Box(75, 55, 25, 25)),
        (faces._Candidate(95, 75, 30, 9, "frontal"), None),
        (faces._Candidate(50, 40, 110, 9, "frontal"), Box(0, 0, 100, 80)),
        (faces._Candidate(-5, 50, 40, 9, "frontal"), None),
        (faces._Candidate(300, 300, 40, 9, "frontal"), None),
    ],
)
def test_boxes_lie_inside_the_picture(candidate: faces._Candidate, box: Box | None) -> None:
    face = faces._face(candidate, 100, 80)
    assert (face and face.box) == box


def test_missing_cascades_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cv2.data, "haarcascades", str(tmp_path) + "/")  # type: ignore[attr-defined]
    cascades.load.cache_clear()
    with pytest.raises(ModelNotFoundError, match=r"haarcascade_frontalface_alt2\.xml") as caught:
        HaarFinder().find(draw_face(64))
    assert "opencv-python-headless" in caught.value.hint


def test_name_and_import_need_no_opencv() -> None:
    code = "import sys; from deepscan.media.faces import HaarFinder as H; assert H().name and 'cv2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.corpus
@pytest.mark.parametrize(("source", "least"), [("stylegan", 0.97), ("utkface", 0.9), ("dfdc", 0.8)])
def test_real_faces(corpus: Path, finder: FaceFinder, source: str, least: float) -> None:
    pictures: list[Pixels] = []
    with tarfile.open(corpus / "faces" / f"{source}.tar") as tar:
        for member in tar:
            if member.name.endswith(".jpg") and (data := tar.extractfile(member)):
                pictures.append(np.asarray(Image.open(data).convert("RGB")))
            if len(pictures) == 25:
                break
    found = [finder.find(picture) for picture in pictures]
    assert sum(bool(f) for f in found) >= least * len(pictures)
    assert sum(len(f) > 1 for f in found) <= 1


@pytest.mark.corpus
def test_real_pictures_without_faces(corpus: Path, finder: FaceFinder) -> None:
    """Facades, animals, cars and coins; at most one in twenty may have a false face."""
    folder = corpus / "forensics" / "tampered"
    paths = [*folder.glob("ZERO/*.png"), *folder.glob("CoMoFoD/orig/*.png"), *folder.glob("CASIA2/authentic/*.jpg")]
    assert len(paths) >= 20
    false = [p.name for p in paths if finder.find(np.asarray(Image.open(p).convert("RGB")))]
    assert len(false) <= 1, false
