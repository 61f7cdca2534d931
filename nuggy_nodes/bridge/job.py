"""What the plug-in asks for: a layer's mask, its cut-out, or a look at either. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .protocol import ProtocolError

MOST_PIXELS = 500_000_000
MOST_SHOWN = 8192  # pixels of a preview's side

DEPTHS = {"u8": 1, "u16": 2, "float": 4}  # bytes a sample
EXISTING = ("replace", "intersect", "add")
WANTED = ("mask", "layer", "preview")
SELECTION = ("limit", "box", "subject")
STARTS = ("network", "mask")
MARKS = ("keep", "drop")
PLANES = ("selection", *MARKS)  # one byte a pixel


@dataclass(frozen=True)
class Job:
    """A request for a mask, and the blobs that come with it.

    pixels: rows of width x channels samples of `depth`, sRGB-encoded; channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB
    and alpha. key names them (a digest of theirs, made by the client): without `has_pixels` the worker takes those that
    it has under that key, or answers with the error "unknown".
    mask (if `has_mask`): the mask that the layer has, linear, one channel of `mask_depth`, combined with the new one as
    `existing` says; it is what is refined if `start` is "mask", and no network is asked then.
    selection (if `has_selection`): outside it the layer's mask stays ("limit"), the subject lies in its bounds ("box"),
    or it is the subject, roughly ("subject"), as `selection` says.
    keep, drop (if `has_keep`, `has_drop`): strokes, above half over subject and over background, at the size
    `marks` (width, height), the layer's or smaller with its proportions.

    want: "mask" gives the blob mask (linear, `mask_depth`), "layer" gives layer (R'G'B'A float), "preview" gives both
    in 8 bits, of the part `view` (x, y, width, height) of the layer at the size `shown` (width, height). exact: for a
    preview, whether it is a part of the very mask, or one computed of a smaller copy and the network's same answer.
    uncertainty: how far a mask that is refined may be off at its edge, in pixels of the layer; 0: measured.
    network: its name, "" for Nuggy's own. settings: fields of a Recipe that differ from the recipe named.
    """

    width: int
    height: int
    channels: int
    depth: str = "u8"
    recipe: str = "balanced"
    settings: dict[str, Any] = field(default_factory=dict)
    want: str = "mask"
    mask_depth: str = "u8"
    existing: str = "replace"
    selection: str = "limit"
    start: str = "network"
    uncertainty: float = 0.0
    network: str = ""
    key: str = ""
    view: tuple[int, ...] = ()
    shown: tuple[int, ...] = ()
    marks: tuple[int, ...] = ()
    exact: bool = True
    has_pixels: bool = True
    has_mask: bool = False
    has_selection: bool = False
    has_keep: bool = False
    has_drop: bool = False

    def __post_init__(self) -> None:
        for name in ("width", "height", "channels"):
            _whole(name, getattr(self, name), 1)
        if self.channels > 4 or self.width * self.height > MOST_PIXELS:
            raise ProtocolError(f"{self.width}x{self.height} with {self.channels} channels is more than is taken")
        for name, choices in (
            ("depth", DEPTHS), ("mask_depth", DEPTHS), ("existing", EXISTING), ("want", WANTED),
            ("selection", SELECTION), ("start", STARTS),
        ):  # fmt: skip
            if getattr(self, name) not in choices:
                raise ProtocolError(f"{name} must be one of {', '.join(choices)}; got {getattr(self, name)!r}")
        kinds = {"recipe": str, "network": str, "key": str, "settings": dict, "exact": bool}
        for name, kind in (kinds | {n: bool for n in self.__dict__ if n.startswith("has_")}).items():
            if not isinstance(getattr(self, name), kind):
                raise ProtocolError(f"{name} must be a {kind.__name__}; got {getattr(self, name)!r}")
        if type(self.uncertainty) not in (int, float) or not 0 <= self.uncertainty < MOST_PIXELS:
            raise ProtocolError(f"uncertainty is in pixels, from 0; got {self.uncertainty!r}")
        if self.start == "mask" and not self.has_mask:
            raise ProtocolError("a mask is to be refined, and none comes with the request")
        if not self.marks:
            self.__dict__["marks"] = ()
        else:
            self._numbers("marks", self.marks, 2)
            if self.marks[0] > self.width or self.marks[1] > self.height:
                raise ProtocolError(f"marks of {self.marks} are larger than {self.width}x{self.height}")
        if self.want == "preview":
            self._check_view()
        elif self.view or self.shown:
            raise ProtocolError("only a preview shows a part")
        else:
            self.__dict__.update(view=(), shown=())

    def _check_view(self) -> None:
        """Fill in what is left out, the whole layer at its size, and refuse what lies outside it."""
        for name, count, whole in (("view", 4, (0, 0, self.width, self.height)), ("shown", 2, ())):
            given = getattr(self, name) or whole or tuple(self.view[2:])
            self._numbers(name, given, count)
        x, y, width, height = self.view
        if x + width > self.width or y + height > self.height or max(self.shown) > MOST_SHOWN:
            raise ProtocolError(f"the part {self.view} of {self.width}x{self.height} at {self.shown} cannot be shown")

    def _numbers(self, name: str, given: Any, count: int) -> None:
        """Set a field to so many whole numbers, the last two of them sizes."""
        if not isinstance(given, (tuple, list)) or len(given) != count:
            raise ProtocolError(f"{name} must be {count} whole numbers; got {given!r}")
        for i, value in enumerate(given):
            _whole(name, value, 1 if i >= count - 2 else 0)
        object.__setattr__(self, name, tuple(given))

    def sizes(self) -> dict[str, int]:
        """The blobs of the request, in order, and their lengths in bytes."""
        pixels = self.width * self.height
        sizes = {"pixels": pixels * self.channels * DEPTHS[self.depth]} if self.has_pixels else {}
        if self.has_mask:
            sizes["mask"] = pixels * DEPTHS[self.mask_depth]
        marks = self.marks[0] * self.marks[1] if self.marks else pixels
        planes = {name: marks if name in MARKS else pixels for name in PLANES}
        return sizes | {name: size for name, size in planes.items() if getattr(self, f"has_{name}")}

    def answer_sizes(self) -> dict[str, int]:
        """The blobs of the answer and their lengths in bytes."""
        pixels = self.width * self.height
        if self.want == "preview":
            pixels = self.shown[0] * self.shown[1]
            return {"mask": pixels, "layer": pixels * 4}
        return {"mask": pixels * DEPTHS[self.mask_depth]} if self.want == "mask" else {"layer": pixels * 16}

    def to_fields(self) -> dict[str, Any]:
        return {"do": "cutout", **asdict(self)}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Job:
        """Raises ProtocolError."""
        rest = {k: v for k, v in fields.items() if k not in ("do", "blobs")}
        try:
            return cls(**rest)
        except TypeError as e:
            raise ProtocolError(f"not a cutout request: {e}") from None


def _whole(name: str, value: Any, least: int) -> None:
    if type(value) is not int or value < least:
        raise ProtocolError(f"{name} must be a whole number from {least}; got {value!r}")
