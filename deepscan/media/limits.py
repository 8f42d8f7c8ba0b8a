"""The limits that hold before anything is allocated: one place, named, each with its reason."""

from __future__ import annotations

MAX_FILE_BYTES = 8 * 1024**3
"""Default of ``--max-size``: larger files are skipped with a reason. Phone videos of an hour stay below 8 GiB."""

MAX_PIXELS = 178_956_970
"""Pixels in one frame (Pillow's own bomb limit: a quarter GiB of RGB at twice the warning size, rounded down)."""

MAX_SIDE = 65_500
"""Pixels on one side; JPEG itself cannot hold more, and libraries overflow beyond 2**16."""

MAX_FRAMES_READ = 300_000
"""Frames a reader steps through in one video before it gives up and says so (three hours and 20 minutes at 25/s)."""

MAX_PACKETS_READ = 1_000_000
"""Packets that are listed, without decoding, in one video: four hours at 60 frames/s."""

MAX_PAGES = 64
"""Pages of a TIFF, or frames of an animation, that are examined; the rest is reported as not examined."""

MAX_FRAME_SIDE = 1920
"""Video frames are kept at most this long on their longer side: 16 frames of 8K video would otherwise need 1.6 GiB."""

MAX_FACES = 32
"""Faces scored in one frame, largest first; the count of the others is reported."""

MAX_METADATA_BYTES = 16 * 1024**2
"""Bytes of one metadata block that are parsed."""

FILE_SECONDS = 120.0
"""Wall-clock seconds that one file may take in a worker before it is ended with ``timed_out``."""

WORKER_BYTES = 4 * 1024**3
"""Bytes of memory of its own that a worker may have (``--max-memory``): the same everywhere, so that every machine
gives the same answers. It bounds what a hostile file can take; an ordinary one needs a tenth of it.
"""

MAX_TOTAL_PIXELS = 200_000_000
"""Pixels of all frames or pages of one file that are kept at once (600 MB as RGB): 96 frames of full HD, or 54 square
pages at MAX_FRAME_SIDE. The first one is always kept.
"""

MAX_STEPPED_PIXELS = 8_000_000_000
"""Pixels an animation's decoder composes to reach the frames wanted: 3,800 frames of full HD, about a minute."""

MAX_BUFFERED_BYTES = 1024**3
"""Bytes of a WebP, AVIF or HEIC file: their decoders hold the whole file in memory."""

MAX_SAMPLED_FRAMES = 256
"""Frames of one video that are held at once, however many are asked for: the others are looked at after them, as many
at a time. Each may hold MAX_FACES faces to score.
"""

MAX_EXAMINED_FRAMES = 50_000
"""Frames of one video that are examined in all: half an hour at 25 a second. What is known of a frame that was examined
is held until the film is done, about 2.5 KB each.
"""

TURN_SECONDS = 30.0
"""Seconds that faces are looked for in the frames of a film that were read at once; what is left then has turns of its
own. A quarter of FILE_SECONDS: reading and the other checks need the rest.
"""

STREAM_SECONDS = 3600.0
"""Seconds of work after which no more frames of one video are fetched; a film of MAX_EXAMINED_FRAMES needs less."""

VIDEO_SECONDS = 60.0
"""Wall-clock seconds spent on reading one video; what was read by then is examined. Half of FILE_SECONDS: the checks
need the rest.
"""
