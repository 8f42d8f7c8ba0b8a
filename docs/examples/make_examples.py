"""Makes the example files in ``media/`` from code alone: drawn pictures, no photograph and no real person.

    python docs/examples/make_examples.py [FOLDER]

Everything is drawn with NumPy from fixed numbers, so that the same library versions give the same bytes, and other
versions the same pixels but for rounding. ``README.md`` says what each file is for; ``tests/test_examples.py`` checks
both. Names of programs in the metadata (Photoshop, GIMP, ComfyUI) are there to be found; none of them made a file here.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

FOLDER = Path(__file__).resolve().parent / "media"

Canvas: TypeAlias = NDArray[np.float64]
"""Shape (height, width, 3), RGB, grey levels 0 to 255."""

Colour: TypeAlias = tuple[float, float, float]

TAKEN = "2024:05:18 16:42:07"
BASE = ExifTags.Base


# Drawing.


def blank(width: int, height: int, top: Colour, bottom: Colour) -> Canvas:
    """A canvas that shades from one colour at its top to another at its bottom."""
    share = np.linspace(0, 1, height)[:, None, None]
    return np.ones((height, width, 1)) * (np.array(top) * (1 - share) + np.array(bottom) * share)


def lay(canvas: Canvas, cover: NDArray[np.float64], colour: Colour) -> None:
    """Lay a colour over a canvas; ``cover``, shape (height, width), is 1 where it hides what was there."""
    canvas += cover[..., None] * (np.array(colour) - canvas)


def ellipse(
    canvas: Canvas, centre: tuple[float, float], radii: tuple[float, float], colour: Colour, *, soft: float = 1.5
) -> None:
    """Draw an upright ellipse whose edge fades over ``soft`` pixels."""
    height, width = canvas.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    reach = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
    lay(canvas, np.clip((1 - reach) * min(radii) / soft + 0.5, 0, 1), colour)


def to_picture(canvas: Canvas, *, grain: float, seed: int) -> Image.Image:
    """The canvas with film grain (standard deviation in grey levels); RandomState's numbers are frozen for good."""
    noise = np.random.RandomState(seed).normal(0, 1, canvas.shape) * grain
    return Image.fromarray(np.clip(np.rint(canvas + noise), 0, 255).astype(np.uint8))


@dataclass(frozen=True, slots=True)
class Look:
    """How a drawn head looks."""

    skin: Colour = (224, 178, 148)
    hair: Colour = (58, 40, 30)
    iris: Colour = (70, 90, 60)
    shirt: Colour = (60, 80, 120)
    smile: float = 0.5
    eyes_open: float = 1.0


def head(canvas: Canvas, x: float, y: float, size: float, look: Look) -> None:
    """Draw a head with shoulders. ``x``, ``y`` is the middle of the face, ``size`` half its height, in pixels."""

    def oval(dx: float, dy: float, rx: float, ry: float, colour: Colour, soft: float = 0.03) -> None:
        ellipse(canvas, (x + dx * size, y + dy * size), (rx * size, ry * size), colour, soft=soft * size)

    skin = np.array(look.skin)
    shade, deep, light = ((c[0], c[1], c[2]) for c in (skin * 0.82, skin * 0.62, np.minimum(skin * 1.1, 250)))
    oval(0, 2.35, 1.75, 1.05, look.shirt, 0.05)
    oval(0, 1.1, 0.36, 0.62, shade, 0.08)
    oval(0, -0.22, 0.92, 1.05, look.hair, 0.06)
    for side in (-1, 1):
        oval(side * 0.77, 0.02, 0.12, 0.22, shade, 0.04)
    oval(0, 0.06, 0.76, 1.0, look.skin, 0.04)
    oval(0, -0.86, 0.62, 0.34, look.hair, 0.08)
    oval(0, -0.42, 0.4, 0.2, light, 0.25)
    oval(0, 0.08, 0.1, 0.38, light, 0.12)
    for side in (-1, 1):
        oval(side * 0.4, 0.24, 0.22, 0.2, light, 0.25)
        oval(side * 0.33, -0.13, 0.23, 0.15, deep, 0.16)  # the hollow of the eye
        oval(side * 0.34, -0.29, 0.21, 0.05, look.hair, 0.05)
        oval(side * 0.33, -0.1, 0.14, 0.075 * max(0.15, look.eyes_open), (236, 234, 230))
        if look.eyes_open > 0.3:
            oval(side * 0.33, -0.1, 0.075, 0.075, look.iris)
            oval(side * 0.33, -0.1, 0.04, 0.04, (15, 12, 12))
            oval(side * 0.33 - 0.025, -0.125, 0.014, 0.014, (250, 250, 250), 0.015)
        oval(side * 0.33, -0.165, 0.16, 0.025, (48, 34, 30), 0.03)
        oval(side * 0.08, 0.36, 0.045, 0.03, deep, 0.04)
    oval(0, 0.37, 0.13, 0.05, shade, 0.08)
    oval(0, 0.62, 0.27, 0.085, (168, 84, 80), 0.05)
    oval(0, 0.61, 0.22, 0.02 + 0.02 * look.smile, (92, 36, 38), 0.03)
    oval(0, 0.77, 0.2, 0.04, shade, 0.08)


