"""Where ComfyUI's nodes compute, on ten frames of 1080p: python benchmarks/node_devices.py [--frames 10] [--only NAME]

A device that is not there (tests/nodes/elsewhere.py) takes what the nodes move to ComfyUI's device: its tensors keep
their values on the CPU, refuse to meet the CPU's, and every operation is counted where its result lies. The table tells
for each node, in numbers computed or moved per pixel of the clip, what was done there and what here.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

import pytest
import torch

sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / "nodes"), str(Path(__file__).parents[1])]
import fake_comfy  # noqa: E402
from where import DEVICE, There, nodes, scene, watched  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--views", default="1024", help="of NuggyTTAMask")
    parser.add_argument("--only", nargs="*", help="these nodes")
    asked = parser.parse_args()
    patch = pytest.MonkeyPatch()
    fake_comfy.install(patch, True, tempfile.mkdtemp())
    pack = importlib.import_module("nuggy_nodes.nodes")
    for room in ("refine.islands", "refine.edge", "segment.each", "segment.sharper"):
        patch.setattr(f"nuggy_nodes.core.{room}.AT_HOME", ("cpu", DEVICE.type))
    width, height = map(int, asked.size.split("x"))
    image, mask = scene(asked.frames, height, width)
    fake_comfy.State.device = DEVICE
    pixels = asked.frames * height * width
    print("| node | computed there | computed here | of it | moved | results lie |")
    print("|---|---|---|---|---|---|")
    with torch.inference_mode():
        for name, run in nodes(pack, image, mask, asked.views):
            if asked.only and name not in asked.only:
                continue
            seen, made = watched(run)
            there, here = (sum(seen.work[k].values()) / pixels for k in ("there", "here"))
            most = ", ".join(f"{k} {n / pixels:.1f}" for k, n in seen.work["here"].most_common() if n > 0.1 * pixels)
            kept = [x for x in made if isinstance(x, torch.Tensor)]
            at = sorted({"there" if isinstance(x, There) else x.device.type for x in kept})
            moved = seen.moved / pixels
            print(f"| {name} | {there:.0f} | {here:.1f} | {most} | {moved:.0f} | {', '.join(at)} |", flush=True)


if __name__ == "__main__":
    main()
