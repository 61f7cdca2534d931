"""What is asked of the network.

    deep    binary cross-entropy of every side output on its own grid, against alpha averaged over its cells (the deep
            supervision of IS-Net, equation 4 of the paper, where all weights are 1; averaged because a strand that
            fills an eighth of a cell is an eighth of subject there)
    l1      |p - alpha| at the first side output, the one that is used
    edge    |dp/dx - dalpha/dx| + |dp/dy - dalpha/dy| there: strands stand out from their gaps
    keep    (p - p0)^2 where the original weights' answer p0 was sure and the truth does not contradict it

All but the last are weighted by trust in the truth, and more on thin parts and the gaps beside them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .mix import Run

THIN = 6  # pixels of the input: what an opening of this side takes away is thin
BESIDE = 4  # pixels: so far from a thin part its gaps weigh like itself
SURE = (0.3, 0.45)  # distance of the original answer from one half: no pull at the first, full pull at the second


def thin_weight(alpha: Tensor, amount: float) -> Tensor:
    """[B,1,S,S], 1 on bodies and open background, up to 1 + amount on thin parts and within BESIDE pixels of them.

    alpha: [B,1,S,S]. Thin is what a grey opening (Serra) with a square of THIN takes away.
    """
    pad = F.pad(alpha, (THIN // 2 - 1 + THIN % 2, THIN // 2) * 2, mode="replicate")
    eroded = -F.max_pool2d(-pad, THIN, 1)
    pad = F.pad(eroded, (THIN // 2, THIN // 2 - 1 + THIN % 2) * 2, mode="replicate")
    thin = (alpha - F.max_pool2d(pad, THIN, 1)).clamp(0, 1)
    near = F.max_pool2d(thin, 2 * BESIDE + 1, 1, BESIDE)
    return 1 + amount * near


def losses(
    sides: Sequence[Tensor],
    alpha: Tensor,
    trust: Tensor,
    run: Run,
    original: Tensor | None = None,
    keep: Tensor | None = None,
) -> dict[str, Tensor]:
    """Each part of the loss, weighted as `run` says, a scalar each; their sum is what is minimised.

    sides: logits, finest first, [B,1,h,w] each. alpha, trust: [B,1,S,S], 0..1. original: the original weights' logits
    at the first side output [K,1,h,w], for the K scenes that `keep` [B] bool marks.
    """
    weight = trust * thin_weight(alpha, run.thin)
    out = {"deep": alpha.new_zeros(())}
    fine = (alpha, weight, trust)
    for i, logits in enumerate(sides):
        grid = (logits.shape[-2], logits.shape[-1])
        truth, w, t = (F.adaptive_avg_pool2d(x, grid) for x in (alpha, weight, trust))
        each = F.binary_cross_entropy_with_logits(logits.float(), truth, w, reduction="sum")
        out["deep"] = out["deep"] + (run.deep if i else 1.0) * each / t.sum().clamp(min=1)
        if not i:
            fine = (truth, w, t)
    truth, w, t = fine
    p, total = sides[0].float().sigmoid(), t.sum().clamp(min=1)
    out["l1"] = run.l1 * (w * (p - truth).abs()).sum() / total
    off = p - truth
    across = w[..., 1:] * off.diff(dim=-1).abs(), w[..., 1:, :] * off.diff(dim=-2).abs()
    out["edge"] = run.gradient * (across[0].sum() + across[1].sum()) / total
    if original is not None and keep is not None and run.keep:
        before = original.float().sigmoid()
        low, high = SURE
        sure = (((before - 0.5).abs() - low) / (high - low)).clamp(0, 1)
        sure = sure * (1 - t[keep] * (truth[keep] - before).abs())
        out["keep"] = run.keep * (sure * (p[keep] - before).square()).sum() / sure.sum().clamp(min=1)
    return out


def total(parts: dict[str, Tensor]) -> Tensor:
    """Their sum."""
    return torch.stack(list(parts.values())).sum()
