"""Addresses: folders, buckets and URLs alike, as PyArrow's file systems (its own, or fsspec's).

An address is a path of this machine, or SCHEME://...; s3, gs and hdfs are PyArrow's own, others (http, abfs, sftp, ...)
fsspec's. A file is written whole or not at all: on this machine's disks under another name first, in a bucket by one
upload, which becomes visible when it ends; elsewhere under another name, then moved.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..core.errors import ImageError, InputError
from ..pictures import clear_parts, write
from ..pictures.limits import MOST_BYTES, read_bytes
from ..pictures.read import reason

SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")  # one letter is a drive of Windows
WHOLE = ("s3", "gcs", "gs", "abfs", "az")  # file systems whose uploads appear when they are complete


@dataclass(frozen=True)
class Store:
    """A file system and a path in it. local: on this machine's disks. query: what the address said after ?."""

    system: Any
    path: str
    local: bool
    scheme: str = ""
    query: str = ""

    def below(self, name: str) -> Store:
        """A file in this folder; name: parts joined by /."""
        base = self.path.rstrip("/")
        return Store(self.system, f"{base}/{name}" if base else name, self.local, self.scheme, self.query)

    @property
    def address(self) -> str:
        """As a user writes it, without what was said after ?, which may hold keys."""
        return self.path if self.local else f"{self.scheme}://{self.path}"


def store(address: str) -> Store:
    """What an address names, whether or not anything is there. Raises InputError."""
    if not SCHEME.match(address):
        return Store(_local(), os.path.abspath(address), True)
    plain, _, query = address.partition("?") if not address.lower().startswith("http") else (address, "", "")
    scheme, _, rest = plain.partition("://")
    root = rest.split("/")[0]
    found = _system(scheme.lower(), root, query)
    if scheme.lower() == "file":
        return Store(_local(), os.path.abspath("/" + rest.lstrip("/")), True)
    path = plain if scheme.lower().startswith("http") else rest
    return Store(found, path, False, scheme.lower(), query)


@lru_cache(maxsize=1)
def _local() -> Any:
    return _fs().LocalFileSystem()


def _fs() -> Any:
    try:
        import pyarrow.fs as fs
    except ImportError:
        raise InputError(NEEDED) from None
    return fs


NEEDED = "nuggy catalogue needs Ray: pip install 'nuggy-nodes[ray]'"


@lru_cache(maxsize=64)
def _system(scheme: str, root: str, query: str) -> Any:
    fs = _fs()
    if scheme in ("s3", "gs", "gcs", "hdfs", "file", "viewfs"):
        try:
            return fs.FileSystem.from_uri(f"{scheme}://{root}/" + (f"?{query}" if query else ""))[0]
        except Exception as e:  # Arrow's, and those of the libraries below it
            raise InputError(f"{scheme}://{root}: {words(e)}") from None
    import fsspec

    try:
        return fs.PyFileSystem(fs.FSSpecHandler(fsspec.filesystem(scheme)))
    except (ImportError, ValueError) as e:
        raise InputError(f"{scheme}://{root}: addresses of this kind cannot be read here: {words(e)}") from None


def get(place: Store) -> bytes:
    """A file's bytes. Raises ImageError, with the reason alone."""
    try:
        if place.local:
            return read_bytes(Path(place.path))
        with place.system.open_input_stream(place.path) as f:
            data: bytes = f.read(MOST_BYTES)
    except ImageError as e:
        raise ImageError(str(e).removeprefix(f"{place.path}: ")) from None
    except OSError as e:
        raise ImageError(words(e)) from None
    except Exception as e:  # fsspec's file systems have exceptions of their own
        raise ImageError(words(e)) from None
    if not data:
        raise ImageError("the file is empty")
    return data


def put(place: Store, data: bytes) -> None:
    """Write a file whole, in the place of one that is there. Raises ImageError, with the reason alone."""
    try:
        if place.local:
            write(Path(place.path), data, overwrite=True)
            return
        at_once = place.system.type_name.removeprefix("py::fsspec+") in WHOLE
        target = place.path if at_once else f"{_parent(place.path)}/.nuggy-{secrets.token_hex(4)}.part"
        if not at_once:
            place.system.create_dir(_parent(place.path), recursive=True)
        with place.system.open_output_stream(target) as f:
            f.write(data)
        if not at_once:
            place.system.move(target, place.path)
    except ImageError as e:
        raise ImageError(str(e).removeprefix(f"{place.path}: ")) from None
    except Exception as e:
        raise ImageError(f"cannot be written: {words(e)}") from None


def put_own(place: Store, data: bytes) -> None:
    """`put` for a file of this program's own, no photograph's. Raises ImageError, with the address."""
    try:
        put(place, data)
    except ImageError as e:
        raise ImageError(f"{place.address}: {e}") from None


def clear(folder: Store) -> None:
    """Remove parts of files that a killed run left on this machine's disks below a folder."""
    if folder.local:
        for below, _, _ in os.walk(folder.path):
            clear_parts(Path(below))


def listed(place: Store) -> list[Any]:
    """PyArrow's FileInfo of what lies in a folder, one level, by name; nothing where there is no folder. Raises
    InputError."""
    try:
        found = place.system.get_file_info(_fs().FileSelector(place.path, recursive=False, allow_not_found=True))
    except NotADirectoryError:
        return []
    except Exception as e:
        raise InputError(f"{place.address}: cannot be listed: {words(e)}") from None
    return sorted(found, key=lambda info: info.base_name)


def words(e: BaseException) -> str:
    """What a file system says, as a few words."""
    text = " ".join(str(e).split())
    if "ACCESS_DENIED" in text or "AccessDenied" in text or "Forbidden" in text or "HTTP status 403" in text:
        return "no permission (are the keys set, and have they the right?)"
    if "NoSuchBucket" in text or "NO_SUCH_BUCKET" in text:
        return "there is no such bucket"
    if "RESOURCE_NOT_FOUND" in text or "HTTP status 404" in text or isinstance(e, FileNotFoundError):
        return "no such file"
    if isinstance(e, OSError) and e.errno is not None and e.strerror and len(e.strerror) < 80:
        return reason(e)
    return text[:200] or type(e).__name__


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
