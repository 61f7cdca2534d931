"""Small diffusion models of random weights in files that ComfyUI loads: python tests/comfyui/models.py TREE FOLDER

Run by the tests in ComfyUI's environment, with its tree as the first argument. A UNet of Stable Diffusion 1's kind is
recognised by its 320 channels and the 768 of its text alone, so one level with one block of each sort will do; the
autoencoder is TAESD's, which loads by its keys; the text model is CLIP-L, whose size ComfyUI does not take from the
file. The second argument is the folder `models` to write to:

    checkpoints/tiny.safetensors              4 channels in: an ordinary model
    checkpoints/tiny-inpainting.safetensors   9 channels in: an inpainting model
    vae/tiny.safetensors                      the autoencoder alone
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

UNET = {
    "image_size": 32, "out_channels": 4, "model_channels": 320, "num_res_blocks": [1], "channel_mult": [1],
    "transformer_depth": [1], "transformer_depth_output": [1, 1], "transformer_depth_middle": 1, "num_heads": 8,
    "context_dim": 768, "use_spatial_transformer": True, "legacy": False,
}  # fmt: skip


def filled(module: Any, generator: Any) -> dict[str, Any]:
    """The module's weights, drawn anew: matrices to keep the size of what goes through, norms near 1, offsets small."""
    import torch

    out = {}
    for name, value in module.state_dict().items():
        if not value.is_floating_point():
            out[name] = value
        elif value.ndim < 2:
            about = 1.0 if "norm" in name or name.endswith((".0.weight", "vae_scale")) else 0.0
            out[name] = torch.full_like(value, about) + 0.02 * torch.randn(value.shape, generator=generator)
        else:
            spread = (1.0 / value[0].numel()) ** 0.5
            out[name] = spread * torch.randn(value.shape, generator=generator)
    return out


def build(models: Path) -> None:
    import comfy.sd1_clip
    import comfy.taesd.taesd
    import torch
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(11)
    vae = filled(comfy.taesd.taesd.TAESD(), generator)
    vae["vae_scale"], vae["vae_shift"] = torch.tensor(1.0), torch.tensor(0.0)
    text = filled(comfy.sd1_clip.SDClipModel(device="cpu", dtype=torch.float32), generator)
    text = {k: v.half() if v.is_floating_point() else v for k, v in text.items()}
    for folder in ("checkpoints", "vae"):
        (models / folder).mkdir(parents=True, exist_ok=True)
    save_file(vae, models / "vae" / "tiny.safetensors")
    for name, channels in (("tiny", 4), ("tiny-inpainting", 9)):
        unet = filled(UNetModel(in_channels=channels, **UNET), generator)
        parts = {"model.diffusion_model.": unet, "first_stage_model.": vae, "cond_stage_model.": text}
        whole = {start + k: v.contiguous() for start, part in parts.items() for k, v in part.items()}
        save_file(whole, models / "checkpoints" / f"{name}.safetensors")


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    import comfy.cli_args

    comfy.cli_args.args.cpu = True
    build(Path(sys.argv[2]))
