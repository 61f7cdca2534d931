"""The network that learns: its optimiser, its moving average, one step.

Batch norms are folded into the convolutions of the weights that are fine-tuned (core/convert.py), so there are none
here: the folded weights are trained, nothing is normalised by batch, and a batch of one trains as well as a large one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.func import functional_call

from ..core.network.precision import verdict
from ..core.network.weights import Network, build
from .loss import losses, total
from .mix import Run
from .rounding import rounded
from .scene import Batch, reduced

PARTS = ("deep", "l1", "edge", "keep")
ENCODER = ("conv_in", *(f"stage{i}." for i in range(1, 7)))
MOMENTS = ("exp_avg", "exp_avg_sq")


def _has_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 (NVIDIA from Ampere on, compute capability 8.0), not an emulation."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and verdict().bfloat16


class Learner:
    """A copy of `original` that is trained as `run` says, in float32, with bfloat16 arithmetic where that is fast.

    `ema` is the moving average of its weights: what is measured and exported.
    """

    def __init__(self, original: Network, run: Run):
        self.original, self.run, self.updates = original, run, 0
        self.model = build({k: v.clone() for k, v in original.model.state_dict().items()}, original.path)
        self.model.requires_grad_(True).train()
        self.ema = {k: v.detach().clone() for k, v in self.model.named_parameters()}
        self.optimiser = self._optimiser()

    def _optimiser(self) -> torch.optim.Optimizer:
        named = list(self.model.named_parameters())
        encoder = [p for n, p in named if n.startswith(ENCODER)]
        rest = [p for n, p in named if not n.startswith(ENCODER)]
        for p in encoder:
            p.requires_grad_(self.run.encoder_rate > 0)
        groups = [{"params": rest, "share": 1.0}]
        if self.run.encoder_rate > 0:
            groups.append({"params": encoder, "share": self.run.encoder_rate})
        return torch.optim.AdamW(groups, lr=self.run.rate, weight_decay=0.0)

    def rate(self, step: int) -> float:
        """The learning rate at a step: a linear warm-up, then half a cosine down to a twentieth."""
        up = min((step + 1) / max(self.run.warm_up, 1), 1.0)
        down = max(step - self.run.warm_up, 0) / max(self.run.steps - self.run.warm_up, 1)
        return self.run.rate * up * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(down, 1))))

    def losses(self, batch: Batch, weights: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """The parts of the loss on a batch; weights: others than the model's."""
        device, info = batch.image.device, self.original.info
        mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (info.mean, info.std))
        x = ((batch.image - mean) / std).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=_has_bfloat16(device)):
            sides, _ = functional_call(self.model, weights or {}, (x,), {"sides": True})
            before = None
            if self.run.keep and bool(batch.keep.any()):
                with torch.no_grad():
                    before = self.original.model(x[batch.keep])
        return losses(sides, batch.alpha, batch.trust, self.run, before, batch.keep)

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the optimiser, number `step` from 0 on; returns its figures. One without a finite loss or
        gradient changes nothing."""
        self.optimiser.zero_grad(set_to_none=True)
        if self.run.sizes:
            batch = reduced(batch, self.run.sizes[step % len(self.run.sizes)])
        late = step >= self.run.steps - self.run.round_last
        parts = self.losses(batch, rounded(self.model) if late else None)
        loss = total(parts)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.run.clip)
        rate = self.rate(step)
        row = {"loss": float(loss.detach()), **{k: float(v.detach()) for k, v in parts.items()}}
        if math.isfinite(row["loss"]) and bool(torch.isfinite(norm)):
            for group in self.optimiser.param_groups:
                group["lr"] = rate * group["share"]
            self.optimiser.step()
            self.updates += 1
            decay = min(self.run.decay, (1 + self.updates) / (10 + self.updates))
            with torch.no_grad():
                for name, value in self.model.named_parameters():
                    self.ema[name].lerp_(value, 1 - decay)
        return {**row, "gradient": float(norm), "rate": rate}

    # --- what goes to disk ---

    def tensors(self) -> dict[str, Tensor]:
        """All tensors of a run: weights, their moving average, and Adam's two moments of each weight."""
        out = {f"model.{k}": v for k, v in self.model.named_parameters()} | {f"ema.{k}": v for k, v in self.ema.items()}
        for name, value in self.model.named_parameters():
            for key in MOMENTS:
                if value in self.optimiser.state:
                    out[f"{key}.{name}"] = self.optimiser.state[value][key]
        return out

    def restore(self, tensors: dict[str, Tensor], updates: int) -> None:
        """Put them back. updates: how many steps Adam has made."""
        self.updates = updates
        for name, value in self.model.named_parameters():
            value.data.copy_(tensors[f"model.{name}"])
            self.ema[name].copy_(tensors[f"ema.{name}"])
            if f"{MOMENTS[0]}.{name}" in tensors:  # copied into the weight's own memory layout
                moments = {k: torch.empty_like(value).copy_(tensors[f"{k}.{name}"]) for k in MOMENTS}
                self.optimiser.state[value] = {"step": torch.tensor(float(updates)), **moments}
