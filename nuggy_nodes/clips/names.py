"""Names of clips and of what is made of them."""

from __future__ import annotations

# of files that are taken for clips
SUFFIXES = frozenset(
    ".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ts .mts .m2ts .wmv .flv .3gp .ogv .mxf .y4m".split()  # noqa: SIM905
)
ANIMATED = frozenset((".gif", ".webp", ".png", ".apng"))
MOVIES = ("mov", "webm", "mp4")
# forms that are written, and the result's suffix
FORMS = {"mov": ".mov", "webm": ".webm", "mp4": ".mp4", "gif": ".gif", "webp": ".webp", "png": ".png", "frames": ""}
