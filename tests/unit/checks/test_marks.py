"""Every rule of the table has a text that it must recognise, and one like it that it must not."""

from __future__ import annotations

import json
import time

import pytest

from deepscan.checks.marks.a1111 import WEB_UI
from deepscan.checks.marks.catalogue import RULES, find_marks
from deepscan.checks.marks.rule import UNNAMED
from deepscan.checks.reading.embedded import Entry
from deepscan.types import Level

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
INFOTEXT = (
    'photo of a duck, "quoted: text"\nNegative prompt: monochrome\n'
    'Steps: 15, Sampler: UniPC, CFG scale: 5, Seed: 235284042, Size: 512x400, Model: real, Lora hashes: "a: 1, b: 2"'
)
GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 5, "positive": ["6", 0], "negative": ["7", 0]}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a shark"}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "v1-5.safetensors"}},
}
WORKFLOW = {"last_node_id": 9, "nodes": [{"id": 1, "type": "KSampler"}], "links": [[1, 2, 0, 3, 0, "MODEL"]]}
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
LABEL = {"Label": "1", "ContentProducer": "001191", "ProduceID": "A1"}
TYPE = "Iptc4xmpExt:DigitalSourceType"


def png(key: str, text: object) -> Entry:
    return Entry("PNG tEXt", key, text if isinstance(text, str) else json.dumps(text))


def exif(key: str, text: object) -> Entry:
    return Entry("EXIF", key, text if isinstance(text, str) else json.dumps(text))


def xmp(key: str, text: str) -> Entry:
    return Entry("XMP", key, text)


Case = tuple[str, tuple[Entry, ...], tuple[Entry, ...]]

