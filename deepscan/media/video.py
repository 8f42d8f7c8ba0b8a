"""Videos: frames sampled in time, each with the time at which it is really shown.

Reading is done by OpenCV's FFmpeg backend, through an open file handle. What a header says of frame counts, rates and
durations is never used to choose frames; three steps take its place:

1. The packets are listed without decoding them, which is fast even for hours of video. Their sorted timestamps are the
   presentation times, and say where the key frames are.
2. The frames on screen at the sampling's times are chosen from that list, and decoded: from the start to the end, or,
   where key frames make that much cheaper, by seeking.
3. What the decoder delivers is compared with the list. Where the two differ (frames that an edit list hides, packets
   that hold no picture, damaged ones), the decoder is right: the frames are chosen anew from the times it delivered.

Times count from the first frame that is shown. OpenCV subtracts the stream's start, so a stream that starts late, or
at a negative time, starts at 0 here; frames that an edit list cuts off are neither delivered nor counted. In a video
so long that it is read by seeking, an edit list that hides its first frames shifts the chosen times by the hidden part
(less than one key frame interval), and the times given stay those of the frames returned. Pixels are not stretched
where the stream asks for non-square ones.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

from deepscan.errors import UnreadableError
from deepscan.media.decoding import check_size, open_file, shown
from deepscan.media.frames import Frame, Pixels, Reading, Sampling
from deepscan.media.limits import (
    MAX_FRAME_SIDE,
    MAX_FRAMES_READ,
    MAX_SAMPLED_FRAMES,
    MAX_TOTAL_PIXELS,
    VIDEO_SECONDS,
)
from deepscan.text import clean, duration

if TYPE_CHECKING:
    import cv2

logger = logging.getLogger(__name__)

WORKER_ENVIRONMENT: Mapping[str, str] = MappingProxyType({"OPENCV_FFMPEG_LOGLEVEL": "-8", "OPENCV_LOG_LEVEL": "OFF"})
"""What a worker process puts into its environment before it loads cv2, to keep FFmpeg and OpenCV off stderr."""

FORMATS = "mov matroska,webm avi flv mpegts mpeg mpegvideo asf ogg mxf dv rm yuv4mpegpipe ivf h264 hevc"
