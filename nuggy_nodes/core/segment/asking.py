"""Which views a photograph is asked for: those of the whole frame first, the others where they can matter.

Views with a continued border count only where the frame cuts the subject off (consensus); elsewhere they are left out,
and the answer is the same. Doubtful views are asked for only where the others contradict each other over more than
rims.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..ops.resample import enlarge
from .consensus import combine
from .in_doubt import border_counts, disputed
from .views import View

Answers = Mapping[int, Tensor]  # by the view's number: [B,1,n,n], 0..1, in the photograph's frame


@dataclass(frozen=True)
class Asking:
    """Views of photographs of one batch, and how they are combined (consensus.combine).

    see: the answers of a network to photographs [B,3,H,W], shown in the views of these numbers. skipped: told how many
    squares were not needed.
    """

    views: Sequence[View]
    how: str
    see: Callable[[Tensor, Sequence[int]], Answers]
    skipped: Callable[[int], None]

    def masks(self, images: Tensor) -> Tensor:
        """The combined answer.

        Args:
            images: [B,3,H,W], 0..1.

        Returns:
            [B,1,n,n], n the most cells in which any of the views shows the photograph.
        """
        first, *later = self._rounds()
        known = self.see(images, first)
        cells = {i: known[first[0]].shape[-1] * _inner(v) // _inner(self.views[first[0]]) for i, v in
                 enumerate(self.views)}  # fmt: skip
        return self._settled(images, known, later, max(cells.values()))

    def _rounds(self) -> list[list[int]]:
        """Numbers of the views that are asked for together, one after the other: without and with a continued border,
        then the doubtful."""
        apart = self.how == "regions" and not all(v.margin for v in self.views if not v.doubtful)
        kinds = [(v.doubtful, apart and v.margin > 0) for v in self.views]
        if all(doubtful for doubtful, _ in kinds):
            return [list(range(len(kinds)))]
        return [[i for i, k in enumerate(kinds) if k == kind] for kind in sorted(set(kinds))]

    def _settled(self, images: Tensor, known: Answers, later: Sequence[Sequence[int]], grid: int) -> Tensor:
        numbers = sorted(known)
        stack = torch.stack([enlarge(known[i], grid, grid) for i in numbers])
        views = [self.views[i] for i in numbers]
        padded = [v.margin > 0 for v in views]
        if not later:
            return combine(stack, self.how, [_inner(v) for v in views], padded)
        group, rest = later[0], later[1:]
        wanted = torch.ones(len(images), dtype=torch.bool)
        if all(self.views[i].doubtful for i in group):
            wanted &= disputed(stack, padded).cpu()
        beyond = self.how == "regions" and all(self.views[i].margin for i in group) and not all(padded)
        if beyond and wanted.any():
            wanted &= border_counts(torch.stack([a for a, p in zip(stack, padded) if not p])).cpu()
        self.skipped(len(group) * int((~wanted).sum()))
        if wanted.all():
            return self._settled(images, {**known, **self.see(images, group)}, rest, grid)
        if not wanted.any():
            return self._settled(images, known, rest, grid)
        out: Tensor | None = None
        for which in (wanted, ~wanted):
            rows = which.nonzero()[:, 0].tolist()
            some, mine = _rows(images, rows), {i: _rows(a, rows) for i, a in known.items()}
            masks = self._settled(some, {**mine, **(self.see(some, group) if which is wanted else {})}, rest, grid)
            out = masks.new_empty(len(images), *masks.shape[1:]) if out is None else out
            for row, mask in zip(rows, masks):
                out[row] = mask
        assert out is not None
        return out


def _rows(x: Tensor, rows: Sequence[int]) -> Tensor:
    return torch.stack([x[i] for i in rows])  # a list as an index would have to go to the device first


def _inner(view: View) -> int:
    """Pixels of the network's input that show the photograph's side."""
    return view.size - 2 * view.margin
