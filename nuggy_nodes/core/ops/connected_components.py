"""Connected components of a mask, on the device where the mask is.

A part is held as its horizontal runs, in raster order: a photograph's mask of 12 megapixels has some ten thousand, so
that everything asked of a part (pixels, extent, what it touches) costs little. Which runs belong together OpenCV says
on a CPU that has it. Elsewhere the runs are the nodes of a graph whose edges join neighbours of adjacent rows, and
trees are hooked to the smallest neighbour and shortened by pointer jumping until nothing changes: label equivalence
(Playne and Hawick, "A New Algorithm for Parallel Connected-Component Labelling on GPUs", IEEE TPDS 2018) with the
hooking of Zhang, Azad and Hu, "FastSV" (SIAM PP 2020). The picture never travels to the host, only one flag a round and
a few sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .opencv import opencv

AT_HOME = ("cpu", "cuda")  # elsewhere (MPS) not every operation on whole numbers is there; memory is shared anyway


@dataclass(frozen=True)
class Parts:
    """The connected parts of a mask [H,W], numbered from 0 in the order of their first pixels.

    start, stop: int64 [R], where a run begins and ends (exclusive) in the flattened mask, ascending; row: int64 [R];
    part: int64 [R], which part it belongs to; count: how many parts.
    """

    start: Tensor
    stop: Tensor
    row: Tensor
    part: Tensor
    count: int
    shape: tuple[int, int]

    def areas(self) -> Tensor:
        """Pixels of each part, int64 [count]."""
        return self.part.new_zeros(self.count).index_add_(0, self.part, self.stop - self.start)

    def boxes(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """left, top, right, bottom of each part, int64 [count]; right and bottom are exclusive."""
        height, width = self.shape
        left, right = self.start - self.row * width, self.stop - self.row * width
        low = [self.part.new_full((self.count,), n).scatter_reduce_(0, self.part, x, "amin")
               for n, x in ((width, left), (height, self.row))]  # fmt: skip
        high = [self.part.new_zeros(self.count).scatter_reduce_(0, self.part, x, "amax") for x in (right, self.row + 1)]
        return low[0], low[1], high[0], high[1]

    def touched(self, mask: Tensor) -> Tensor:
        """Which parts have a pixel in a mask.

        Args:
            mask: bool [H,W], true nowhere but in parts.

        Returns:
            bool [count].
        """
        first, _, _ = _runs(mask)
        found = torch.zeros(self.count, dtype=torch.bool, device=self.part.device)
        found[self.part[torch.searchsorted(self.start, first, right=True) - 1]] = True
        return found

    def pixels(self, which: Tensor) -> Tensor:
        """The pixels of chosen parts.

        Args:
            which: bool [count].

        Returns:
            Their places in the flattened mask, ascending, int64.
        """
        chosen = which[self.part]
        start, length = self.start[chosen], (self.stop - self.start)[chosen]
        offset = start - (length.cumsum(0) - length)
        places = torch.repeat_interleave(offset, length)
        return places.add_(torch.arange(len(places), device=places.device))

    def of_pixels(self) -> Tensor:
        """The part of every pixel inside, in raster order (the order of mask[mask]), int64."""
        return torch.repeat_interleave(self.part, self.stop - self.start)


def components(mask: Tensor, connectivity: int = 8) -> Parts:
    """The connected parts of a mask. Every device gives the same parts under the same numbers.

    Args:
        mask: bool [H,W], on a CPU or a CUDA device.
        connectivity: 4 or 8 neighbours.

    Returns:
        The parts.

    Raises:
        InputError: no bool mask, or another connectivity.
    """
    if mask.ndim != 2 or mask.dtype != torch.bool:
        raise InputError(f"components are found in a bool mask [height, width]; got {mask.dtype} {tuple(mask.shape)}")
    if connectivity not in (4, 8):
        raise InputError(f"connectivity must be 4 or 8; got {connectivity}")
    start, stop, row = _runs(mask)
    if mask.device.type == "cpu" and opencv():
        root = _roots_opencv(mask, start, connectivity)
    else:
        root = _roots_torch(start, stop, row, mask.shape[1], connectivity)
    first = root == torch.arange(len(root), device=root.device)
    number = first.cumsum(0) - 1
    return Parts(start, stop, row, number[root], int(first.sum()), (mask.shape[0], mask.shape[1]))


def _runs(mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where the horizontal runs of a mask start and stop in the flattened mask, and their rows."""
    height, width = mask.shape
    # a column that is false ends every run; before the first pixel it is false as well
    flat = torch.zeros(height * (width + 1) + 1, dtype=torch.bool, device=mask.device)
    flat[1:].view(height, width + 1)[:, :width] = mask
    changes = flat[1:] != flat[:-1]
    at = torch.from_numpy(np.flatnonzero(changes.numpy())) if mask.device.type == "cpu" else changes.nonzero()[:, 0]
    rows = torch.arange(height + 1, device=mask.device)
    row = torch.repeat_interleave(rows[:-1], torch.searchsorted(at, rows * (width + 1)).diff() // 2)
    return at[0::2] - row, at[1::2] - row, row


def _roots_opencv(mask: Tensor, start: Tensor, connectivity: int) -> Tensor:
    """For every run the first run of its part."""
    _, labels = opencv().connectedComponents(mask.contiguous().view(torch.uint8).numpy(), connectivity=connectivity)
    label = labels.ravel()[start.numpy()]
    order = np.arange(len(label))
    first = np.empty(label.max(initial=0) + 1, np.int64)
    first[label[::-1]] = order[::-1]  # of several values for one place NumPy keeps the last
    return torch.from_numpy(first[label])


def _roots_torch(start: Tensor, stop: Tensor, row: Tensor, width: int, connectivity: int) -> Tensor:
    """For every run the first run of its part, by hooking and pointer jumping."""
    below, above = _edges(start, stop, row, width, connectivity)
    parent = torch.arange(len(start), device=start.device)
    grand = parent
    while True:
        hooked = parent.clone()
        for u, v in ((below, above), (above, below)):
            hooked.scatter_reduce_(0, parent[u], grand[v], "amin")  # a tree to a neighbour's
            hooked.scatter_reduce_(0, u, grand[v], "amin")  # and the run itself
        parent = torch.minimum(hooked, grand)
        before, grand = grand, parent[parent]
        if torch.equal(before, grand):  # the only wait for the device
            return grand


def _edges(start: Tensor, stop: Tensor, row: Tensor, width: int, connectivity: int) -> tuple[Tensor, Tensor]:
    """Pairs of runs in adjacent rows that touch."""
    reach = 1 if connectivity == 8 else 0
    start, stop = start + row, stop + row  # with one empty column, so that a row's end does not touch the next row
    over = start - (width + 1), stop - (width + 1)
    low = torch.searchsorted(stop, over[0] - reach, right=True)  # the first run above that stops beyond our start
    high = torch.searchsorted(start, over[1] + reach)  # the first that starts at or beyond our stop
    count = (high - low).clamp_(min=0)
    below = torch.repeat_interleave(count)
    above = torch.arange(len(below), device=start.device) + (low - (count.cumsum(0) - count))[below]
    return below, above
