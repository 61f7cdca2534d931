"""The principal components of the segmentation network's maps, which the network that spreads strokes is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.segment.stroke_network import LEARNT, MAPS, Spreader


@dataclass(frozen=True)
class Components:
    """mean [MAPS]; basis [MAPS,LEARNT], scaled so that each component varies by one over the cells seen."""

    mean: Tensor
    basis: Tensor

    def put_into(self, network: Spreader) -> None:
        network.mean.copy_(self.mean)
        network.basis.copy_(self.basis)

    def of(self, maps: Tensor) -> Tensor:
        """Maps [MAPS,m,n] to [LEARNT,m,n], as the trained network makes it of them."""
        return self._network.learnt(maps[None])[0]

    @cached_property
    def _network(self) -> Spreader:
        network = Spreader()
        self.put_into(network)
        return network


def components(cells: Iterable[NDArray[np.generic]]) -> Components:
    """The LEARNT largest ones of all cells [N,MAPS] together."""
    count, total, products = 0, np.zeros(MAPS), np.zeros((MAPS, MAPS))
    for some in cells:
        wide = np.asarray(some, np.float64)
        count, total, products = count + len(wide), total + wide.sum(0), products + wide.T @ wide
    mean = total / count
    variance, axes = np.linalg.eigh(products / count - np.outer(mean, mean))
    basis = axes[:, : -LEARNT - 1 : -1] / np.sqrt(np.maximum(variance[: -LEARNT - 1 : -1], 1e-6))
    return Components(torch.from_numpy(mean).float(), torch.from_numpy(basis.copy()).float())
