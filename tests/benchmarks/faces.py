"""Measures a face finder on real pictures: ``python -m tests.benchmarks.faces DATA_FOLDER [FACELESS_FOLDER ...]``.

``--finder yunet`` measures YuNet, once ``deepscan models pull yunet`` has fetched it. The tables are Markdown.

``DATA_FOLDER`` holds one folder per source of face pictures (the tars of ``../shared/data/faces``, extracted). Each
further folder holds pictures without faces. A face counts as found when the centre of its box lies in the middle third
of the picture and its side is at least 40 % of the shorter side; some of the pictures of sd21 and stylegan2 hold a
smaller face, so their recall is a lower bound.

``--pasted 48`` pastes as many of the faces into the pictures without any, brought to 2,000 pixels, at eight sizes: what
is found of people in photographs.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from deepscan.media.faces import FaceFinder
from deepscan.media.frames import Face, Pixels
from deepscan.models import face_packs

SHARES = (0.05, 0.06, 0.07, 0.085, 0.1, 0.14, 0.2, 0.3)
"""Widths of the pasted faces, in parts of the photograph's."""

FACE_IN_CROP = 0.7
"""The part of a face picture's width that the face has, about."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def load(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def sample(folder: Path, count: int, seed: int) -> list[Path]:
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    return sorted(random.Random(seed).sample(found, min(count, len(found))))


def main_face(faces: Sequence[Face], height: int, width: int) -> Face | None:
    """The largest face in the middle, if there is one."""
    for face in faces:
        x, y = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
        middle = width / 3 <= x <= 2 * width / 3 and height / 3 <= y <= 2 * height / 3
        if middle and max(face.box.width, face.box.height) >= 0.4 * min(height, width):
            return face
    return None


def measure(finder: FaceFinder, paths: Sequence[Path]) -> dict[str, list[float]]:
    rows: dict[str, list[float]] = {
        "hit": [],
        "any": [],
        "many": [],
        "ms": [],
        "side": [],
        "cut": [],
        "dx": [],
        "dy": [],
    }
    for path in paths:
        pixels = load(path)
        height, width = pixels.shape[:2]
        start = time.process_time()
        faces = finder.find(pixels)
        rows["ms"].append(1000 * (time.process_time() - start))
        face = main_face(faces, height, width)
        rows["hit"].append(face is not None)
        rows["any"].append(bool(faces))
        rows["many"].append(len(faces) > 1)
        if face is not None:
            rows["cut"].append(face.cut)
            rows["side"].append(max(face.box.width, face.box.height) / min(height, width))
            rows["dx"].append((face.box.x + face.box.width / 2) / width - 0.5)
            rows["dy"].append((face.box.y + face.box.height / 2) / height - 0.5)
    return rows


def measure_pasted(finder: FaceFinder, faces: Sequence[Path], places: Sequence[Path], count: int, seed: int) -> str:
    """A table of how many faces are found by the part of the photograph's width that they have."""
    rng = random.Random(seed)
    found: dict[float, list[bool]] = {share: [] for share in SHARES}
    spent, false = [], 0
    for number in range(count):
        share = SHARES[number % len(SHARES)]
        picture, (left, top, side) = pasted(load(rng.choice(faces)), load(rng.choice(places)), share, rng)
        start = time.process_time()
        boxes = [face.box for face in finder.find(picture)]
        spent.append(1000 * (time.process_time() - start))
        middles = [(box.x + box.width / 2 - left, box.y + box.height / 2 - top, box.width) for box in boxes]
        good = [0 <= x <= side and 0 <= y <= side and 0.35 * side < width < 1.5 * side for x, y, width in middles]
        found[share].append(any(good))
        false += len(good) - sum(good)
    rows = "".join(f"| {100 * share:g} % | {sum(hits)} of {len(hits)} |\n" for share, hits in found.items())
    head = f"{count} faces pasted, {false} false ones, {np.median(spent):.0f} CPU ms a picture"
    return f"{head}\n\n| width | found |\n|---|---|\n{rows}"


def pasted(face: Pixels, place: Pixels, share: float, rng: random.Random) -> tuple[Pixels, tuple[int, int, int]]:
    """A photograph with a face of that part of its width, with soft edges; and the left, top and side of its crop."""
    scale = 2000 / max(place.shape)
    picture = np.asarray(cv2.resize(place, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
    height, width = picture.shape[:2]
    side = min(round(share * width / FACE_IN_CROP), height - 2, width - 2)
    way = cv2.INTER_AREA if side < face.shape[0] else cv2.INTER_CUBIC
    rim = max(2, side // 10)
    mask = np.zeros((side, side), np.float32)
    mask[rim:-rim, rim:-rim] = 1
    mask = cv2.GaussianBlur(mask, (0, 0), rim / 2)[..., None]
    left, top = rng.randrange(width - side), rng.randrange(height - side)
    here = picture[top : top + side, left : left + side]
    here[:] = (cv2.resize(face, (side, side), interpolation=way) * mask + here * (1 - mask)).astype(np.uint8)
    return picture, (left, top, side)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("faceless", type=Path, nargs="*")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument(
        "--pasted", type=int, metavar="COUNT", help="only this: faces pasted into the faceless pictures"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--finder", default="haar", choices=["haar", "yunet"])
    args = parser.parse_args(argv)
    finder = face_packs.finder(args.finder)
    finder.find(np.zeros((64, 64, 3), np.uint8))  # loads the cascades
    say = sys.stdout.write
    if args.pasted:
        places = [path for folder in args.faceless for path in sample(folder, 1_000, args.seed)]
        faces = sample(args.faces, 10_000, args.seed)
        say(measure_pasted(finder, faces, places, args.pasted, args.seed))
        return
    say(f"Finder: {finder.name}. Side: of the box, over the shorter side of the picture.\n\n")
    say("| source | pictures | found | any | several | CPU ms | side | 10 % | 90 % | cut off, 90 % | dx | dy |\n")
    say("|---|---|---|---|---|---|---|---|---|---|---|---|\n")
    for folder in sorted(p for p in args.faces.iterdir() if p.is_dir()):
        paths = sample(folder, args.count, args.seed)
        r = {name: np.array(values, float) for name, values in measure(finder, paths).items()}
        low, high = np.percentile(r["side"], [10, 90])
        say(
            f"| {folder.name} | {len(paths)} | {r['hit'].mean():.1%} | {r['any'].mean():.1%} | {r['many'].mean():.1%} "
            f"| {np.median(r['ms']):.0f} | {np.median(r['side']):.2f} | {low:.2f} | {high:.2f} "
            f"| {np.percentile(r['cut'], 90):.2f} | {np.median(r['dx']):.3f} | {np.median(r['dy']):.3f} |\n"
        )
    for folder in args.faceless:
        paths = sample(folder, args.count * 10, args.seed)
        r = {name: np.array(values, float) for name, values in measure(finder, paths).items()}
        cost = f"{np.median(r['ms']):.0f} CPU ms"
        say(f"\n{folder}: {len(paths)} pictures, false faces in {r['any'].mean():.1%}, {cost}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
