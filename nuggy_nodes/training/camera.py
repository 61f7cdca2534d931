"""What a camera does to a scene: defocus, movement, light, noise, JPEG. All in one place, all from drawn numbers."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Camera:
    """blur: sigma of defocus, pixels (0: none); move: (length in pixels, direction in radians) of movement; gain: per
    channel; gamma; contrast; grey: share of colour lost; fall: vignetting at the corners; noise: standard deviation
    per unit of light and without light; sharpen: amount; quality: of JPEG (0: none)."""

    blur: float = 0.0
    move: tuple[float, float] = (0.0, 0.0)
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    contrast: float = 1.0
    grey: float = 0.0
    fall: float = 0.0
    noise: tuple[float, float] = (0.0, 0.0)
    sharpen: float = 0.0
    quality: int = 0
    seed: int = 0


def draw_camera(rng: np.random.Generator, lens: bool = True) -> Camera:
    """A camera by chance. lens: also defocus and movement (not for photographs, which have theirs)."""

    def sometimes(share: float, value: float) -> float:
        return value if rng.random() < share else 0.0

    gain = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3))
    return Camera(
        blur=sometimes(0.6, rng.uniform(0.3, 1.2))
        if lens and rng.random() < 0.9
        else sometimes(lens, rng.uniform(1, 3)),
        move=(sometimes(0.2 * lens, rng.uniform(2, 10)), rng.uniform(0, np.pi)),
        gain=(float(gain[0]), float(gain[1]), float(gain[2])),
        gamma=float(np.exp(rng.normal(0, 0.15))),
        contrast=float(np.exp(rng.normal(0, 0.12))),
        grey=1.0 if rng.random() < 0.06 else sometimes(0.3, rng.uniform(0, 0.6)),
        fall=sometimes(0.3, rng.uniform(0, 0.4)),
        noise=(sometimes(0.7, rng.uniform(0, 0.03)), sometimes(0.7, rng.uniform(0, 0.015))),
        sharpen=sometimes(0.3, rng.uniform(0, 0.8)),
        quality=int(rng.integers(25, 97)) if rng.random() < 0.6 else 0,
        seed=int(rng.integers(0, 2**62)),
    )


def focus(planes: Tensor, camera: Camera) -> Tensor:
    """[1,C,H,W], colours multiplied by their alpha beside it: defocused and moved. Sums of light are kept."""
    if camera.blur > 0:
        r = max(int(np.ceil(3 * camera.blur)), 1)
        x = torch.arange(-r, r + 1, device=planes.device, dtype=planes.dtype)
        kernel = torch.exp(-(x**2) / (2 * camera.blur**2))
        kernel = kernel / kernel.sum()
        planes = _filter(_filter(planes, kernel.view(1, -1)), kernel.view(-1, 1))
    length, direction = camera.move
    if length > 1:
        side = 2 * int(np.ceil(length / 2)) + 3
        line = np.zeros((side * 8, side * 8), np.float32)
        half = np.array([np.cos(direction), np.sin(direction)]) * length * 4
        middle = np.array([side * 4 - 0.5] * 2)
        ends = [tuple(int(v) for v in np.round(middle + s * half)) for s in (-1, 1)]
        cv2.line(line, ends[0], ends[1], (1.0,), 8)
        small = cv2.resize(line, (side, side), interpolation=cv2.INTER_AREA)
        planes = _filter(planes, torch.from_numpy(small / small.sum()).to(planes))
    return planes


def _filter(planes: Tensor, kernel: Tensor) -> Tensor:
    h, w = kernel.shape
    padded = F.pad(planes, (w // 2, w // 2, h // 2, h // 2), mode="replicate")
    return F.conv2d(padded.transpose(0, 1), kernel[None, None]).transpose(0, 1)


def expose(image: Tensor, camera: Camera) -> Tensor:
    """[1,3,H,W], 0..1, through light, noise, sharpening and JPEG; the result is 0..1 in steps of 8 bits."""
    _, _, h, w = image.shape
    x = image * image.new_tensor(camera.gain).view(1, 3, 1, 1)
    luma = (x * x.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(1, keepdim=True)
    x = torch.lerp(x, luma.expand_as(x), camera.grey)
    x = (x - 0.5) * camera.contrast + 0.5
    x = x.clamp(0, 1) ** camera.gamma
    if camera.fall:
        yy, xx = (torch.linspace(-1, 1, n, device=x.device) for n in (h, w))
        x = x * (1 - camera.fall * (yy[:, None] ** 2 + xx[None] ** 2) / 2)
    if camera.sharpen:
        x = x + camera.sharpen * (x - focus(x, Camera(blur=1.0)))
    if any(camera.noise):
        generator = torch.Generator(x.device).manual_seed(camera.seed)
        noise = torch.randn(x.shape, generator=generator, device=x.device)
        x = x + noise * (camera.noise[0] ** 2 * x.clamp(0, 1) + camera.noise[1] ** 2).sqrt()
    eight = (x.clamp(0, 1) * 255).round().to(torch.uint8)
    if camera.quality:
        pixels = eight[0].permute(1, 2, 0).cpu().numpy()[..., ::-1]
        _, stored = cv2.imencode(".jpg", np.ascontiguousarray(pixels), [cv2.IMWRITE_JPEG_QUALITY, camera.quality])
        back = cv2.imdecode(stored, cv2.IMREAD_COLOR)
        assert back is not None  # it was encoded a line above
        eight = torch.from_numpy(np.ascontiguousarray(back[..., ::-1])).permute(2, 0, 1)[None].to(x.device)
    return eight.float() / 255
