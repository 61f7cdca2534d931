"""Nuggy's nodes around ComfyUI's own encoders, samplers and decoders, with small models of random weights.

A random model paints noise, which is all that is asked: where it paints, and that the subject comes back. Which way
round a mask is read is asked of the latents before and after the sampler, not of a socket's name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from . import install, workflows
from .prompts import Prompt
from .server import REPOSITORY, Server

PLAIN, INPAINTING = "tiny.safetensors", "tiny-inpainting.safetensors"


def tree() -> Path:
    root = os.environ.get("NUGGY_COMFYUI")
    return Path(root) if root else install.server() / "ComfyUI"


@pytest.fixture(scope="module")
def painter(server: Server) -> Server:
    """The server with two checkpoints and an autoencoder to load."""
    build = Path(__file__).with_name("models.py")
    python = os.environ.get("NUGGY_COMFYUI_PYTHON") or sys.executable
    subprocess.run([python, str(build), str(tree()), str(server.base / "models")], check=True)
    return server


@pytest.fixture(scope="module")
def subject(photo: np.ndarray) -> np.ndarray:
    """A disc with a soft edge and two strands, as an 8-bit alpha [H,W] for the photo."""
    height, width = photo.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    far = np.hypot(y - height * 0.55, x - width * 0.45)
    alpha = np.clip((height * 0.28 - far) / 9 + 0.5, 0, 1)
    strands = (np.abs(y - height * 0.5) < 1) | (np.abs(y - x * 0.7) < 1.2)
    return (np.maximum(alpha, strands & (far < height * 0.45)) * 255).round().astype(np.uint8)


def loaded(p: Prompt, server: Server, photo: np.ndarray, subject: np.ndarray) -> tuple[str, str]:
    """The photo and its mask (1 = subject): Load Image reads a picture's alpha as 1 where it is transparent."""
    image = p.add("LoadImage", image=server.upload("photo.png", photo))
    cut = p.add("LoadImage", image=server.upload("cut.png", np.dstack((photo, subject))))
    return image, p.add("InvertMask", mask=(cut, 1))