CASES: tuple[Case, ...] = (
    ("a1111-parameters", (png("parameters", INFOTEXT),), (png("parameters", "Steps: 15, then turn left at the Seed"),)),
    ("comfyui-prompt", (exif("Model", "prompt:" + json.dumps(GRAPH)),), (exif("Model", '{"class_type": "EOS"'),)),
    ("comfyui-workflow", (png("workflow", WORKFLOW),), (png("workflow", {"nodes": 4, "links": []}),)),
    (
        "comfyui-comment",
        (Entry("MP4 tag", "©cmt", json.dumps({"prompt": json.dumps(GRAPH), "workflow": WORKFLOW})),),
        (Entry("MP4 tag", "©cmt", json.dumps({"prompt": "say cheese"})),),
    ),
    (
        "invokeai-metadata",
        (png("invokeai_metadata", {"positive_prompt": "a", "seed": 3, "width": 64, "height": 32}),),
        (png("invokeai_metadata", {"other": 1}),),
    ),
    (
        "invokeai-sd-metadata",
        (png("sd-metadata", {"model_weights": "w", "image": {"prompt": [{"prompt": "a"}], "seed": 3}}),),
        (png("sd-metadata", {"card": "SanDisk"}),),
    ),
    ("invokeai-dream", (png("Dream", '"a cat" -s 50 -S 123 -W 512'),), (png("Dream", "I had a dream -S 5"),)),
    ("novelai", (png("Software", "NovelAI"),), (png("Software", "NovelAIr camera"),)),
    (
        "novelai-comment",
        (png("Software", "NovelAI"), png("Comment", {"steps": 28, "sampler": "k_euler", "seed": 1, "uc": "x"})),
        (png("Software", "Excel"), png("Comment", {"steps": 28, "sampler": "k_euler", "seed": 1})),
    ),
    ("novelai-object", (exif("UserComment", {"Software": "NovelAI"}),), (exif("UserComment", {"Software": "GIMP"}),)),
    ("fooocus-scheme", (png("fooocus_scheme", "fooocus"),), (png("fooocus_scheme", "colours"),)),
    ("fooocus-software", (exif("Software", "Fooocus v2.5.5"),), (exif("Software", "Focus v2"),)),
    (
        "fooocus-parameters",
        (png("parameters", {"base_model": "x", "performance": "Speed", "prompt": "a", "resolution": "(64, 32)"}),),
        (png("parameters", {"base_model": "x"}),),
    ),
    (
        "swarmui-parameters",
        (exif("UserComment", {"sui_image_params": {"prompt": "a", "seed": 4}}),),
        (exif("UserComment", {"sui_image_params": 3}),),
    ),
    ("draw-things", (xmp("xmp:CreatorTool", "Draw Things"),), (xmp("xmp:CreatorTool", "CorelDRAW"),)),
    (
        "draw-things-settings",
        (xmp("exif:UserComment", json.dumps({"c": "a", "uc": "b", "steps": 8, "sampler": "e", "seed": 1})),),
        (xmp("exif:UserComment", json.dumps({"c": "a", "steps": 8})),),
    ),
    (
        "midjourney-job",
        (png("Description", f"a fox --v 6 Job ID: {UUID}"),),
        (png("Description", f"print Job ID: 12, asset {UUID}"),),
    ),
    (
        "grok-signature",
        (exif("ImageDescription", "Signature: " + "Ab3+" * 20), exif("Artist", UUID)),
        (exif("ImageDescription", "Signature: " + "Ab3+" * 20), exif("Artist", "Ana")),
    ),
    (
        "google-credit",
        (xmp("photoshop:Credit", "Made with Google AI"),),
        (xmp("photoshop:Credit", "Google AI press team"),),
    ),
    ("program-openai", (exif("Software", "DALL·E 3"),), (xmp("photoshop:Credit", "Photograph: OpenAI"),)),
    ("program-google", (exif("Software", "Google Imagen 3"),), (exif("Software", "Google"),)),
    ("program-firefly", (xmp("stEvt:softwareAgent", "Adobe Firefly 1.0"),), (exif("Software", "Firefly camera"),)),
    ("program-midjourney", (exif("Software", "Midjourney"),), (exif("Artist", "Midjourney Fan Club"),)),
    ("program-grok", (exif("Software", "xAI Grok"),), (exif("Software", "maxAIm 2"),)),
    ("program-ideogram", (exif("Make", "Ideogram AI"),), (exif("Make", "Ideographic Corp"),)),
    ("program-stable-diffusion", (exif("Software", "Stable Diffusion XL"),), (exif("Software", "Diffusion filter"),)),
    ("program-bing", (exif("Software", "Bing Image Creator"),), (exif("Software", "Bing Maps"),)),
    ("program-meta", (exif("Software", "Made with Meta AI"),), (exif("Software", "Meta View"),)),
    ("program-leonardo", (exif("Software", "Leonardo.Ai"),), (exif("Software", "Leonardo 2"),)),
    ("iptc-generated", (xmp(TYPE, IPTC + "trainedAlgorithmicMedia"),), (xmp(TYPE, IPTC + "algorithmicMedia"),)),
    (
        "iptc-composite",
        (xmp(TYPE, IPTC + "compositeWithTrainedAlgorithmicMedia"),),
        (xmp(TYPE, IPTC + "compositeCapture"),),
    ),
    (
        "easy-diffusion-texts",
        (
            png("use_stable_diffusion_model", "sd-v1-5"),
            png("num_inference_steps", "25"),
            png("guidance_scale", "7.5"),
            png("seed", "7"),
        ),
        (png("use_stable_diffusion_model", "yes"), png("seed", "7")),
    ),
    (
        "enfugue-data",
        (png("EnfugueGenerationData", {"prompt": "a", "seed": 3}),),
        (png("EnfugueGenerationData", "none"),),
    ),
    (
        "ruined-fooocus",
        (png("parameters", {"Prompt": "a", "seed": 3, "software": "RuinedFooocus"}),),
        (png("parameters", {"Prompt": "a", "seed": 3, "software": "Excel"}),),
    ),
    (
        "invokeai-graph",
        (png("invokeai_graph", {"id": "x", "nodes": {"1": {"type": "denoise_latents"}}}),),
        (png("invokeai_graph", {"nodes": []}),),
    ),
    (
        "program-hidream",
        (exif("Software", "AI generated;txt2img;hidream"),),
        (exif("Software", "HiDream Viewer"),),
    ),
    (
        "easy-diffusion-object",
        (exif("UserComment", {"Stable Diffusion model": "sd", "Guidance Scale": 7.5, "Seed": 1}),),
        (exif("UserComment", {"Stable Diffusion model": "which one?"}),),
    ),
    (
        "wangp-settings",
        (Entry("MP4 tag", "©cmt", '{"prompt": "a cat", "type": "WanGP v8.9 by DeepBeepMeep - Wan2.1 14B"}'),),
        (Entry("MP4 tag", "©cmt", '{"prompt": "a cat", "type": "Wander by a friend of DeepBeepMeep"}'),),
    ),
    (
        "mochi-caption",
        (Entry("IPTC", "Caption-Abstract", "Include in Image: a cat; Seed: 4; Generator: Mochi Diffusion 4.0"),),
        (Entry("IPTC", "Caption-Abstract", "A talk on Generator: Mochi Diffusion 4.0"),),
    ),
    (
        "mochi",
        (Entry("IPTC", "OriginatingProgram", "Mochi Diffusion"),),
        (Entry("IPTC", "OriginatingProgram", "Mochi Notes"),),
    ),
    (
        "flux-software",
        (exif("Software", "AI generated;txt2img;flux"), exif("Model", "flux-dev")),
        (exif("Software", "f.lux 4.1"),),
    ),
    ("flux-make", (exif("Make", "Black Forest Labs"),), (exif("Make", "Black Forest Camera"),)),
    (
        "a1111-gif",
        (Entry("GIF comment", "", INFOTEXT),),
        (Entry("JPEG COM", "", INFOTEXT),),
    ),
    ("aigc-label", (exif("UserComment", {"AIGC": LABEL}),), (png("Comment", {"Label": "1", "Colour": "red"}),)),
    ("aigc-label-xmp", (xmp("TC260:Label", "1"),), (xmp("xmp:Label", "1"),)),
)


