"""The check of generator marks on real files made in code: every container, and how marks are put together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from deepscan.checks.generator_marks import LABEL, NAME, RECORD, SOURCE_TYPE, GeneratorMarks
from deepscan.types import Finding, Level, Outcome, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_marks import GRAPH, INFOTEXT, WORKFLOW

XMP = (
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<rdf:Description xmlns:e='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' xmlns:d='http://purl.org/dc/elements/1.1/' "
    "xmlns:p='http://ns.adobe.com/photoshop/1.0/' xmlns:t='http://www.tc260.org.cn/ns/AIGC/1.0/' {}/>"
    "</rdf:RDF></x:xmpmeta>"
)
TYPE = "e:DigitalSourceType='http://cv.iptc.org/newscodes/digitalsourcetype/{}'"
AI = XMP.format(TYPE.format("trainedAlgorithmicMedia")).encode()


def findings(path: Path) -> tuple[Finding, ...]:
    result = GeneratorMarks().run(FakeSubject(path))
    assert result.outcome is Outcome.DONE
    return result.findings


def generators(path: Path) -> set[object]:
    return {e.value["generator"] for f in findings(path) for e in f.evidence if isinstance(e.value, dict)}


def test_a_file_without_marks_has_no_findings(tmp_path: Path) -> None:
    for path in (media.write_jpeg(tmp_path), media.write_png(tmp_path), media.write_webp(tmp_path)):
        assert findings(path) == ()


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: media.write_jpeg(folder, xmp=AI),
        lambda folder: media.write_png(folder, international={"XML:com.adobe.xmp": AI.decode()}),
        lambda folder: media.write_webp(folder, xmp=AI),
        lambda folder: media.write_avif(folder, xmp=AI),
        lambda folder: media.write_heic(folder, xmp=AI),
        lambda folder: media.write_tiff(folder, tiffinfo={700: AI}),
    ],
    ids=["jpeg", "png", "webp", "avif", "heic", "tiff"],
)
def test_iptcs_source_type_is_a_declaration_in_every_container(write: Callable[[Path], Path], tmp_path: Path) -> None:
    (finding,) = findings(write(tmp_path))
    assert (finding.code, finding.level, finding.points_to) == (SOURCE_TYPE, Level.STRONG, PointsTo.GENERATED)
    assert "not signed" in finding.summary
    assert "does not name the generator" in finding.summary


@pytest.mark.parametrize("word", ["algorithmicMedia", "digitalCapture", "compositeCapture", "digitalArt"])
def test_other_source_types_are_no_marks(word: str, tmp_path: Path) -> None:
    assert findings(media.write_jpeg(tmp_path, xmp=XMP.format(TYPE.format(word)).encode())) == ()


def test_a1111_in_png_text_and_in_the_user_comment_of_other_containers(tmp_path: Path) -> None:
    comment = media.exif(comment=b"UNICODE\0" + INFOTEXT.encode("utf-16-be"))
    for path in (
        media.write_png(tmp_path, text={"parameters": INFOTEXT}),
        media.write_png(tmp_path, "packed.png", compressed={"parameters": INFOTEXT}),
        media.write_png(tmp_path, "wide.png", international={"parameters": "鴨 " + INFOTEXT}),
        media.write_jpeg(tmp_path, exif=comment),
        media.write_webp(tmp_path, exif=comment),
        media.write_avif(tmp_path, exif=comment.tobytes()),
    ):
        (finding,) = findings(path)
        assert finding.code == RECORD
        assert "AUTOMATIC1111" in finding.summary
        assert 'model "real", seed "235284042", size "512x400"' in finding.summary


def test_comfyui_in_png_and_in_an_animated_webp(tmp_path: Path) -> None:
    block = media.exif(make="workflow:" + json.dumps(WORKFLOW), model="prompt:" + json.dumps(GRAPH))
    webp = media.write_webp(tmp_path, durations=(80, 80), exif=block)
    png = media.write_png(tmp_path, text={"prompt": json.dumps(GRAPH), "workflow": json.dumps(WORKFLOW)})
    for path in (png, webp):
        (finding,) = findings(path)
        assert (finding.code, finding.level, len(finding.evidence)) == (RECORD, Level.STRONG, 2)
        assert "ComfyUI" in finding.summary


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [("a.mp4", "mpeg4", {"movflags": "use_metadata_tags"}), ("a.webm", "libvpx", {}), ("a.mkv", "mpeg4", {})],
)
@pytest.mark.parametrize("as_comment", [False, True], ids=["tags", "comment"])
def test_comfyui_in_videos_as_its_savers_write_them(
    name: str, codec: str, options: dict[str, str], as_comment: bool, tmp_path: Path
) -> None:
    tags = {"prompt": json.dumps(GRAPH), "workflow": json.dumps(WORKFLOW)}
    path = tmp_path / name
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update({"comment": json.dumps(tags)} if as_comment else tags)
        stream: Any = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)
    (finding,) = findings(path)
    assert finding.code == RECORD
    assert "ComfyUI: a generation graph" in finding.summary
    assert 'prompt "a shark"' in finding.summary


def test_a_graph_that_only_handles_pictures_is_weak(tmp_path: Path) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
    }
    (finding,) = findings(media.write_png(tmp_path, text={"prompt": json.dumps(graph)}))
    assert finding.level is Level.WEAK
    assert "no step that makes a picture" in finding.summary


def test_records_that_agree_are_one_declaration(tmp_path: Path) -> None:
    text = {"parameters": INFOTEXT, "prompt": json.dumps(GRAPH), "workflow": json.dumps(WORKFLOW)}
    (finding,) = findings(media.write_png(tmp_path, text=text))
    assert "ComfyUI" in finding.summary
    assert len(finding.evidence) == 3


def test_two_generators_are_two_findings(tmp_path: Path) -> None:
    text = {"invokeai_metadata": json.dumps({"positive_prompt": "a"}), "prompt": json.dumps(GRAPH)}
    assert len(findings(media.write_png(tmp_path, text=text))) == 2


def test_a_label_says_whom_it_stands_beside(tmp_path: Path) -> None:
    name, label = findings(media.write_jpeg(tmp_path, exif=media.exif(software="Midjourney"), xmp=AI))
    assert (name.code, label.code) == (NAME, SOURCE_TYPE)
    assert "beside the mark of Midjourney" in label.summary


@pytest.mark.parametrize(("value", "level"), [("1", Level.STRONG), ("2", Level.MODERATE), ("3", Level.WEAK)])
def test_chinas_label_is_worth_what_it_says(value: str, level: Level, tmp_path: Path) -> None:
    label = json.dumps({"Label": value, "ContentProducer": "001", "ProduceID": "x"}).replace('"', "&quot;")
    (finding,) = findings(media.write_jpeg(tmp_path, xmp=XMP.format(f"t:AIGC='{label}'").encode()))
    assert (finding.code, finding.level) == (LABEL, level)


INNOCENT = {
    "a description that speaks of Midjourney": XMP.format("d:description='midjourney, ComfyUI and DALL-E compared'"),
    "a press picture": XMP.format("p:Credit='OpenAI' d:creator='OpenAI' p:Source='Google AI'"),
    "a caption that cites settings": XMP.format("d:description='We used Steps: 20, Sampler: Euler a, CFG scale: 7'"),
}


@pytest.mark.parametrize("packet", INNOCENT.values(), ids=list(INNOCENT))
def test_pictures_about_generators_are_not_by_them(packet: str, tmp_path: Path) -> None:
    assert findings(media.write_jpeg(tmp_path, xmp=packet.encode())) == ()


@pytest.mark.parametrize(
    "text",
    [
        {"prompt": ""},
        {"prompt": "Say cheese"},
        {"prompt": "{}"},
        {"workflow": json.dumps({"nodes": [{"id": 1, "type": "box"}], "links": []})},
        {"Description": "Steps: 4, then rest. Seed: none", "Title": "ComfyUI"},
        {"Keywords": "midjourney, stable diffusion"},
    ],
    ids=range(6),
)
def test_the_keys_of_generators_in_other_hands_are_no_marks(text: dict[str, str], tmp_path: Path) -> None:
    assert findings(media.write_png(tmp_path, text=text)) == ()


def test_a_bomb_in_one_chunk_hides_no_mark_in_the_next(tmp_path: Path) -> None:
    path = media.write_png(tmp_path, compressed={"a": "x" * 20_000_000}, text={"parameters": INFOTEXT})
    assert [finding.code for finding in findings(path)] == [RECORD]


def test_the_files_own_words_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    text = {"parameters": "\x1b]0;owned\x07\u202e" + INFOTEXT}
    (finding,) = findings(media.write_png(tmp_path, international=text))
    written = finding.summary + json.dumps([e.value for e in finding.evidence], ensure_ascii=False)
    assert "\x1b" not in written
    assert "\u202e" not in written


def test_it_does_not_apply_where_it_cannot_read(tmp_path: Path) -> None:
    reason = GeneratorMarks().why_not(FakeSubject(media.write_bmp(tmp_path)).item)
    assert reason is not None
    assert "BMP" in reason
