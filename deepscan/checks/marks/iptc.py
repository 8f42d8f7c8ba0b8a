"""IPTC's digital source type, as an address or as the bare word of it.

``algorithmicMedia``, made without a trained model, is another word of the same list. The older DigitalSourceFileType is
taken too.
"""

from __future__ import annotations

from deepscan.checks.marks.rule import UNNAMED, Claim, Rule

_KEY = r"(?:.*:)?DigitalSource(?:File)?Type"
_LIST = "cv.iptc.org/newscodes/digitalsourcetype"

RULES = (
    Rule(
        id="iptc-generated",
        generator=UNNAMED,
        claim=Claim.SOURCE_TYPE,
        what="made by a trained model",
        source=f"{_LIST}/trainedAlgorithmicMedia",
        key=_KEY,
        text=r"(?:^|[/:#])trainedAlgorithmicMedia/?$",
    ),
    Rule(
        id="iptc-composite",
        generator=UNNAMED,
        claim=Claim.SOURCE_TYPE,
        what="a composite with parts made by a trained model",
        source=f"{_LIST}/compositeWithTrainedAlgorithmicMedia",
        key=_KEY,
        text=r"(?:^|[/:#])compositeWithTrainedAlgorithmicMedia/?$",
    ),
)
