"""Reading an XMP packet (ISO 16684-1) as a flat list of properties, without building a tree.

The packet is hostile XML: document types (and with them entity bombs and external entities) are refused, depth and
number of properties are limited, and the size is limited by the caller.
"""

from __future__ import annotations

from xml.etree import ElementTree

from deepscan.errors import LimitError, UnreadableError

MAX_DEPTH = 64
MAX_PROPERTIES = 20_000

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RESOURCE = f"{{{_RDF}}}resource"
_PREFIXES = {
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/camera-raw-settings/1.0/": "crs",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://www.tc260.org.cn/ns/AIGC/1.0/": "TC260",
}


def read_xmp(packet: bytes) -> tuple[tuple[str, str], ...]:
    """The properties of a packet in document order, as ("prefix:Name", text) pairs.

    A list gives one pair for each of its members, a structure one for each of its fields, each under its own name. A
    name of an unknown schema keeps the last part of the schema's address as its prefix.

    Raises:
        UnreadableError: the packet is not well-formed XML, or declares a document type.
        LimitError: it has too many properties or is nested too deeply.
    """
    properties, problem = read_packet(packet)
    if problem is not None:
        raise problem
    return properties


def read_packet(packet: bytes) -> tuple[tuple[tuple[str, str], ...], UnreadableError | LimitError | None]:
    """The properties as far as they can be read, and what ended the reading before the end of the packet."""
    text = _decode(packet)
    text = text[text.find("<") : text.rfind(">") + 1]
    if not text:
        return (), UnreadableError("The XMP packet holds no XML.")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return (), UnreadableError(
            "The XMP packet declares a document type, which XMP does not allow, and is not parsed."
        )
    collector = _Collector()
    parser = ElementTree.XMLParser(target=collector)  # noqa: S314  document types are refused above
    problem: UnreadableError | LimitError | None = None
    try:
        parser.feed(text)
        parser.close()
    except ElementTree.ParseError as e:
        problem = UnreadableError(f"The XMP packet is not well-formed XML: {e}.")
    except LimitError as e:
        problem = e
    return tuple(collector.properties), problem


def _decode(packet: bytes) -> str:
    """The packet as text: the NULs after its first "<" tell the width of a character, its offset the byte order."""
    first = packet.find(b"<")
    after = packet[first + 1 : first + 4]
    width = 4 if after == b"\0\0\0" else 2 if after[:1] == b"\0" else 1
    if width == 1:
        return packet.decode("utf-8", errors="replace")
    big = first % width == width - 1
    start = first - width + 1 if big else first
    return packet[start:].decode(f"utf-{8 * width}-{'be' if big else 'le'}", errors="replace")


class _Collector:
    """The target of the parser: keeps the name of the innermost property and its text."""

    def __init__(self) -> None:
        self.properties: list[tuple[str, str]] = []
        self._names: list[str | None] = []
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._names) >= MAX_DEPTH:
            raise LimitError(f"The XMP packet is nested more than {MAX_DEPTH} deep.")
        self._names.append(None if _namespace(tag) in (_RDF, "adobe:ns:meta/") else _short(tag))
        self._text = []
        for name, value in attributes.items():
            if name == _RESOURCE:
                self._keep(self._innermost(), value)
            elif _namespace(name) not in (_RDF, "", "adobe:ns:meta/", "http://www.w3.org/XML/1998/namespace"):
                self._keep(_short(name), value)

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        del tag
        self._keep(self._innermost(), "".join(self._text))
        self._text = []
        self._names.pop()

    def close(self) -> None:
        """Nothing is left to do."""

    def _innermost(self) -> str | None:
        return next((n for n in reversed(self._names) if n is not None), None)

    def _keep(self, name: str | None, value: str) -> None:
        value = value.strip()
        if name is None or not value:
            return
        if len(self.properties) >= MAX_PROPERTIES:
            raise LimitError(f"The XMP packet has more than {MAX_PROPERTIES:,} properties.")
        self.properties.append((name, value))


def _namespace(tag: str) -> str:
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def _short(tag: str) -> str:
    namespace, name = _namespace(tag), tag.rpartition("}")[2]
    prefix = _PREFIXES.get(namespace) or next((p for p in reversed(namespace.split("/")) if p), "")
    return f"{prefix}:{name}" if prefix else name