def rules(*entries: Entry) -> set[str]:
    return {mark.rule for mark in find_marks(entries)}


@pytest.mark.parametrize(("rule", "positive", "negative"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_knows_its_mark_and_not_what_resembles_it(
    rule: str, positive: tuple[Entry, ...], negative: tuple[Entry, ...]
) -> None:
    assert rule in rules(*positive)
    assert rules(*negative) == set()


def test_every_rule_has_a_case_a_source_and_an_id_of_its_own() -> None:
    assert {rule.id for rule in RULES} == {case[0] for case in CASES}
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.source for rule in RULES)


def test_a1111_settings_are_told_with_commas_and_colons_in_quotes() -> None:
    (mark,) = find_marks([png("parameters", INFOTEXT)])
    assert mark.generator == WEB_UI
    assert mark.settings["prompt"] == 'photo of a duck, "quoted: text"'
    assert mark.settings["negative_prompt"] == "monochrome"
    assert {n: mark.settings[n] for n in ("model", "seed", "size", "sampler")} == {
        "model": "real",
        "seed": "235284042",
        "size": "512x400",
        "sampler": "UniPC",
    }


@pytest.mark.parametrize(
    ("words", "generator"),
    [
        ("Version: f2.0.1v1.10.1", "Stable Diffusion WebUI Forge"),
        ("Version: v1.10.1", WEB_UI),
        ("Version: Fooocus v2.5.5", "Fooocus"),
        ("App: SD.Next", "SD.Next"),
        ("Version: ComfyUI", "ComfyUI"),
    ],
)
def test_relatives_of_a1111_name_themselves(words: str, generator: str) -> None:
    (mark,) = find_marks([exif("UserComment", f"a duck\nSteps: 9, Sampler: Euler, Seed: 1, {words}")])
    assert mark.generator == generator


def test_the_prompt_of_a_graph_is_the_one_that_leads_to_positive() -> None:
    (mark,) = find_marks([png("prompt", GRAPH)])
    expected = {
        "prompt": "a shark",
        "negative_prompt": "blurry",
        "seed": "5",
        "size": "512x768",
        "model": "v1-5.safetensors",
    }
    assert mark.settings == expected


def test_seeds_texts_and_sizes_are_found_through_the_nodes_of_a_custom_sampler() -> None:
    graph = {
        "1": {
            "class_type": "SamplerCustomAdvanced",
            "inputs": {"noise": ["2", 0], "guider": ["3", 0], "sampler": ["4", 0], "latent_image": ["5", 0]},
        },
        "2": {"class_type": "RandomNoise", "inputs": {"noise_seed": 77}},
        "3": {"class_type": "BasicGuider", "inputs": {"model": ["6", 0], "conditioning": ["7", 0]}},
        "4": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
        "5": {"class_type": "EmptySD3LatentImage", "inputs": {"width": 1024, "height": 768, "batch_size": 1}},
        "6": {"class_type": "LoraLoader", "inputs": {"lora_name": "l", "model": ["8", 0]}},
        "7": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["9", 0]}},
        "8": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-dev.safetensors"}},
        "9": {"class_type": "CLIPTextEncode", "inputs": {"text": ["10", 0]}},
        "10": {"class_type": "SomeOnesStringNode", "inputs": {"string": "a lighthouse"}},
    }
    (mark,) = find_marks([png("prompt", graph)])
    expected = {
        "prompt": "a lighthouse",
        "seed": "77",
        "size": "1024x768",
        "model": "flux1-dev.safetensors",
        "sampler": "euler",
    }
    assert mark.settings == expected


