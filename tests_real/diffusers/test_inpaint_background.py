"""examples/inpaint_background.py with real inpainting pipelines of the diffusers library, small and of random weights.

pip install -e '.[test,diffusers]' && python -m pytest tests_real/diffusers
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionInpaintPipeline, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from nuggy_nodes.core import paste_back, prepare_inpainting

ROOT = Path(__file__).parents[2]
WIDTH = 32  # of the text


def load_example():
    spec = importlib.util.spec_from_file_location("inpaint_background", ROOT / "examples" / "inpaint_background.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


example = load_example()


def tiny(channels: int, tokenizer=None, text_encoder=None) -> StableDiffusionInpaintPipeline:
    """A pipeline from its own classes: `channels` 9 is an inpainting model, 4 an ordinary one."""
    torch.manual_seed(5)
    unet = UNet2DConditionModel(
        sample_size=16, in_channels=channels, out_channels=4, layers_per_block=1, block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH, attention_head_dim=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(32, 32, 32, 32), latent_channels=4, sample_size=128, norm_num_groups=16,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    with torch.no_grad():  # a variance of zero, so that a picture has one latent
        vae.quant_conv.weight[4:], vae.quant_conv.bias[4:] = 0, -60
    pipeline = StableDiffusionInpaintPipeline(
        vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=DDIMScheduler(steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def asked(seed: int = 0) -> dict:
    g = torch.Generator().manual_seed(seed)
    words = torch.randn(2, 1, 7, WIDTH, generator=g)
    return {"prompt_embeds": words[0], "negative_prompt_embeds": words[1], "num_inference_steps": 2, "generator": g}


@pytest.fixture(scope="module")
def photograph() -> torch.Tensor:
    with Image.open(ROOT / "samples" / "kitten-on-lawn.jpg") as f:
        picture = f.convert("RGB").resize((331, 233), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="module")
def alpha(photograph) -> torch.Tensor:
    """A disc with a soft edge and a strand."""
    height, width = photograph.shape[-2:]
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    disc = ((70 - ((y - 120) ** 2 + (x - 150) ** 2).sqrt()) / 9 + 0.5).clamp(0, 1)
    strand = (((y - 90).abs() < 1.5) & (x > 150) & (x < 270)).float()
    return torch.maximum(disc, strand)[None, None]


@pytest.mark.parametrize("channels", [4, 9])
@pytest.mark.parametrize("settings", [{"long_side": 128}, {"crop": "subject", "multiple": 64}], ids=["whole", "crop"])
def test_subject_is_the_photographs_and_the_background_is_not(photograph, alpha, channels, settings):
    prepared = prepare_inpainting(photograph, alpha, **settings)
    painted = example.repaint(tiny(channels), prepared, **asked())
    assert painted.shape == prepared.image.shape
    picture, _ = paste_back(prepared.stitch, painted)
    solid = (alpha == 1).expand_as(photograph)
    assert torch.equal(picture[solid], photograph[solid])
    rows, columns = prepared.stitch.crop.inside()
    clear = (alpha == 0)[..., rows, columns].expand(-1, 3, -1, -1)
    assert ((picture - photograph)[..., rows, columns][clear].abs() > 1 / 255).float().mean() > 0.6


@pytest.mark.parametrize("cells", ["keep", "repaint"])
def test_ones_are_painted_and_zeros_kept_in_the_latents(photograph, alpha, cells):
    """An ordinary model: two runs with other noise and other words agree where the mask is 0, and only there."""
    prepared = prepare_inpainting(photograph, alpha, long_side=128, cells=cells)
    height, width = prepared.image.shape[-2:]
    pipeline = tiny(4)
    runs = [
        pipeline(image=prepared.image, mask_image=prepared.mask, height=height, width=width, output_type="latent",
                 **asked(seed)).images for seed in (1, 2)
    ]  # fmt: skip
    moved = (runs[0] - runs[1]).abs().mean(1)[0]
    grid = prepared.mask[0, 0, ::8, ::8]
    assert 10 < int((grid == 0).sum()) < grid.numel() - 10
    assert moved[grid == 0].max() < 1e-5 and moved[grid == 1].min() > 1e-3
    solid = torch.nn.functional.max_pool2d((prepared.stitch.crop.cut(alpha, "zeros") >= 0.95).float(), 8)[0, 0] > 0
    if cells == "keep":
        assert moved[solid].max() < 1e-5  # no cell with any of the solid subject


def test_an_inpainting_model_is_shown_the_mask_and_nothing_of_the_old_background(photograph, alpha):
    """What its network is given: the mask in the fifth channel; behind it the encoded picture, which another background
    hardly changes. Without the fill it does, though the pipeline blanks what it repaints: kept cells show it."""
    seen = []
    pipeline = tiny(9)
    pipeline.unet.register_forward_pre_hook(lambda _, given: seen.append(given[0].clone()))
    other = torch.where(alpha > 0, photograph, 1 - photograph)  # the same pixels at soft edges
    change = {}
    for fill in ("neutral", "original"):
        given = []
        for picture in (photograph, other):
            prepared = prepare_inpainting(picture, alpha, long_side=128, fill=fill)
            seen.clear()
            example.repaint(pipeline, prepared, **asked())
            assert torch.equal(seen[0][0, 4], prepared.mask[0, 0, ::8, ::8])
            given.append(seen[0][0, 5:])
        change[fill] = float((given[0] - given[1]).abs().mean() / given[0].std())
    print("change of the encoded picture with another background:", change)
    assert change["neutral"] < 0.5 * change["original"], change


def test_the_script_from_a_file_to_a_file(tmp_path):
    """main(): a model's folder, a photograph, a prompt in words."""
    folder = tmp_path / "words"
    folder.mkdir()
    letters = [chr(c) for c in range(33, 127)]
    words = [*letters, *(c + "</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer.from_pretrained(folder, model_max_length=16)
    text = CLIPTextModel(CLIPTextConfig(
        vocab_size=len(words), hidden_size=WIDTH, intermediate_size=37, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=16, bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
    ))  # fmt: skip
    tiny(9, tokenizer, text).save_pretrained(tmp_path / "model")
    with Image.open(ROOT / "samples" / "kitten-on-lawn.jpg") as f:
        f.convert("RGB").resize((480, 336)).save(tmp_path / "photo.png")

    given = ["--model", str(tmp_path / "model"), "--prompt", "a beach", "--long-side", "192", "--steps", "2"]
    target = example.main([str(tmp_path / "photo.png"), *given, "--recipe", "fast"])
    before, after = (np.asarray(Image.open(p)).astype(int) for p in (tmp_path / "photo.png", target))
    assert target.name == "photo-repainted.png" and after.shape == before.shape
    alpha = example.cutout(example.read(tmp_path / "photo.png"), example.load(), "fast").alpha[0, 0].numpy()
    assert (alpha == 1).mean() > 0.05 and np.array_equal(after[alpha == 1], before[alpha == 1])
    assert np.mean(np.abs(after - before).max(-1)[alpha == 0] > 3) > 0.8
