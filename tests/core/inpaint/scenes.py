"""A subject over loud blotches, and models that paint a new background."""

from __future__ import annotations

import torch


def scene(height=120, width=152, seed=0, frames=1):
    """A textured subject with a soft edge and a whisker over loud blotches: image, alpha, foreground."""
    g = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    alphas, fronts, images = [], [], []
    for i in range(frames):
        at = width * (0.4 + 0.1 * i)
        far = ((y - height * 0.5) ** 2 + (x - at) ** 2).sqrt()
        alpha = ((height * 0.25 - far) / 7 + 0.5).clamp(0, 1)
        whisker = ((y - height * 0.5).abs() < 1) & (x > at) & (x < at + height * 0.4)
        alpha = torch.maximum(alpha, whisker * 0.9)
        front = 0.5 + 0.3 * torch.stack([torch.sin(x / 9), torch.cos(y / 11), torch.sin((x + y) / 13)])
        back = torch.rand(1, 3, -(-height // 24), -(-width // 24), generator=g)
        back = torch.nn.functional.interpolate(back, size=(height, width), mode="bicubic").clamp(0, 1)[0]
        alphas.append(alpha[None])
        fronts.append(front)
        images.append(front * alpha + back * (1 - alpha))
    return torch.stack(images), torch.stack(alphas), torch.stack(fronts)


def new_background(height, width, frames=1):
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([0.2 + 0.6 * x, 0.8 - 0.5 * y, 0.3 + 0.4 * x * y])[None].repeat(frames, 1, 1, 1)


def perfect(prepared, background):
    """What it may repaint is the background; what it may not it gives back as it was."""
    return torch.lerp(prepared.image, background.expand_as(prepared.image), prepared.mask)


def blob(height, width, top, bottom, left, right):
    """An alpha that is 1 in a box."""
    alpha = torch.zeros(1, 1, height, width)
    alpha[..., top:bottom, left:right] = 1
    return alpha
