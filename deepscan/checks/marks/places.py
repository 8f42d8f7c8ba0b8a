"""Where in a file programs sign, and where people write."""

from __future__ import annotations

PROGRAM = (
    r"(?:exif:|tiff:|xmp:)?(?:Software|CreatorTool)|stEvt:softwareAgent|OriginatingProgram|Make"
    r"|HostComputer|©too|©swr|com\.apple\.quicktime\.software|encoder|WritingApp|ISFT"
)
"""Names under which a program stands. Credit is not among them: a press photograph may be credited to OpenAI."""

DESCRIPTION = r"Description|ImageDescription|dc:description|Caption-Abstract|Comment|(?:exif:)?UserComment|©cmt|"
"""Names under which a picture is described, by people and by programs."""

COMMENT = r"(?:exif:)?UserComment"
PNG, EXIF = r"PNG [tzi].Xt", r"EXIF"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
