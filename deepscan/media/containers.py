"""The table of containers: every file format deepscan can name, and what it makes of it.

Each row names the specification that its signature (:mod:`deepscan.media.signatures`) comes from. Suffixes never
decide what a file is; they are kept for the finding "named .png, but a JPEG" and for telling a damaged picture from
a file that never was one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from deepscan.types import MediaKind


@dataclass(frozen=True, slots=True)
class Container:
    """A file format.

    ``kind`` is None for what is no picture and no video. ``readable`` is False for media that deepscan recognises and
    has no reader for. ``source`` is the specification that the signature comes from.
    """

    name: str
    title: str
    kind: MediaKind | None
    readable: bool
    suffixes: frozenset[str]
    source: str

    @property
    def with_article(self) -> str:
        """``"a JPEG picture"``, ``"an AVI video"``."""
        return f"{'an' if self.title.startswith(_AN) else 'a'} {self.title}"


_AN = ("A", "E", "I", "O", "X", "a", "MP", "MN", "MX", "SG", "SQ", "SV")

_IMAGE, _VIDEO = MediaKind.IMAGE, MediaKind.VIDEO

_READ = (
    (_IMAGE, "jpeg", "JPEG picture", "jpg jpeg jpe jfif jif mpo jps", "ITU-T T.81, B.1.1.3 (SOI)"),
    (_IMAGE, "png", "PNG picture", "png", "W3C PNG 3rd ed., 5.2"),
    (_IMAGE, "apng", "animated PNG", "png apng", "W3C PNG 3rd ed., 11.3.6.1 (acTL before IDAT)"),
    (_IMAGE, "webp", "WebP picture", "webp", "RFC 9649, 2.4"),
    (_IMAGE, "gif", "GIF picture", "gif", "GIF89a, 17"),
    (_IMAGE, "bmp", "BMP picture", "bmp dib", "Microsoft BITMAPFILEHEADER"),
    (_IMAGE, "tiff", "TIFF picture", "tif tiff btf tf8 gtif", "TIFF 6.0, 2; Aware Systems BigTIFF"),
    (_IMAGE, "heic", "HEIC/HEIF picture", "heic heif hif heics heifs avci avcs", "ISO/IEC 23008-12, 10"),
    (_IMAGE, "avif", "AVIF picture", "avif avifs", "AOM AVIF 1.1, 6"),
    (_VIDEO, "mp4", "MP4 video", "mp4 m4v mp4v f4v m4s cmfv", "ISO/IEC 14496-12, 4.3"),
    (_VIDEO, "mov", "QuickTime video", "mov qt", "Apple QuickTime File Format, ftyp 'qt  '"),
    (_VIDEO, "3gp", "3GP video", "3gp 3gpp 3g2 3gp2", "3GPP TS 26.244, 5.4"),
    (_VIDEO, "mkv", "Matroska video", "mkv mk3d mka", "RFC 9559, 5.1.1; RFC 8794, 11.2"),
    (_VIDEO, "webm", "WebM video", "webm", "WebM container guidelines (DocType)"),
    (_VIDEO, "avi", "AVI video", "avi divx", "Microsoft AVI RIFF reference"),
    (_VIDEO, "flv", "Flash video", "flv", "Adobe FLV 10.1, E.2"),
    (_VIDEO, "mpeg-ts", "MPEG transport stream", "ts mts m2ts m2t tp trp", "ISO/IEC 13818-1, 2.4.3.2"),
    (_VIDEO, "mpeg-ps", "MPEG program stream", "mpg mpeg vob m2p mod tod evo", "ISO/IEC 13818-1, 2.5.3.4"),
    (_VIDEO, "mpeg-es", "MPEG video stream", "m1v m2v mpv mpg mpeg", "ISO/IEC 13818-2, 6.2.2.1"),
    (_VIDEO, "wmv", "Windows Media video", "wmv asf wm", "Microsoft ASF, 3.1"),
    (_VIDEO, "ogv", "Ogg video", "ogv ogg ogx ogm", "RFC 3533, 6; Theora I, 6.1"),
    (_VIDEO, "mxf", "MXF video", "mxf", "SMPTE ST 377-1, 6.5 and 7.1"),
    (_VIDEO, "dv", "DV video", "dv dif", "IEC 61834-2, 11.4 (DIF header block)"),
    (_VIDEO, "realmedia", "RealMedia video", "rm rmvb", "RealMedia File Format, 3.1"),
    (_VIDEO, "y4m", "YUV4MPEG2 video", "y4m", "yuv4mpeg(5)"),
    (_VIDEO, "ivf", "IVF video", "ivf", "Duck IVF, as in libvpx ivfdec.c"),
)
"""What deepscan reads: kind, name, title, suffixes, source. Videos go to OpenCV's FFmpeg, which may still refuse."""

