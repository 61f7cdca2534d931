"""Read a picture file: its bytes, its format, its decoder, and one sentence for whatever goes wrong."""

from __future__ import annotations

import errno
import io
import struct
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np

from ..core.errors import ImageError
from . import jxl, netpbm, pillow, png, png16, tiff
from .formats import BY_SUFFIX, EXTRAS, NAMES, sniff
from .limits import MOST_MEGAPIXELS, check_size, read_bytes
from .picture import Picture, both, rgb_profile, whole


def read(path: Path, *, megapixels: float = MOST_MEGAPIXELS, data: bytes | None = None) -> Picture:
    """Read a picture file upright.

    Args:
        path: the file; its suffix helps only where the first bytes do not tell.
        megapixels: the largest picture that is read, checked before anything is decoded.
        data: the file's bytes, where they are not to be read from `path`.

    Returns:
        The (first) picture.

    Raises:
        ImageError: it cannot be read; says why in one line, the file's name first.
    """
    try:
        data = read_bytes(path) if data is None else data
        return _decode(data, path, megapixels)
    except ImageError as e:
        raise e if str(e).startswith(str(path)) else ImageError(f"{path}: {e}") from None
    except MemoryError:
        raise ImageError(f"{path}: too large for this machine's memory") from None
    except (OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, OverflowError,
            struct.error, ArithmeticError, RuntimeError) as e:  # fmt: skip
        raise ImageError(f"{path}: {reason(e)}") from None


def frames_of(path: Path, *, megapixels: float = MOST_MEGAPIXELS) -> Iterator[Picture]:
    """Every frame of an animated GIF, WebP, PNG or AVIF. Raises ImageError."""
    data = read_bytes(path)
    try:
        yield from pillow.frames(data, sniff(data, path), path, megapixels)
    except (OSError, SyntaxError, ValueError, EOFError) as e:
        raise ImageError(f"{path}: {reason(e)}") from None


def _decode(data: bytes, path: Path, megapixels: float) -> Picture:
    form = sniff(data, path)
    if form == "PNG":
        chunks = png.walk(data, path, megapixels)
        if chunks.depth == 16:
            picture = png16.decode(data, chunks, path)
            picture.dpi, picture.icc = png.resolution(data, chunks), rgb_profile(png.profile(data, chunks))
            return picture
        kept = (data[a - 8 : b + 4] for n, a, b in chunks.bodies if n not in (b"zTXt", b"iTXt", b"iCCP"))
        picture = pillow.decode(b"".join([png.SIGNATURE, *kept]), "PNG", path, megapixels)
        picture.icc = rgb_profile(png.profile(data, chunks))
        return picture
    if form == "TIFF":
        try:
            found = tiff.decode(data, path, megapixels)
        except tiff.OfCamera:
            return _by_extra(data, "RAW", path, megapixels)
        if found is None:
            return pillow.decode(data, "TIFF", path, megapixels)
        found.exif = pillow.exif_of(data, "TIFF", path)
        return found
    if form == "NETPBM":
        return netpbm.decode(data, path, megapixels) or pillow.decode(data, form, path, megapixels)
    if form == "JPEG2000" and _jp2_depth(data) > 8:
        return _jp2_deep(data, path, megapixels)
    if form in EXTRAS:
        return _by_extra(data, form, path, megapixels)
    if not form:
        told = BY_SUFFIX.get(path.suffix.lower())
        raise ImageError(f"{path}: is no {told} picture" if told else f"{path}: is of no format that is read: {NAMES}")
    if form == "AVIF" and not pillow.has_avif():
        raise ImageError(f"{path}: AVIF pictures need Pillow 11.3 or later, with AVIF in it")
    return pillow.decode(data, form, path, megapixels)