def test_a_negative_prompt_that_is_zeroed_out_is_not_the_positive_one() -> None:
    graph = {
        **GRAPH,
        "3": {"class_type": "KSampler", "inputs": {"seed": 5, "positive": ["6", 0], "negative": ["8", 0]}},
        "8": {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}},
    }
    (mark,) = find_marks([png("prompt", graph)])
    assert mark.settings["prompt"] == "a shark"
    assert "negative_prompt" not in mark.settings


def test_the_editors_graph_tells_its_settings_too_through_subgraphs() -> None:
    inner = {
        "id": "sub-1",
        "nodes": [
            {
                "id": 3,
                "type": "KSampler",
                "widgets_values": [42, "fixed", 20, 8, "euler", "normal", 1],
                "inputs": [{"name": "positive", "link": 1}, {"name": "seed", "link": None}],
            },
            {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a lake"], "inputs": []},
        ],
        "links": [{"id": 1, "origin_id": 6, "origin_slot": 0, "target_id": 3, "target_slot": 0, "type": "C"}],
    }
    outer = {
        "last_node_id": 1,
        "nodes": [{"id": 1, "type": "sub-1"}],
        "links": [],
        "definitions": {"subgraphs": [inner]},
    }
    (mark,) = find_marks([png("workflow", outer)])
    assert mark.settings == {"prompt": "a lake", "seed": "42", "sampler": "euler"}


@pytest.mark.parametrize("key", ["prompt", "PROMPT"])
def test_the_tags_of_videos_are_read_whatever_their_case(key: str) -> None:
    for source in ("QuickTime key", "Matroska tag"):
        (mark,) = find_marks([Entry(source, key, json.dumps(GRAPH))])
        assert mark.generator == "ComfyUI"


def test_easy_diffusion_gathers_its_settings_from_their_own_texts() -> None:
    texts = {"Stable Diffusion model": "sd", "Steps": "25", "Guidance Scale": "7.5", "Prompt": "a hut", "Seed": "9"}
    (mark,) = find_marks([png(key, text) for key, text in texts.items()])
    assert mark.settings == {"model": "sd", "prompt": "a hut", "seed": "9"}


@pytest.mark.parametrize("prefix", ["", "digsrctype:", IPTC])
@pytest.mark.parametrize("key", [TYPE, "Iptc4xmpExt:DigitalSourcefileType", "DigitalSourceType"])
def test_iptcs_word_is_known_in_every_spelling(key: str, prefix: str) -> None:
    assert rules(xmp(key, f"{prefix}trainedAlgorithmicMedia")) == {"iptc-generated"}


def test_a_graph_that_leads_in_circles_ends() -> None:
    graph = {
        "1": {"class_type": "KSampler", "inputs": {"positive": ["2", 0]}},
        "2": {"class_type": "A", "inputs": {"x": ["3", 0], "y": ["2", 0]}},
        "3": {"class_type": "B", "inputs": {"x": ["2", 0]}},
    }
    (mark,) = find_marks([png("prompt", graph)])
    assert "prompt" not in mark.settings


@pytest.mark.parametrize(("label", "level"), [("1", Level.STRONG), ("2", Level.MODERATE), ("3", Level.WEAK)])
def test_the_label_of_gb_45438_says_how_sure_it_is(label: str, level: Level) -> None:
    (mark,) = find_marks([xmp("TC260:AIGC", json.dumps({**LABEL, "Label": label}))])
    assert mark.level is level
    assert mark.generator == UNNAMED


@pytest.mark.parametrize("depth", [50, 400, 900, 960, 990, 5000])
def test_values_nested_where_a_number_belongs_do_no_harm(depth: int) -> None:
    nest = "[" * depth + "]" * depth
    for key, text in (
        ("invokeai_metadata", f'{{"positive_prompt": {nest}, "width": {nest}, "height": {nest}, "model": {nest}}}'),
        ("Comment", f'{{"prompt": {{"1": {{"class_type": {nest}, "inputs": {nest}}}}}, "workflow": {nest}}}'),
        ("parameters", f'{{"sui_image_params": {{"width": {nest}, "height": {nest}, "seed": {nest}}}}}'),
        ("parameters", f'{{"base_model": {nest}, "performance": {nest}, "resolution": {nest}}}'),
        ("prompt", f'{{"1": {{"class_type": "K", "inputs": {{"positive": {nest}, "seed": {nest}}}}}}}'),
    ):
        assert all(len(mark.settings) < 8 for mark in find_marks([png(key, text)]))


def test_the_proof_is_short_and_harmless() -> None:
    (mark,) = find_marks([exif("Software", "Midjourney \x1b[31m\u202e" + "x" * 5000)])
    assert "\x1b" not in mark.proof
    assert "\u202e" not in mark.proof
    assert len(mark.proof) < 300


@pytest.mark.parametrize(
    "text",
    [
        "\nSteps: 1, " * 100_000,
        "Steps: 1, Seed: 1" + ", a" * 300_000,
        '{"class_type"' + "[" * 500_000,
        '"sui_image_params"' * 100_000,
        '{"prompt": "' + '{"workflow": ' * 100_000,
        '"Label":' + "[" * 200_000,
        " -s 1" * 200_000 + " -S",
        "Job ID: " * 200_000,
        "{" + '"nodes":"links":' * 100_000,
    ],
    ids=range(9),
)
def test_texts_made_to_be_slow_are_answered_soon(text: str) -> None:
    started = time.process_time()
    find_marks([png(key, text) for key in ("parameters", "prompt", "workflow", "Dream", "Comment", "Description")])
    assert time.process_time() - started < 3


def test_a_file_of_nothing_but_marks_is_answered_soon_and_kept_short() -> None:
    entries = [png("use_stable_diffusion_model", f"m{number}") for number in range(20_000)]
    entries += [exif("Software", "Midjourney")] * 20_000
    started = time.process_time()
    marks = find_marks([*entries, png("num_inference_steps", "25"), png("guidance_scale", "7.5")])
    assert time.process_time() - started < 2
    assert {mark.generator for mark in marks} == {"Easy Diffusion", "Midjourney"}
    assert len(marks) == 100