def room(width: int, height: int) -> Canvas:
    """A plain wall with light from the left."""
    canvas = blank(width, height, (150, 158, 166), (122, 126, 130))
    canvas += np.linspace(18, -18, width)[None, :, None]
    return canvas


def landscape(width: int, height: int, *, dusk: bool = False) -> Canvas:
    """Sky, hills and a meadow."""
    canvas = (
        blank(width, height, (64, 54, 96), (240, 150, 104))
        if dusk
        else blank(width, height, (104, 158, 214), (206, 224, 236))
    )
    x, y = np.arange(width) / width, np.arange(height)[:, None] / height
    sun = (250, 214, 150) if dusk else (255, 250, 232)
    ellipse(
        canvas, (width * 0.72, height * (0.5 if dusk else 0.2)), (width * 0.05, width * 0.05), sun, soft=width * 0.02
    )
    hills = (
        (0.52, 0.09, (3.1, 7.3), (118, 138, 160)),
        (0.62, 0.07, (2.3, 9.1), (84, 118, 112)),
        (0.74, 0.05, (1.7, 5.9), (86, 128, 66)),
    )
    for number, (line, swing, waves, colour) in enumerate(hills):
        ridge = line - swing * sum(np.sin(wave * x * 2 + number) / (i + 1) for i, wave in enumerate(waves))
        dark = 0.45 if dusk else 1.0
        tint = (colour[0] * dark, colour[1] * dark, colour[2] * dark)
        lay(canvas, np.clip((y - ridge) * height / 2 + 0.5, 0, 1), tint)
    return canvas


# What a file says about itself.


def camera_exif(width: int, height: int, **changes: object) -> Image.Exif:
    """The EXIF of a camera that does not exist; ``changes`` are tags by their names in ExifTags.Base."""
    exif = Image.Exif()
    exif.update(
        {
            BASE.Make: "Example Optical",
            BASE.Model: "EX-1",
            BASE.Orientation: 1,
            BASE.XResolution: 72.0,
            BASE.YResolution: 72.0,
            BASE.ResolutionUnit: 2,
            BASE.DateTime: TAKEN,
        }
    )
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            BASE.ExposureTime: 1 / 250,
            BASE.FNumber: 5.6,
            BASE.ISOSpeedRatings: 200,
            BASE.ExifVersion: b"0232",
            BASE.DateTimeOriginal: TAKEN,
            BASE.DateTimeDigitized: TAKEN,
            BASE.FocalLength: 35.0,
            BASE.ColorSpace: 1,
            # As cameras do: a note of their own, in a form that only they know.
            BASE.MakerNote: b"deepscan example camera\0",
            BASE.ExifImageWidth: width,
            BASE.ExifImageHeight: height,
            BASE.LensModel: "EX 35mm F2",
        }
    )
    exif.update({ExifTags.Base[name]: value for name, value in changes.items()})
    return exif


def with_place(exif: Image.Exif) -> Image.Exif:
    """The same with the place of the old observatory of Greenwich."""
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "N",
            ExifTags.GPS.GPSLatitude: (51.0, 28.0, 40.1),
            ExifTags.GPS.GPSLongitudeRef: "W",
            ExifTags.GPS.GPSLongitude: (0.0, 0.0, 5.3),
        }
    )
    return exif


A1111 = (
    "portrait of a woman, plain wall, soft light\n"
    "Negative prompt: blurry, text\n"
    "Steps: 28, Sampler: Euler a, CFG scale: 7, Seed: 1234567890, Size: 320x320, Model hash: 0123456789, "
    "Model: example_v1, Version: v1.9.4"
)

COMFY_PROMPT = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 42,
            "steps": 20,
            "cfg": 8.0,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "example_v1.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 384, "height": 256, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "hills at dusk", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "people", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "example", "images": ["8", 0]}},
}


# Writing.


def jpeg(picture: Image.Image, exif: Image.Exif | None = None, *, quality: int = 86) -> bytes:
    """The bytes of a JPEG."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, **({} if exif is None else {"exif": exif}))
    return out.getvalue()


def png(picture: Image.Image, **texts: str) -> bytes:
    """The bytes of a PNG with text chunks."""
    out, chunks = io.BytesIO(), PngInfo()
    for key, text in texts.items():
        chunks.add_text(key, text)
    picture.save(out, "PNG", optimize=True, pnginfo=chunks)
    return out.getvalue()


def pages(pictures: Sequence[Image.Image]) -> bytes:
    """The bytes of a TIFF of several pages."""
    out = io.BytesIO()
    pictures[0].save(out, "TIFF", save_all=True, append_images=pictures[1:], compression="tiff_lzw")
    return out.getvalue()


def animation(pictures: Sequence[Image.Image], milliseconds: int) -> bytes:
    """The bytes of an animated GIF that runs for ever."""
    out = io.BytesIO()
    pictures[0].save(
        out, "GIF", save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0, optimize=False
    )
    return out.getvalue()


def video(pictures: Sequence[Image.Image], frames_per_second: float) -> bytes:
    """The bytes of an MP4 with MPEG-4 video, which every build of OpenCV can write and read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        writer = cv2.VideoWriter(
            str(path), cv2.VideoWriter.fourcc(*"mp4v"), frames_per_second, pictures[0].size, isColor=True
        )
        if not writer.isOpened():
            raise RuntimeError("This build of OpenCV cannot write MPEG-4 video.")
        for picture in pictures:
            writer.write(cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR))
        writer.release()
        return path.read_bytes()