def _by_extra(data: bytes, form: str, path: Path, megapixels: float) -> Picture:
    """A picture that a package reads which may be missing."""
    extra = EXTRAS[form]
    try:
        module = __import__(extra.module)
    except ImportError:
        raise ImageError(f"{path}: {extra.what} needs a package more: {extra.install}") from None
    try:
        return _decoded(module, data, form, path, megapixels)
    except (ImageError, MemoryError, NameError):
        raise
    except Exception as e:  # each package has exceptions of its own for a damaged file
        raise ImageError(f"{path}: {reason(e)}") from None


def _decoded(module: ModuleType, data: bytes, form: str, path: Path, megapixels: float) -> Picture:
    if form == "HEIC":
        file = module.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        check_size(file.size[0], file.size[1], path, form, len(data), 3, megapixels)
        picture = pillow.of_pillow(file.to_pillow(), form)
        bits = file.info.get("bit_depth", 8)
        return pillow.noted(picture, f"8 of its {bits} bits are used" if bits > 8 else "")
    if form == "JXL":
        width, height = jxl.size(data)
        check_size(width, height, path, form, len(data), 3, megapixels)
        return _of_array(jxl.decode(data, module), path)
    with module.imread(io.BytesIO(data)) as raw:
        check_size(raw.sizes.width, raw.sizes.height, path, form, len(data), 3, megapixels)
        pixels = raw.postprocess(use_camera_wb=True, output_bps=16, no_auto_bright=False)
    return Picture(np.ascontiguousarray(pixels), note="developed as the camera saw it")


def _of_array(pixels: np.ndarray, path: Path) -> Picture:
    """[H,W] or [H,W,1 to 4] of whole numbers or float 0..1."""
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] > 4:
        raise ImageError(f"{path}: has {pixels.ndim} dimensions; only the first picture of one could be read")
    deep = pixels.dtype != np.uint8
    made = whole(pixels, 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max), deep)
    colours = 3 if made.shape[2] > 2 else 1
    rgb = made[..., :colours] if colours == 3 else np.repeat(made[..., :1], 3, 2)
    return Picture(np.ascontiguousarray(rgb), made[..., colours].copy() if made.shape[2] > colours else None)


def _jp2_depth(data: bytes) -> int:
    """Bits a sample, by the codestream's SIZ segment (ISO 15444-1, A.5.1)."""
    at = data.find(b"\xff\x4f\xff\x51", 0, 1 << 16)
    return (data[at + 42] & 127) + 1 if at >= 0 and at + 42 < len(data) else 8


def _jp2_deep(data: bytes, path: Path, megapixels: float) -> Picture:
    at = data.find(b"\xff\x4f\xff\x51", 0, 1 << 16)
    width, height = struct.unpack_from(">II", data, at + 8)
    check_size(width, height, path, "JPEG2000", len(data), 3, megapixels)
    try:
        from imagecodecs import jpeg2k_decode
    except ImportError:
        raise ImageError(
            f"{path}: a JPEG 2000 picture with more than 8 bits needs a package more: pip install 'nuggy-nodes[codecs]'"
        ) from None
    pixels = jpeg2k_decode(data)
    top = 2 ** _jp2_depth(data) - 1
    return _of_array(whole(np.asarray(pixels), float(top), True), path)


def reason(e: BaseException) -> str:
    """An exception of a decoder or of the system as words."""
    if isinstance(e, OSError) and e.errno is not None:
        known = {
            errno.ENOSPC: "no space left on the disk",
            errno.EFBIG: "the file is too large for the disk or the user's limit",
            errno.EROFS: "the disk is read-only",
            errno.EACCES: "no permission",
            errno.EPERM: "no permission",
            errno.ENOENT: "no such file",
            errno.EISDIR: "is a folder",
            errno.ENOTDIR: "part of the path is not a folder",
            errno.ENAMETOOLONG: "the name is too long",
            errno.ELOOP: "is a link to itself",
        }
        return known.get(e.errno, e.strerror or str(e))
    if type(e).__name__ == "UnidentifiedImageError":
        return "is damaged, or packed in a way that is not read"
    text = (str(e).splitlines() or [""])[0] or type(e).__name__
    return f"the file is damaged or incomplete ({both(text[:160])})"