_KNOWN = (
    (_IMAGE, "jxl", "JPEG XL picture", "jxl", "ISO/IEC 18181-2, 9 and 18181-1, D"),
    (_IMAGE, "jp2", "JPEG 2000 picture", "jp2 jpx jpf jpm j2k j2c jpc", "ITU-T T.800, A.4.1 and I.5.1"),
    (_IMAGE, "jxr", "JPEG XR picture", "jxr wdp hdp", "ITU-T T.832, A.5"),
    (_IMAGE, "jls", "JPEG-LS picture", "jls", "ITU-T T.87, C.1 (SOF55)"),
    (_IMAGE, "psd", "Photoshop document", "psd psb", "Adobe Photoshop File Formats"),
    (_IMAGE, "xcf", "GIMP document", "xcf", "GIMP devel-docs, xcf.txt"),
    (_IMAGE, "ico", "Windows icon", "ico cur", "Microsoft ICONDIR"),
    (_IMAGE, "icns", "Apple icon", "icns", "Apple IconFamily"),
    (_IMAGE, "svg", "SVG drawing", "svg", "W3C SVG 1.1, 5.1"),
    (_IMAGE, "eps", "PostScript drawing", "eps epsf epsi", "Adobe EPSF 3.0"),
    (_IMAGE, "wmf", "Windows metafile", "wmf emf", "MS-WMF 2.3.2.3; MS-EMF 2.3.4.2"),
    (_IMAGE, "pnm", "Netpbm picture", "pbm pgm ppm pnm pam", "netpbm ppm(5), pam(5); PFM (Debevec)"),
    (_IMAGE, "pcx", "PCX picture", "pcx dcx", "ZSoft PCX Technical Reference"),
    (_IMAGE, "sgi", "SGI picture", "sgi rgba bw", "SGI Image File Format 1.00"),
    (_IMAGE, "ras", "Sun raster picture", "ras", "Sun rasterfile(5)"),
    (_IMAGE, "dds", "DDS texture", "dds", "Microsoft DDS"),
    (_IMAGE, "exr", "OpenEXR picture", "exr", "OpenEXR file layout"),
    (_IMAGE, "hdr", "Radiance picture", "hdr", "Radiance File Formats (Ward)"),
    (_IMAGE, "qoi", "QOI picture", "qoi", "QOI specification 1.0"),
    (_IMAGE, "farbfeld", "farbfeld picture", "ff", "suckless farbfeld(5)"),
    (_IMAGE, "xbm", "X bitmap", "xbm xpm", "X11 XReadBitmapFile(3); XPM 3.4"),
    (_IMAGE, "blp", "BLP texture", "blp", "Blizzard BLP1 and BLP2, as in Pillow's BlpImagePlugin"),
    (_IMAGE, "ktx", "KTX texture", "ktx ktx2", "Khronos KTX 1.1, KTX 2.0"),
    (_IMAGE, "ftex", "FTEX texture", "ftc ftu", "Pillow's FtexImagePlugin"),
    (_IMAGE, "pixar", "Pixar picture", "pxr", "Pillow's PixarImagePlugin"),
    (_IMAGE, "bpg", "BPG picture", "bpg", "BPG specification, 2"),
    (_IMAGE, "flif", "FLIF picture", "flif", "FLIF16 specification"),
    (_IMAGE, "jng", "JNG picture", "jng", "JNG 1.0"),
    (_IMAGE, "djvu", "DjVu document", "djvu djv", "DjVu3 specification"),
    (_IMAGE, "fits", "FITS picture", "fits fit", "FITS 4.0, 4.4.1"),
    (_IMAGE, "dicom", "DICOM picture", "dcm dicom", "DICOM PS3.10, 7.1"),
    (_IMAGE, "raw-canon", "Canon raw picture", "cr2 cr3 crw", "lclevy.free.fr/cr2 and canon_cr3"),
    (_IMAGE, "raw-fuji", "Fujifilm raw picture", "raf", "ExifTool FujiFilm.pm"),
    (_IMAGE, "raw-olympus", "Olympus raw picture", "orf", "ExifTool tag names, Olympus"),
    (_IMAGE, "raw-panasonic", "Panasonic raw picture", "rw2 rwl", "ExifTool PanasonicRaw.pm"),
    (_IMAGE, "raw-sigma", "Sigma raw picture", "x3f", "ExifTool SigmaRaw.pm"),
    (_IMAGE, "raw-minolta", "Minolta raw picture", "mrw", "ExifTool MinoltaRaw.pm"),
    (
        _IMAGE,
        "raw-tiff",
        "camera raw picture (DNG, NEF, ARW and such)",
        "dng nef nrw arw srf sr2 pef srw 3fr iiq kdc dcr erf mef mos",
        "Adobe DNG 1.7, 4 (NewSubFileType, SubIFDs); TIFF/EP ISO 12234-2",
    ),
    (_VIDEO, "mng", "MNG animation", "mng", "MNG 1.0"),
    (_VIDEO, "flic", "FLIC animation", "fli flc", "Autodesk FLIC (Kent, DDJ 1993)"),
    (_VIDEO, "swf", "Flash animation", "swf", "Adobe SWF 19, 2"),
    (_VIDEO, "h26x", "raw H.264/H.265 stream", "h264 264 avc h265 265 hevc", "ITU-T H.264/H.265, annex B"),
)
"""Media that deepscan knows by name and cannot examine: reported with the name, never passed over as clean."""

