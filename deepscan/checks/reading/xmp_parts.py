"""Extended XMP: a packet too long for one JPEG segment, in parts (XMP specification part 3, 1.1.3.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from deepscan.media.limits import MAX_METADATA_BYTES

_HEAD = 40  # 32 hexadecimal digits of a checksum, the whole length, the part's offset


class XmpParts:
    """Collects the parts as they stand in the file. ``problem`` is a sentence when a packet is not whole."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self._parts: dict[str, dict[int, bytes]] = {}
        self._lengths: dict[str, int] = {}

    def add(self, segment: bytes) -> None:
        """Take over one segment, without its signature."""
        name = segment[:32].decode("latin-1").upper()
        if len(segment) < _HEAD:
            self.problem = "A part of the extended XMP is cut short."
            return
        self._lengths[name] = int.from_bytes(segment[32:36], "big")
        self._parts.setdefault(name, {})[int.from_bytes(segment[36:40], "big")] = segment[_HEAD:]

    def whole(self, wanted: Collection[str]) -> Iterator[bytes]:
        """The packets that the main packet names, whole; others do not belong to this file."""
        for name, parts in self._parts.items():
            packet = b"".join(parts[at] for at in sorted(parts))
            if name not in wanted:
                self.problem = "There is extended XMP that the file's own XMP does not name, and it is not read."
            elif len(packet) != self._lengths[name] or len(packet) > MAX_METADATA_BYTES:
                self.problem = f"The extended XMP should have {self._lengths[name]:,} bytes, and has {len(packet):,}."
            else:
                yield packet