def sampled(p: Prompt, model: Any, positive: Any, negative: Any, latent: Any, **changes: Any) -> str:
    usual = {"seed": 3, "steps": 2, "cfg": 1.5, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    return p.add("KSampler", model=model, positive=positive, negative=negative, latent_image=latent, **usual | changes)


ROUTES = {
    "set-latent-noise-mask": (PLAIN, {}),
    "cells-repainted": (PLAIN, {"edge_cells": "repaint"}),
    "encode-for-inpaint": (PLAIN, {"fill": "subject"}),
    "inpaint-model": (INPAINTING, {"long_side": 256}),
    "differential-diffusion": (PLAIN, {"fill": "original", "feather": 32}),
}


@pytest.mark.parametrize("route", list(ROUTES))
def test_the_background_is_painted_and_the_subject_is_the_photographs(
    painter: Server, photo: np.ndarray, subject: np.ndarray, route: str
) -> None:
    checkpoint, settings = ROUTES[route]
    p = Prompt()
    image, mask = loaded(p, painter, photo, subject)
    ready = p.add("NuggyPrepareInpaint", image=image, mask=mask, **settings)
    model = p.add("CheckpointLoaderSimple", ckpt_name=checkpoint)
    texts = [p.add("CLIPTextEncode", clip=(model, 1), text=t) for t in ("a beach", "")]
    vae, guide = p.add("VAELoader", vae_name="tiny.safetensors"), [model, 0]
    if route == "encode-for-inpaint":
        before = p.add("VAEEncodeForInpaint", pixels=ready, vae=vae, mask=(ready, 1), grow_mask_by=0)
        latent: Any = before
    elif route == "inpaint-model":
        before = p.add("InpaintModelConditioning", positive=texts[0], negative=texts[1], vae=vae, pixels=ready,
                       mask=(ready, 1), noise_mask=True)  # fmt: skip
        texts, latent = [(before, 0), (before, 1)], (before, 2)
    else:
        before = p.add("VAEEncode", pixels=ready, vae=vae)
        latent = p.add("SetLatentNoiseMask", samples=before, mask=(ready, 1))
    if route == "differential-diffusion":
        guide = p.add("DifferentialDiffusion", model=(model, 0), strength=1.0)
    done = sampled(p, guide, *texts, latent, steps=4 if route == "differential-diffusion" else 2)
    decoded = p.add("VAEDecode", samples=done, vae=(model, 2))
    back = p.add("NuggyPasteBack", stitch=(ready, 2), painted=decoded)
    save = p.add("SaveImage", images=back, filename_prefix=f"chained-{route}")
    spoilt = p.add("SaveImage", images=decoded, filename_prefix=f"decoded-{route}")
    masks = p.add("SaveImage", images=p.add("MaskToImage", mask=(ready, 1)), filename_prefix=f"mask-{route}")
    kept = [p.add("SaveLatent", samples=s, filename_prefix=f"{route}-{n}")
            for n, s in (("before", latent), ("after", done))]  # fmt: skip
    ran = painter.run(p)
    assert not ran.error, ran.error

    # the picture
    made = painter.picture(ran.outputs[save]["images"][0])
    assert made.shape == photo.shape
    assert np.array_equal(made[subject == 255], photo[subject == 255])
    decoded_picture = painter.picture(ran.outputs[spoilt]["images"][0])
    if decoded_picture.shape == photo.shape:  # the model's own subject is far off: pasting back is what restores it
        assert np.abs(decoded_picture.astype(int) - photo)[subject == 255].mean() > 10
    change = np.abs(made.astype(int) - photo).mean(-1)
    assert np.mean(change[subject == 0] > 5) > 0.9

    # the latents: 0 is kept, 1 is painted
    found = [latent_of(painter, ran.outputs[k]) for k in kept]
    grid = painter.picture(ran.outputs[masks]["images"][0])[::8, ::8, 0]
    assert grid.shape == found[0].shape[-2:] and {0, 255} <= set(np.unique(grid))
    moved = np.abs(found[1] - found[0]).mean(0)
    if route != "differential-diffusion":  # its last step takes in every cell: see below
        assert moved[grid == 0].max() < 1e-4 * np.abs(found[0]).mean()
    assert np.median(moved[grid == 255]) > 0.05 * np.abs(found[0]).mean()


def latent_of(server: Server, said: dict[str, Any]) -> np.ndarray:
    """What SaveLatent wrote, [C,h,w]."""
    from safetensors.numpy import load_file

    (entry,) = said["latents"]
    return load_file(server.base / "output" / entry["subfolder"] / entry["filename"])["latent_tensor"][0]


def test_a_large_photograph_is_painted_small_and_pasted_large(
    painter: Server, photo: np.ndarray, subject: np.ndarray
) -> None:
    """A crop around the subject, at a working size; outside of it, the photograph bit for bit."""
    from nuggy_nodes.core.inpaint.plan_crop import plan_crop

    large = photo.repeat(3, 0).repeat(3, 1)
    p = Prompt()
    image, mask = loaded(p, painter, large, subject.repeat(3, 0).repeat(3, 1))
    ready = p.add("NuggyPrepareInpaint", image=image, mask=mask, crop="subject", margin=0.05,
                  long_side=256, multiple="64")  # fmt: skip
    model = p.add("CheckpointLoaderSimple", ckpt_name=PLAIN)
    text = p.add("CLIPTextEncode", clip=(model, 1), text="")
    latent = p.add("SetLatentNoiseMask", samples=p.add("VAEEncode", pixels=ready, vae=(model, 2)), mask=(ready, 1))
    done = p.add("VAEDecode", samples=sampled(p, model, text, text, latent), vae=(model, 2))
    save = p.add("SaveImage", images=p.add("NuggyPasteBack", stitch=(ready, 2), painted=done), filename_prefix="large")
    seen = p.add("SaveImage", images=done, filename_prefix="seen")
    ran = painter.run(p)
    assert not ran.error, ran.error
    small = painter.picture(ran.outputs[seen]["images"][0])
    assert max(small.shape) == 256 and small.shape[0] % 64 == 0 == small.shape[1] % 64
    made = painter.picture(ran.outputs[save]["images"][0])
    solid = subject.repeat(3, 0).repeat(3, 1) == 255
    assert made.shape == large.shape and np.array_equal(made[solid], large[solid])
    alpha = torch.from_numpy(subject.repeat(3, 0).repeat(3, 1) / np.float32(255))[None, None]
    rows, columns = plan_crop(alpha, "subject", 0.05, 256, 64).inside()
    changed = (made != large).any(-1)
    inside = np.zeros_like(changed)
    inside[rows, columns] = True
    clear = (alpha[0, 0] == 0).numpy()
    assert not changed[~inside].any() and (~inside).mean() > 0.1 and changed[inside & clear].mean() > 0.5


def test_frames_of_a_video(painter: Server, photo: np.ndarray, subject: np.ndarray) -> None:
    """Three frames with a mask each through Steady Mask, the sampler and back: each subject is its own frame's."""
    p = Prompt()
    frames, cuts = [], []
    for i in range(3):
        shifted, moved = np.roll(photo, 8 * i, 1), np.roll(subject, 8 * i, 1)
        image, mask = loaded(p, painter, shifted, moved)
        p[image]["inputs"]["image"] = painter.upload(f"frame-{i}.png", shifted)
        p[p[mask]["inputs"]["mask"][0]]["inputs"]["image"] = painter.upload(f"cut-{i}.png", np.dstack((shifted, moved)))
        frames.append(image)
        cuts.append(p.add("MaskToImage", mask=mask))
    batches = []
    for three in (frames, cuts):
        two = p.add("ImageBatch", image1=three[0], image2=three[1])
        batches.append(p.add("ImageBatch", image1=two, image2=three[2]))
    mask = p.add("NuggySteadyMask", image=batches[0], mask=p.add("ImageToMask", image=batches[1], channel="red"))
    ready = p.add("NuggyPrepareInpaint", image=batches[0], mask=mask, crop="subject", follow=True, long_side=128)
    model = p.add("CheckpointLoaderSimple", ckpt_name=PLAIN)
    text = p.add("CLIPTextEncode", clip=(model, 1), text="")
    latent = p.add("SetLatentNoiseMask", samples=p.add("VAEEncode", pixels=ready, vae=(model, 2)), mask=(ready, 1))
    done = p.add("VAEDecode", samples=sampled(p, model, text, text, latent), vae=(model, 2))
    save = p.add("SaveImage", images=p.add("NuggyPasteBack", stitch=(ready, 2), painted=done), filename_prefix="video")
    ran = painter.run(p)
    assert not ran.error, ran.error
    made = [painter.picture(f) for f in ran.outputs[save]["images"]]
    assert len(made) == 3
    for i, one in enumerate(made):
        solid = np.roll(subject, 8 * i, 1) == 255
        shifted = np.roll(photo, 8 * i, 1)
        assert np.mean(one[solid] == shifted[solid]) > 0.98  # steadying may soften a strand's pixel
        assert np.abs(one.astype(int) - shifted).max() > 50


# --- the example workflow


def as_prompt(graph: dict[str, Any], server: Server) -> Prompt:
    """A workflow file of the page as a prompt of the API: links by name, the widgets' values in the inputs' order."""
    links = {link[0]: (str(link[1]), link[2]) for link in graph["links"]}
    p = Prompt()
    for node in graph["nodes"]:
        if node["type"] == "MarkdownNote":
            continue
        values, inputs = list(node.get("widgets_values") or []), {}
        for given in node["inputs"]:
            value = values.pop(0) if "widget" in given else None
            if "widget" in given and given["name"] in ("seed", "noise_seed"):
                values.pop(0)  # what the page does to the seed after a run
            if given.get("link") is not None:
                inputs[given["name"]] = list(links[given["link"]])
            elif "widget" in given:
                inputs[given["name"]] = value
        p[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return p


def test_example_workflow_runs_as_it_is_shipped(painter: Server, photo: np.ndarray) -> None:
    """The file of example_workflows/, all of its nodes; only the checkpoint's name and the steps are others."""
    path = REPOSITORY / "example_workflows" / f"{workflows.inpaint_background().name}.json"
    p = as_prompt(json.loads(path.read_text(encoding="utf-8")), painter)
    kinds = {n["class_type"]: k for k, n in p.items()}
    p[kinds["LoadImage"]]["inputs"]["image"] = painter.upload("kitten.png", photo)
    p[kinds["CheckpointLoaderSimple"]]["inputs"]["ckpt_name"] = INPAINTING
    p[kinds["NuggyTTAMask"]]["inputs"] |= {"views": "custom", "custom_views": "320"}
    p[kinds["KSampler"]]["inputs"]["steps"] = 2
    p[kinds["NuggyPrepareInpaint"]]["inputs"]["long_side"] = 256
    subject = p.add("SaveImage", images=p.add("MaskToImage", mask=(kinds["IslandRemove"], 0)), filename_prefix="own")
    ran = painter.run(p)
    assert not ran.error, ran.error
    made = painter.picture(ran.outputs[kinds["SaveImage"]]["images"][0]).astype(int)
    alpha = painter.picture(ran.outputs[subject]["images"][0])[..., 0]
    difference = np.abs(made - photo).max(-1)
    assert (alpha == 255).mean() > 0.05
    assert difference[alpha == 255].max() <= 1  # 255 here is 254.5 and more: nearly, not wholly, the subject
    assert np.mean(difference[alpha == 0] > 5) > 0.9


# --- ComfyUI's own functions on our tensors


@pytest.fixture(scope="module")
def core() -> Any:
    """ComfyUI's modules in this process."""
    sys.path.append(str(tree()))
    import comfy.cli_args

    comfy.cli_args.args.cpu = True
    import comfy.utils
    import nodes

    yield nodes, comfy.utils
    sys.path.remove(str(tree()))


class Glass:
    """In place of an autoencoder: what it is given is what it gives, so that a test sees what would be encoded."""

    downscale_ratio = 8

    def spacial_compression_encode(self) -> int:
        return 8

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.clone()


def ready(subject: np.ndarray, photo: np.ndarray, **settings: Any) -> tuple[Any, torch.Tensor, torch.Tensor]:
    from nuggy_nodes.core import prepare_inpainting

    image = torch.from_numpy(photo.astype(np.float32) / 255).movedim(-1, 0)[None]
    alpha = torch.from_numpy(subject.astype(np.float32) / 255)[None, None]
    made = prepare_inpainting(image, alpha, **settings)
    return made, made.image.movedim(1, -1), made.mask[:, 0]


@pytest.mark.parametrize("feather", [0, 24])
def test_noise_mask_on_the_latent_grid(core: Any, photo: np.ndarray, subject: np.ndarray, feather: int) -> None:
    """SetLatentNoiseMask, then the sampler's own resizing: no cell with a part of the solid subject is touched."""
    nodes, utils = core
    made, _, mask = ready(subject, photo, feather=feather)
    h, w = made.stitch.crop.size
    (latent,) = nodes.SetLatentNoiseMask().set_mask({"samples": torch.zeros(1, 4, h // 8, w // 8)}, mask)
    cells = utils.reshape_mask(latent["noise_mask"], (1, 4, h // 8, w // 8))
    alpha = made.stitch.crop.cut(made.stitch.alpha, "zeros")
    solid = torch.nn.functional.max_pool2d((alpha >= 0.95).float(), 8) > 0
    clear = torch.nn.functional.max_pool2d((alpha >= 0.05).float(), 8 * 9, 8, 32)[..., : h // 8, : w // 8] == 0
    assert solid.sum() > 20 and cells[solid.expand_as(cells)].max() == 0
    assert clear.sum() > 20 and cells[clear.expand_as(cells)].min() == 1


def test_encode_for_inpaint_blanks_the_background_and_nothing_else(
    core: Any, photo: np.ndarray, subject: np.ndarray
) -> None:
    nodes, _ = core
    _, image, mask = ready(subject, photo)
    (latent,) = nodes.VAEEncodeForInpaint().encode(Glass(), image, mask, grow_mask_by=0)
    assert torch.allclose(latent["samples"][mask == 1], torch.tensor(0.5))
    assert torch.allclose(latent["samples"][mask == 0], image[mask == 0])
    assert torch.equal(latent["noise_mask"][:, 0], mask)
    (grown,) = nodes.VAEEncodeForInpaint().encode(Glass(), image, mask, grow_mask_by=6)
    assert (grown["noise_mask"][:, 0] - mask)[mask == 0].max() == 1  # why the help asks for 0: 6 reaches the subject


def test_inpaint_model_conditioning_shows_the_subject_only(core: Any, photo: np.ndarray, subject: np.ndarray) -> None:
    nodes, _ = core
    _, image, mask = ready(subject, photo)
    text = [[torch.zeros(1, 1, 8), {}]]
    positive, _, latent = nodes.InpaintModelConditioning().encode(text, text, image, Glass(), mask)
    shown = positive[0][1]["concat_latent_image"]
    assert torch.allclose(shown[mask == 1], torch.tensor(0.5)) and torch.allclose(shown[mask == 0], image[mask == 0])
    assert torch.equal(positive[0][1]["concat_mask"][:, 0], mask) and torch.equal(latent["noise_mask"][:, 0], mask)
    assert torch.equal(latent["samples"], image)


def test_differential_diffusion_paints_ones_first_and_the_subject_not_before_its_last_step(
    core: Any, photo: np.ndarray, subject: np.ndarray
) -> None:
    """A feathered mask by the real node and a real schedule: ones from the first step on, the ramp by and by. In the
    last step that node counts every cell in, zeros too, with what little noise is left: Paste Back mends that."""
    _, utils = core
    import comfy.model_sampling
    import comfy.samplers
    from comfy_extras.nodes_differential_diffusion import DifferentialDiffusion

    made, _, mask = ready(subject, photo, fill="original", feather=32)
    h, w = made.stitch.crop.size
    cells = utils.reshape_mask(mask[:, None], (1, 4, h // 8, w // 8))
    sampling = comfy.model_sampling.ModelSamplingDiscrete()
    sigmas = comfy.samplers.calculate_sigmas(sampling, "normal", 10)
    model = SimpleNamespace(inner_model=SimpleNamespace(model_sampling=sampling))
    steps = [
        DifferentialDiffusion.forward(s[None], cells, {"model": model, "sigmas": sigmas}, 1.0) for s in sigmas[:-1]
    ]
    assert torch.equal(steps[0], (cells == 1).float()) and 0 < steps[0].mean() < 1
    ramp = (cells > 0) & (cells < 1)
    assert ramp.sum() > 100
    painted = [float(s[ramp].mean()) for s in steps]
    assert painted == sorted(painted) and painted[0] == 0 and painted[-1] == 1 and 0.2 < painted[5] < 0.8
    assert all(s[cells == 0].max() == 0 for s in steps[:-1])