_OTHER = (
    (None, "pdf", "PDF document", "pdf", "ISO 32000-1, 7.5.2"),
    (None, "postscript", "PostScript document", "ps", "Adobe PLRM"),
    (None, "zip", "ZIP archive or office document", "zip docx xlsx pptx odt jar apk", "PKWARE APPNOTE, 4.3"),
    (None, "archive", "compressed archive", "gz bz2 xz zst 7z rar tar tgz", "RFC 1952, RFC 8878 and others"),
    (None, "ole", "OLE2 document", "doc xls ppt msi msg", "MS-CFB, 2.2"),
    (None, "mp3", "MP3 recording", "mp3", "ISO/IEC 11172-3; id3.org"),
    (None, "aac", "AAC recording", "aac", "ISO/IEC 13818-7 (ADTS)"),
    (None, "wav", "WAVE recording", "wav", "Microsoft RIFF"),
    (None, "aiff", "AIFF recording", "aif aiff", "Apple AIFF 1.3"),
    (None, "flac", "FLAC recording", "flac", "RFC 9639"),
    (None, "ogg", "Ogg recording", "ogg oga opus spx", "RFC 3533; RFC 7845"),
    (None, "m4a", "MPEG-4 recording", "m4a m4b m4p", "Apple ftyp brands"),
    (None, "wma", "Windows Media recording", "wma", "Microsoft ASF, 10.3"),
    (None, "midi", "MIDI file", "mid midi", "MIDI 1.0"),
    (None, "program", "program", "exe dll so", "ELF 1.2; Microsoft PE"),
    (None, "sqlite", "SQLite database", "sqlite db", "sqlite.org/fileformat2"),
    (None, "text", "text file", "txt", "no signature: UTF-8 or UTF-16 without control characters"),
)
"""Neither picture nor video."""

_ROWS = tuple(
    Container(name, title, kind, readable, frozenset("." + suffix for suffix in suffixes.split()), source)
    for rows, readable in ((_READ, True), (_KNOWN, False), (_OTHER, False))
    for kind, name, title, suffixes, source in rows
)

CONTAINERS: Mapping[str, Container] = MappingProxyType({row.name: row for row in _ROWS})
"""Every container deepscan can name."""

SUFFIXES: Mapping[str, frozenset[str]] = MappingProxyType({row.name: row.suffixes for row in _ROWS})
"""Container name -> the suffixes such files usually have, lower case with the dot."""

TITLES: Mapping[str, str] = MappingProxyType({row.name: row.title for row in _ROWS})
"""Container name -> what to call it: ``"JPEG picture"``."""

MEDIA_SUFFIXES: frozenset[str] = frozenset(s for row in _ROWS if row.kind for s in row.suffixes) - frozenset(
    s for row in _ROWS if row.kind is None for s in row.suffixes
)
"""Suffixes that promise a picture or a video, and are not used for anything else in the table (.ogg may be sound)."""

TEXT_SUFFIXES = frozenset([".ts", ".mts", ".mod", ".hdr", ".bw", ".ras", ".fit", ".mos", ".avc", ".tp", ".dif"])
"""Media suffixes that text and data files carry too (TypeScript, kernel modules' lists, ENVI headers)."""

UNSIGNED: Mapping[str, str] = MappingProxyType(
    {".tga": "TGA", ".wbmp": "WBMP", ".pict": "PICT", ".pct": "PICT", ".pcd": "Photo CD"}
)
"""Suffixes of pictures that have no reliable signature, so that only their name tells what they are."""


def suffixes_for(container: str) -> frozenset[str]:
    """The suffixes a file of this container usually has; empty for a name that is not in the table."""
    return SUFFIXES.get(container, frozenset())
