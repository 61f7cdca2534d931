"""Known network files: how each is shown a picture and what it answers. One row makes a network of known form run.

These are the files that rembg keeps in ~/.u2net, under rembg's names; normalisation, sizes, answers and checksums are
as its sessions have them (github.com/danielgatis/rembg, rembg/sessions, version 2.0.86). Licences are what the authors
state of the weights, `source` where they state it. A file is known by its name or by its checksum.
"""

from __future__ import annotations

from dataclasses import dataclass

Triple = tuple[float, float, float]
IMAGENET: tuple[Triple, Triple] = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF: tuple[Triple, Triple] = (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)
ANIME: tuple[Triple, Triple] = (0.485, 0.456, 0.406), (1.0, 1.0, 1.0)
SIGNED: tuple[Triple, Triple] = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
REMBG = "github.com/danielgatis/rembg/releases/tag/v0.0.0"


@dataclass(frozen=True)
class Known:
    """A file by its name without suffix. normalise: mean and deviation of RGB 0..1. size: of its square. logits: what
    it answers with, where the graph does not show it. checksum: of the whole file, md5 or sha256. use: what it was made
    for; had: where the file is had."""

    name: str
    architecture: str
    normalise: tuple[Triple, Triple]
    size: int
    logits: bool
    checksum: str
    licence: str
    source: str
    use: str
    had: str = REMBG


_BIREFNET = ("BiRefNet", IMAGENET, 1024, True)
_MIT = ("MIT", "github.com/ZhengPeng7/BiRefNet")
_U2NET = ("Apache-2.0", "github.com/xuebinqin/U-2-Net")
# fmt: off
KNOWN = (
    Known("isnet-general-use", "IS-Net", HALF, 1024, False, "fc16ebd8b0c10d971d3513d564d01e29", "Apache-2.0",
          "github.com/xuebinqin/DIS", "anything"),
    Known("isnet-anime", "IS-Net", ANIME, 1024, False, "6f184e756bb3bd901c8849220a83e38e", "Apache-2.0",
          "github.com/SkyTNT/anime-segmentation", "drawn characters"),
    Known("birefnet-general", *_BIREFNET, "7a35a0141cbbc80de11d9c9a28f52697", *_MIT, "anything"),
    Known("birefnet-general-lite", *_BIREFNET, "4fab47adc4ff364be1713e97b7e66334", *_MIT, "anything, smaller"),
    Known("birefnet-portrait", *_BIREFNET, "c3a64a6abf20250d090cd055f12a3b67", *_MIT, "portraits"),
    Known("birefnet-dis", *_BIREFNET, "2d4d44102b446f33a4ebb2e56c051f2b", *_MIT, "fine structure"),
    Known("birefnet-hrsod", *_BIREFNET, "c017ade5de8a50ff0fd74d790d268dda", *_MIT, "large photographs"),
    Known("birefnet-cod", *_BIREFNET, "f6d0d21ca89d287f17e7afe9f5fd3b45", *_MIT, "camouflaged subjects"),
    Known("birefnet-massive", *_BIREFNET, "33e726a2136a3d59eb0fdf613e31e3e9", *_MIT, "anything"),
    Known("bria-rmbg", "BiRefNet (RMBG-2.0)", IMAGENET, 1024, False,
          "5b486f08200f513f460da46dd701db5fbb47d79b4be4b708a19444bcd4e79958", "CC BY-NC 4.0: non-commercial use only",
          "huggingface.co/briaai/RMBG-2.0", "anything"),
    Known("u2net", "U2-Net", IMAGENET, 320, False, "60024c5c889badc19c04ad937298a77b", *_U2NET, "anything"),
    Known("u2netp", "U2-Net, small", IMAGENET, 320, False, "8e83ca70e441ab06c318d82300c84806", *_U2NET, "anything"),
    Known("u2net_human_seg", "U2-Net", IMAGENET, 320, False, "c09ddc2e0104f800e3e1bb4652583d1f", *_U2NET, "people"),
    Known("silueta", "U2-Net, reduced", IMAGENET, 320, False, "55e59e0d8062d2f5d013f4725ee84782", "unknown",
          "github.com/xuebinqin/U-2-Net/issues/295", "anything"),
)
# fmt: on
BY_NAME = {k.name: k for k in KNOWN}
BY_CHECKSUM = {k.checksum: k for k in KNOWN}
