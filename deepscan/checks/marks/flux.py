"""FLUX by its makers' own code: EXIF Software says so, Model names the network, ImageDescription the prompt."""

from __future__ import annotations

from deepscan.checks.marks.places import EXIF
from deepscan.checks.marks.rule import Claim, Rule, signature

RULES = (
    signature(
        "flux-software",
        "FLUX (Black Forest Labs)",
        source="black-forest-labs/flux, src/flux/util.py, save_image",
        key=r"Software",
        place=EXIF,
        text=r"^AI generated;[\w;]{0,60}flux",
        others={"Model": "model", "ImageDescription": "prompt"},
    ),
    Rule(
        id="flux-make",
        generator="FLUX (Black Forest Labs)",
        claim=Claim.NAME,
        what="its makers' name in the place of a camera's",
        source="black-forest-labs/flux, src/flux/util.py, save_image",
        key=r"Make",
        place=EXIF,
        text=r"^Black Forest Labs$",
    ),
)
