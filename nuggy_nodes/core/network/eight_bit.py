"""IS-Net with maps and weights in 8 bits, on the CPU.

The steps of the maps, one a channel, come with the weights (calibrate.py). What stays in floating point is the first
two convolutions (entry.py), whose maps have no ReLU between them, and the logits.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from ..ops.thread_pool import for_each
from .eight_bit_check import arithmetic
from .eight_bit_ops import Convolution, join, pool
from .entry import Entry
from .isnet import RSU, RSU4F, ISNet

Steps = Mapping[str, Tensor]


class Block:
    """A residual U-block. before: the steps of its input, None where the first convolution is done elsewhere."""

    def __init__(self, name: str, block: RSU | RSU4F, before: Tensor | None, steps: Steps):
        self._dilated = isinstance(block, RSU4F)
        depth = 4 if isinstance(block, RSU4F) else block.depth
        whole = steps[name]
        inside = {i: steps[f"{name}.rebnconv{i}"] for i in range(1, depth + 1)}
        convolution = partial(Convolution, room=arithmetic()[0])
        self._first = None if before is None else convolution(_layer(block, "in"), before, whole)
        self._down = [
            convolution(_layer(block, str(i)), inside.get(i - 1, whole), inside[i]) for i in range(1, depth + 1)
        ]
        self._up, y = list[Convolution](), inside[depth]
        for i in range(depth - 1, 0, -1):
            after = steps[f"{name}.rebnconv{i}d"] if i > 1 else whole
            self._up.append(convolution(_layer(block, f"{i}d"), torch.cat((y, inside[i])), after, relu=i > 1))
            y = after

    def __call__(self, x: Tensor) -> Tensor:
        assert self._first is not None
        return self.after_first(self._first(x))

    def after_first(self, residual: Tensor) -> Tensor:
        """The block after its first convolution.

        Args:
            residual: that convolution's map, uint8 [B,C,H,W] in the block's steps.

        Returns:
            The block's map, of the same shape and steps.
        """
        down = [self._down[0](residual)]
        for layer in self._down[1:-1]:
            down.append(layer(down[-1] if self._dilated else pool(down[-1])))
        y = self._down[-1](down[-1])
        for layer in self._up[:-1]:
            y = layer(join(y, down.pop()))
        return self._up[-1].added_to(residual, join(y, down.pop()))


class EightBit(nn.Module):
    """The network; input and output as isnet.ISNet's. Build it where eight_bit_check.works.

    Args:
        model: the network in floating point.
        steps: one a channel, of every block's and every convolution's map but the blocks' own ends (calibrate.py).
    """

    def __init__(self, model: ISNet, steps: Steps):
        super().__init__()
        self._steps_of_maps = steps["stage4d"]
        before: dict[str, Tensor | None] = {"stage1": None}
        before |= {f"stage{i}": steps[f"stage{i - 1}"] for i in range(2, 7)}
        for i, below in zip(range(5, 0, -1), ("stage6", "stage5d", "stage4d", "stage3d", "stage2d")):
            before[f"stage{i}d"] = torch.cat((steps[below], steps[f"stage{i}"]))
        blocks: dict[str, Block] = {}

        def make(name: str) -> None:
            blocks[name] = Block(name, _block(model, name), before[name], steps)

        for_each(make, sorted(before, key=lambda n: -sum(p.numel() for p in _block(model, n).parameters())))
        self._encoder = [blocks[f"stage{i}"] for i in range(1, 7)]
        self._decoder = [blocks[f"stage{i}d"] for i in range(5, 0, -1)]
        self._side = Convolution(_layer(model, "side1"), steps["stage1d"], None, relu=False, room=arithmetic()[0])
        self.entry = Entry(model.conv_in, model.stage1.rebnconvin, steps["stage1"])

    def forward(self, x: Tensor) -> Tensor:
        return self._side(self._decoded(x))

    def maps(self, x: Tensor) -> Tensor:
        """What the fourth side output is read from (isnet.ISNet.maps).

        Args:
            x: as for `forward`.

        Returns:
            float32 [B,256,H/16,W/16].
        """
        return self._decoded(x, last=4).float() * self._steps_of_maps.view(1, -1, 1, 1)

    def _decoded(self, x: Tensor, last: int = 1) -> Tensor:
        """The map of a decoder's stage."""
        skips = [self._encoder[0].after_first(self.entry(x))]
        for block in self._encoder[1:-1]:
            skips.append(block(pool(skips[-1])))
        y = self._encoder[-1](pool(skips[-1]))
        for block in self._decoder[: 6 - last]:
            y = block(join(y, skips.pop()))
        return y


def map_names(model: ISNet) -> list[str]:
    """The maps that have steps: blocks, and their convolutions but the first and the last, which have their block's.

    Args:
        model: the network in floating point.

    Returns:
        Names as of `named_modules`.
    """
    names = []
    for name, module in model.named_modules():
        end = name.rpartition(".")[2]
        block = isinstance(module, (RSU, RSU4F))
        if block or ("." in name and isinstance(module, nn.Conv2d) and end not in ("rebnconvin", "rebnconv1d")):
            names.append(name)
    return names


def _block(model: ISNet, name: str) -> RSU | RSU4F:
    block = model.get_submodule(name)
    assert isinstance(block, (RSU, RSU4F))
    return block


def _layer(of: nn.Module, name: str) -> nn.Conv2d:
    layer = of.get_submodule(name if name.startswith("side") else f"rebnconv{name}")
    assert isinstance(layer, nn.Conv2d)
    return layer
