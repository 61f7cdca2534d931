"""What the segmentation network makes of a photograph besides a mask: which parts are of one thing."""

from __future__ import annotations

import torch
from torch import Tensor

from ..network.protocol import AnyNetwork, normalised
from ..network.weights import DEFAULT_NAME, Network
from .stroke_network import load_spreader
from .views import View

LOOK = View(512)


@torch.inference_mode()
def learnt(network: AnyNetwork | None, image: Tensor) -> Tensor | None:
    """Maps of a photograph for the network that spreads strokes, which knows those of the default weights only.

    Args:
        network: that was asked for the mask, or None.
        image: [1,3,H,W], 0..1.

    Returns:
        [1,LEARNT,32,32] on the CPU (stroke_network.Spreader.learnt); None for other weights and other networks.
    """
    if not isinstance(network, Network) or network.path.name != DEFAULT_NAME:
        return None
    return load_spreader().learnt(maps(network, image).cpu())


@torch.inference_mode()
def maps(network: Network, image: Tensor) -> Tensor:
    """What the network makes of a photograph on its coarse grid, as it is.

    Args:
        network: IS-Net.
        image: [1,3,H,W], 0..1.

    Returns:
        [1,MAPS,32,32] on the network's device (stroke_network.MAPS).
    """
    weight = next(network.model.parameters())
    square = normalised(LOOK.to_square(image), network.info)
    square = square.to(weight.device, weight.dtype, memory_format=torch.channels_last)
    found: Tensor = network.model.maps(square)  # type: ignore[operator]
    return found
