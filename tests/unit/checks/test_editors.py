"""Programs that name themselves, and firmware that must not be taken for one."""

from __future__ import annotations

import pytest

from deepscan.checks.editors import Trade, find_editors
from deepscan.checks.reading.embedded import Entry


@pytest.mark.parametrize(
    ("source", "key", "text", "name", "trade"),
    [
        ("EXIF", "Software", "GIMP 2.10.32", "GIMP", Trade.EDITOR),
        ("EXIF", "Software", "Adobe Photoshop 25.1 (Macintosh)", "Adobe Photoshop", Trade.EDITOR),
        ("XMP", "xmp:CreatorTool", "Adobe Photoshop Camera Raw 16.0.1", "Adobe Camera Raw", Trade.DEVELOPER),
        ("EXIF", "Software", "Adobe Photoshop Lightroom Classic 13", "Adobe Lightroom", Trade.DEVELOPER),
        ("XMP", "stEvt:softwareAgent", "Gimp 2.10 (Linux)", "GIMP", Trade.EDITOR),
        ("EXIF", "Software", "SIGMA PhotoPro 2.0.0.1586", "SIGMA Photo Pro", Trade.DEVELOPER),
        ("PNG tEXt", "Software", "paint.net 4.0.3", "Paint.NET", Trade.EDITOR),
        ("JPEG comment", "", "CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90", "GD", Trade.CONVERTER),
        ("GIF comment", "", "Created with GIMP", "GIMP", Trade.EDITOR),
        ("MP4 tag", "©too", "Lavf61.7.100", "FFmpeg", Trade.CONVERTER),
        ("QuickTime key", "com.apple.quicktime.software", "iMovie 10.3", "iMovie", Trade.VIDEO),
    ],
)
def test_programs_are_known_by_their_own_words(source: str, key: str, text: str, name: str, trade: Trade) -> None:
    (found,) = find_editors([Entry(source, key, text)])
    assert (found.name, found.trade) == (name, trade)


@pytest.mark.parametrize(
    "text",
    [
        "Ver.1.00u",
        "10.0.2",
        "HDR+ 1.0.570503588zd",
        "K10D Ver 1.30",
        "Digital Camera FinePix40i Ver1.39",
        "clark_retus-user 5.1.1 LPH23.116-18 18 release-keys",
        "J320FXXU0AQL1",
        "Nikon Transfer 1.1 W",
        "Mac OS X 10.5.8 (9L31a)",
        "CanonMVI01",
        "Windows Media Encoder",
        "MediaTek Camera Application",
    ],
)
def test_firmware_and_transfer_programs_are_no_editors(text: str) -> None:
    assert find_editors([Entry("EXIF", "Software", text)]) == ()


def test_a_name_in_a_caption_is_no_signature() -> None:
    caption = "Taken at the Photoshop World conference; edited by nobody"
    assert find_editors([Entry("EXIF", "ImageDescription", caption), Entry("JPEG comment", "", caption)]) == ()


def test_each_program_is_named_once() -> None:
    history = [Entry("XMP", "stEvt:softwareAgent", "Adobe Photoshop CS6 (Macintosh)")] * 5
    assert len(find_editors(history)) == 1
