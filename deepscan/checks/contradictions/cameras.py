"""What makers of cameras are known to write, as tables, and what they would not write.

The tables hold only what can be looked up: the year in which the maker announced a model (press releases; dpreview.com
and gsmarena.com list them), the names that one maker alone gives to its models, and series whose every model writes
makers' notes (ExifTool, lib/Image/ExifTool/MakerNotes.pm and its tag tables). A camera that is in no table, or has a
name that nobody knows, is no contradiction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from deepscan.checks.contradictions.base import Statements, note, trace
from deepscan.text import clean
from deepscan.types import Finding

BEFORE_CAMERA, INCOMPLETE, NOTES_LOST, OTHER_MAKER = "DS-META-010", "DS-META-011", "DS-META-014", "DS-META-017"

ANNOUNCED: tuple[tuple[int, str], ...] = (
    (2008, r"iPhone 3G"),
    (2009, r"iPhone 3GS"),
    (2010, r"iPhone 4"),
    (2011, r"iPhone 4S"),
    (2012, r"iPhone 5"),
    (2013, r"iPhone 5[sc]"),
    (2014, r"iPhone 6(?: Plus)?"),
    (2015, r"iPhone 6s(?: Plus)?"),
    (2016, r"iPhone (?:SE|7(?: Plus)?)"),
    (2017, r"iPhone (?:8(?: Plus)?|X)"),
    (2018, r"iPhone (?:XS(?: Max)?|XR)"),
    (2019, r"iPhone 11(?: Pro(?: Max)?)?"),
    (2020, r"iPhone (?:12(?: .*)?|SE \(2nd generation\))"),
    (2021, r"iPhone 13(?: .*)?"),
    (2022, r"iPhone (?:14(?: .*)?|SE \(3rd generation\))"),
    (2023, r"iPhone 15(?: .*)?"),
    (2024, r"iPhone 16(?: .*)?"),
    (2016, r"Pixel(?: XL)?"),
    (2017, r"Pixel 2(?: XL)?"),
    (2018, r"Pixel 3(?: XL)?"),
    (2019, r"Pixel (?:3a|4)(?: XL)?"),
    (2020, r"Pixel (?:4a|5).*"),
    (2021, r"Pixel 6.*"),
    (2022, r"Pixel 7.*"),
    (2023, r"Pixel 8.*"),
    (2024, r"Pixel 9.*"),
    (2010, r"GT-I9000"),
    (2011, r"GT-I9100"),
    (2012, r"GT-I9300"),
    (2013, r"GT-I9505"),
    (2014, r"SM-G900\w*"),
    (2015, r"SM-G92[05]\w*"),
    (2016, r"SM-G93[05]\w*"),
    (2017, r"SM-G95[05]\w*"),
    (2018, r"SM-G96[05]\w*"),
    (2019, r"SM-G97[035]\w*"),
    (2020, r"SM-G98[0168]\w*"),
    (2021, r"SM-G99[168]\w*"),
    (2022, r"SM-S90[168]\w*"),
    (2023, r"SM-S91[168]\w*"),
    (2024, r"SM-S92[168]\w*"),
    (2000, r"Canon EOS D30"),
    (2002, r"Canon EOS D60"),
    (2003, r"Canon EOS (?:10D|300D DIGITAL|DIGITAL REBEL)"),
    (2004, r"Canon EOS 20D"),
    (2005, r"Canon EOS (?:5D|350D DIGITAL)"),
    (2006, r"Canon EOS (?:30D|400D DIGITAL)"),
    (2007, r"Canon EOS (?:40D|-1D Mark III)"),
    (2008, r"Canon EOS (?:450D|50D|5D Mark II)"),
    (2009, r"Canon EOS (?:500D|7D)"),
    (2010, r"Canon EOS (?:550D|60D)"),
    (2012, r"Canon EOS (?:5D Mark III|6D|650D)"),
    (2013, r"Canon EOS 70D"),
    (2014, r"Canon EOS 7D Mark II"),
    (2016, r"Canon EOS (?:5D Mark IV|80D)"),
    (2017, r"Canon EOS 6D Mark II"),
    (2018, r"Canon EOS R"),
    (2020, r"Canon EOS R[56]"),
    (1999, r"NIKON D1"),
    (2002, r"NIKON D100"),
    (2004, r"NIKON D70"),
    (2005, r"NIKON D200"),
    (2006, r"NIKON D80"),
    (2007, r"NIKON D(?:3|300)"),
    (2008, r"NIKON D(?:90|700)"),
    (2010, r"NIKON D7000"),
    (2012, r"NIKON D(?:4|600|800)"),
    (2014, r"NIKON D(?:750|810)"),
    (2016, r"NIKON D(?:5|500)"),
    (2017, r"NIKON D850"),
    (2018, r"NIKON Z [67]"),
    (2012, r"DSC-RX100"),
    (2013, r"ILCE-7R?"),
    (2014, r"ILCE-(?:6000|7M2|7S)"),
    (2018, r"ILCE-7M3"),
    (2021, r"ILCE-7M4"),
)
"""The year in which a model was announced. Pictures of prototypes are allowed for: see :func:`before_camera`."""

_ANNOUNCED = tuple((year, re.compile(model)) for year, model in ANNOUNCED)

# A form that one maker alone gives to its models, and words of which that maker's name has one.
_FORMS: tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...] = tuple(
    (re.compile(form), maker, words)
    for form, maker, words in (
        (r"Canon (?:EOS|PowerShot|DIGITAL IXUS|IXUS) ?.*", "Canon", ("canon",)),
        (r"NIKON (?:D\d|Z ).*", "Nikon", ("nikon",)),
        (r"iPhone .*|iPad .*", "Apple", ("apple",)),
        (r"(?:ILCE-|SLT-A|DSLR-A|NEX-)\d.*", "Sony", ("sony",)),
        (r"DMC-[A-Z]+\d.*", "Panasonic", ("panasonic", "leica")),
        (r"FinePix ?.*", "Fujifilm", ("fuji",)),
        (r"SM-[A-Z]\d{3}\w*", "Samsung", ("samsung",)),
        (r"Pixel \d.*", "Google", ("google",)),
    )
)

# Series whose every model writes makers' notes into its JPEG files. Phones are left out: other apps take pictures too.
_WITH_NOTES: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(make), re.compile(model))
    for make, model in (
        (r"Canon", r"Canon (?:EOS|PowerShot|DIGITAL IXUS|IXUS)\b.*"),
        (r"NIKON.*", r"NIKON (?:D\d|Z ).*|COOLPIX .*|E\d{3,4}"),
        (r"OLYMPUS.*", r"E-.*|C\d+.*|u\d.*|SP\d.*|X\d.*"),
        (r"Panasonic", r"DMC-.*"),
        (r"PENTAX.*|Asahi.*", r"PENTAX .*"),
        (r"FUJIFILM", r"FinePix.*|X-.*"),
        (r"SONY", r"(?:ILCE-|SLT-A|DSLR-A|NEX-)\d.*"),
    )
)


def before_camera(said: Statements) -> Iterator[Finding]:
    """Taken more than a year before the year in which its camera was announced."""
    taken, model = said.when("datetime_original"), said.exif("Model")
    year = next((year for year, form in _ANNOUNCED if model is not None and form.fullmatch(model.strip())), None)
    if taken is None or year is None or model is None or taken >= datetime(year - 1, 1, 1):
        return
    yield note(
        BEFORE_CAMERA,
        f"The file says that it was taken on {taken} by a {clean(model, 60)}, a camera that was announced in {year}. A "
        "camera clock that was never set explains it as well as a forged date or name.",
        said.shown("datetime_original", "make", "model"),
    )


def incomplete(said: Statements) -> Iterator[Finding]:
    """A camera is named, and the fields that EXIF asks of every camera are not there."""
    # Scanners and programs write maker and model into TIFF without any EXIF; the standard speaks of pictures in JPEG.
    if said.embedded.container not in ("jpeg", "heic") or said.fields["make"].source != "EXIF Make":
        return
    if any(said.exif(tag) is not None for tag in ("ExifVersion", "ComponentsConfiguration", "FlashPixVersion")):
        return
    yield note(
        INCOMPLETE,
        "The file names a camera, and has none of the fields that the EXIF standard asks of every camera (ExifVersion, "
        "ComponentsConfiguration, FlashpixVersion): what is there was written or thinned out by a program. Websites "
        "and messengers do so too, and it says nothing about the content.",
        said.shown("make", "model", "software"),
    )


def notes_lost(said: Statements) -> Iterator[Finding]:
    """The maker's own block is missing in a picture of a series that always has it."""
    make, model = (said.exif("Make") or "").strip(), (said.exif("Model") or "").strip()
    wanted = any(maker.fullmatch(make) and form.fullmatch(model) for maker, form in _WITH_NOTES)
    if said.embedded.container != "jpeg" or not wanted or said.exif("MakerNote") is not None:
        return
    names = " and ".join(dict.fromkeys(editor.name for editor in said.editors))
    why = (
        f"{names}, named as what wrote the file, may have dropped them"
        if names
        else "A program that rewrote the metadata and does not name itself has dropped them"
    )
    yield note(
        NOTES_LOST,
        f"Cameras such as the {clean(model, 60)} write maker's notes, and the file has none. {why}. It is not as the "
        "camera left it, and that does not show that content was changed.",
        said.shown("make", "model", "software"),
    )


def other_maker(said: Statements) -> Iterator[Finding]:
    """The model has a form that another maker gives to its models."""
    make, model = said.exif("Make"), said.exif("Model")
    if not make or not model:
        return
    for form, maker, words in _FORMS:
        if form.fullmatch(model.strip()) and not any(word in make.lower() for word in words):
            yield trace(
                OTHER_MAKER,
                f'The file names the maker "{clean(make, 60)}" and the model "{clean(model, 60)}", and '
                f"models are named so by {maker}. One of the two was not "
                "written by the camera. It does not show what was changed.",
                said.shown("make", "model"),
            )
            return
