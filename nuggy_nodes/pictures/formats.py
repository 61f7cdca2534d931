"""The formats that Nuggy reads: a fixed list, told by a file's first bytes, each with one decoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

RAW = ".dng .nef .nrw .cr2 .cr3 .crw .arw .sr2 .srf .raf .rw2 .orf .pef .raw .rwl .srw .x3f .3fr .erf .kdc .mrw .iiq"
RAW_SUFFIXES = frozenset(RAW.split())
BY_SUFFIX = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".png": "PNG", ".apng": "PNG", ".webp": "WEBP",
    ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".gif": "GIF", ".avif": "AVIF", ".jp2": "JPEG2000",
    ".ppm": "NETPBM", ".pgm": "NETPBM", ".pbm": "NETPBM", ".pnm": "NETPBM", ".pfm": "NETPBM", ".tga": "TGA",
    ".psd": "PSD", ".heic": "HEIC", ".heif": "HEIC", ".jxl": "JXL",
} | dict.fromkeys(RAW_SUFFIXES, "RAW")  # fmt: skip
OUT = {
    "png": ".png",
    "webp": ".webp",
    "tiff": ".tif",
    "jpeg": ".jpg",
    "avif": ".avif",
    "gif": ".gif",
}  # what is written, and its suffix
SUFFIXES = frozenset(BY_SUFFIX)  # of files that are taken up from folders
NAMES = "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000, PNM, PFM, TGA, PSD; HEIC, JPEG XL and camera RAW with extras"


@dataclass(frozen=True)
class Extra:
    """A package that reads a format which Nuggy itself does not: its module, and what is told when it is missing."""

    module: str
    name: str
    what: str

    @property
    def install(self) -> str:
        return f"pip install 'nuggy-nodes[{self.name}]'"


EXTRAS: Mapping[str, Extra] = {
    "HEIC": Extra("pillow_heif", "heif", "a HEIC picture"),
    "RAW": Extra("rawpy", "raw", "a camera's RAW file"),
    "JXL": Extra("imagecodecs", "codecs", "a JPEG XL picture"),
}


def sniff(data: bytes, path: Path) -> str:
    """The format's name (a value of BY_SUFFIX) by the file's first bytes; "" for none of the list.

    A RAW file is often a TIFF by its first bytes, with a thumbnail as its first picture: there the suffix decides.
    """
    suffix, head = path.suffix.lower(), data[:16]
    raw = head[:4] in (b"II*\0", b"MM\0*", b"IIRO", b"IIU\0", b"FUJI") or head[4:11] == b"ftypcrx"
    if suffix in RAW_SUFFIXES and raw:
        return "RAW"
    if head[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "RAW" if head[8:10] == b"CR" else "TIFF"
    if head[:2] == b"BM":
        return "BMP"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if head[4:8] == b"ftyp":
        brands = head[8:12], data[16:64]
        if brands[0] in (b"avif", b"avis") or (brands[0] in (b"mif1", b"miaf", b"msf1") and b"avif" in brands[1]):
            return "AVIF"
        if brands[0] == b"crx ":
            return "RAW"
        return "HEIC" if brands[0] in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1") else ""
    if head[:12] == b"\0\0\0\x0cjP  \r\n\x87\n" or head[:4] == b"\xff\x4f\xff\x51":
        return "JPEG2000"
    if head[:2] in (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"Pf", b"PF") and head[2:3].isspace():
        return "NETPBM"
    if head[:4] == b"8BPS":
        return "PSD"
    if head[:2] == b"\xff\x0a" or head[:12] == b"\0\0\0\x0cJXL \r\n\x87\n":
        return "JXL"
    return "TGA" if suffix == ".tga" else ""