def archive() -> bytes:
    """The bytes of a small ZIP with a date of its own, so that they are always the same."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(zipfile.ZipInfo("hidden.txt", (2024, 5, 18, 16, 42, 8)), "This text lies behind the picture.\n")
    return out.getvalue()


# The files.

ALEX = Look()
SAM = Look(skin=(168, 122, 92), hair=(28, 22, 20), iris=(60, 44, 30), shirt=(120, 60, 60), smile=0.2)


def portrait(width: int, height: int, look: Look = ALEX, *, shift: float = 0.0) -> Canvas:
    """One head in front of a wall; ``shift`` moves it to the right, in parts of the width."""
    canvas = room(width, height)
    head(canvas, width * (0.5 + shift), height * 0.45, min(width, height) * 0.27, look)
    return canvas


def two_people() -> Canvas:
    """Two heads side by side, outdoors."""
    canvas = landscape(900, 600)
    head(canvas, 290, 270, 135, ALEX)
    head(canvas, 610, 300, 125, SAM)
    return canvas


def moving(count: int) -> list[Image.Image]:
    """A head that moves to the right and talks."""
    return [
        to_picture(
            portrait(320, 240, replace(ALEX, smile=0.5 + 0.5 * np.sin(i)), shift=0.3 * i / count - 0.15),
            grain=2,
            seed=100 + i,
        )
        for i in range(count)
    ]


def blinking() -> list[Image.Image]:
    """A head that closes its eyes and opens them again."""
    return [
        to_picture(portrait(160, 160, replace(SAM, eyes_open=share)), grain=0, seed=0) for share in (1.0, 0.6, 0.2, 0.6)
    ]


def hills() -> Image.Image:
    """The landscape that several files show."""
    return to_picture(landscape(900, 600), grain=4, seed=1)


MEDIA: dict[str, Callable[[], bytes]] = {
    "camera/hills.jpg": lambda: jpeg(hills(), with_place(camera_exif(900, 600))),
    "camera/portrait.jpg": lambda: jpeg(to_picture(portrait(720, 540), grain=4, seed=2), camera_exif(720, 540)),
    "camera/two-people.jpg": lambda: jpeg(to_picture(two_people(), grain=4, seed=3), camera_exif(900, 600)),
    "damaged/archive-appended.jpg": lambda: jpeg(to_picture(landscape(480, 320), grain=3, seed=4)) + archive(),
    "damaged/only-zeros.jpg": lambda: bytes(4096),
    "damaged/saved-web-page.jpg": lambda: b"<!DOCTYPE html>\n<title>Not found</title>\n<p>There is no such picture.\n",
    "damaged/truncated.jpg": lambda: jpeg(hills())[:30_000],
    "edited/photoshop.jpg": lambda: jpeg(
        to_picture(landscape(480, 320), grain=3, seed=5),
        camera_exif(480, 320, Software="Adobe Photoshop 25.0 (Windows)", DateTime="2024:05:20 09:10:11"),
    ),
    "edited/scaled-down.jpg": lambda: jpeg(hills().resize((450, 300), Image.Resampling.LANCZOS), camera_exif(900, 600)),
    "generated/comfyui.png": lambda: png(
        to_picture(landscape(384, 256, dusk=True), grain=0, seed=0), prompt=json.dumps(COMFY_PROMPT)
    ),
    "generated/stable-diffusion.png": lambda: png(
        to_picture(portrait(320, 320, replace(ALEX, hair=(150, 96, 40))), grain=0, seed=0), parameters=A1111
    ),
    "moving/blinking.gif": lambda: animation(blinking(), 300),
    "moving/walking-by.mp4": lambda: video(moving(24), 12),
    "named-wrongly/png-inside.jpg": lambda: png(to_picture(landscape(240, 160), grain=0, seed=0)),
    "notes.txt": lambda: b"A text file: it is no picture and no video, and is counted as left out.\n",
    "scanned/two-pages.tiff": lambda: pages(
        [to_picture(portrait(200, 200, look), grain=0, seed=0) for look in (ALEX, SAM)]
    ),
    "unsupported/drawing.svg": lambda: (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="16"/></svg>\n'
    ),
}
"""Every example file, and what makes its bytes."""


def make(folder: Path) -> tuple[Path, ...]:
    """Write all example files into a folder, over those of the same name, and return their paths."""
    written = []
    for name, content in MEDIA.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content())
        written.append(path)
    return tuple(written)


if __name__ == "__main__":
    for example in make(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(f"{example.stat().st_size:>8,}  {example}")
