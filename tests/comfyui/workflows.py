"""The example workflows as prompts, with a place and a title for every node and a note for the reader.

The page shows no description of a pack's template and offers them as the folder lists them: their names say what they
do, and the one to begin with comes first by name.

`draw.py` turns them into the files of example_workflows/ and subgraphs/, in ComfyUI's own page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .prompts import Prompt, extend

PICTURE = "example.png"  # every ComfyUI has it; the reader chooses a picture of their own
SIZES = {
    "LoadImage": (280, 320), "LoadImageMask": (280, 340),
    "NuggyLoader": (280, 90), "NuggyTTAMask": (300, 360), "GuidedFilterRefine": (300, 220),
    "IslandRemove": (300, 280), "NuggyComposite": (300, 180), "SaveImage": (340, 340), "MaskPreview": (280, 280),
    "PreviewImage": (300, 320), "NuggyPrepareInpaint": (300, 300), "NuggyPasteBack": (240, 60),
    "CheckpointLoaderSimple": (320, 100), "CLIPTextEncode": (320, 120), "InpaintModelConditioning": (280, 140),
    "KSampler": (280, 270), "VAEDecode": (240, 60), "LoadImageDataSetFromFolder": (280, 60),
    "ImageCompare": (420, 460), "ThresholdMask": (240, 60), "GrowMask": (240, 90),
}  # fmt: skip


@dataclass
class Workflow:
    """name: of the file; prompt; at: the place of every node; note: for the reader, and its place; titles and
    properties by node."""

    name: str
    prompt: Prompt
    at: dict[str, tuple[int, int]]
    note: str = ""
    note_at: tuple[int, int] = (660, 420)
    titles: dict[str, str] = field(default_factory=dict)
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)


def _line(ids: dict[str, str], x: int, loader: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """The four nodes that work and Save Image from left to right, the loader where it is told."""
    kinds = ("NuggyTTAMask", "GuidedFilterRefine", "IslandRemove", "NuggyComposite", "SaveImage")
    return {ids["NuggyLoader"]: loader, **{ids[k]: (x + 340 * i, 0) for i, k in enumerate(kinds)}}


BEST = {"NuggyLoader": {"precision": "auto"}, "NuggyTTAMask": {"views": "balanced", "custom_views": "1024 1024f"}}
CUT_OUT = """Choose a picture and run. The cut-out is saved as a PNG with transparency.

A veil of background left: raise **black** in Guided Filter Refine. The subject see-through: lower **white**. A detached
part missing: lower **min area** in Island Remove.

Only what comes after a moved slider runs again."""
FOLDER = """Put your pictures into a folder inside ComfyUI's **input** folder, press R, choose it at the left and run.
Each picture is cut out by itself, at its own size, and saved.

Frames of a video, all of one size, may come as a batch instead: connect any node that gives them."""
COMPARE = """Choose a picture and run; then move the line in the picture at the right: before on one side, after on the
other. *Compare Images* came to ComfyUI in January 2026 and shows its picture with Nodes 2.0 only; without, delete it
and look at the saved picture."""
REFINE = """Connect your own mask in place of **Any mask** at the left: from Remove Background, SAM, a brush, a file.
What stands there is only an example, a mask that is much too coarse.

The mask takes its edges from the picture. It must be 1 on the subject; if it is 1 on the background, put Invert Mask
between. An empty mask is said on the node."""
STROKES = """Choose a picture in both nodes at the left and run. Where the network missed a part: right-click the upper
picture, open the mask editor, paint a short stroke over that part, save, run. What does not belong: a stroke over it in
the lower one. A stroke spreads to what looks like it; only a little runs again."""
SAM = """Connect SAM's mask (or any other hard mask) in place of **Any hard mask**: 1 on the subject. Its edge is
found anew in the picture; hair and fur come back. A moved **radius** says how far the mask may be wrong."""
REPLACE = """Choose the picture with the subject and a new background; it is fitted to the picture (**fit**). Without a
background, the colour is used.

To let a diffusion model paint the background, use **background_mask** of Nuggy Composite: 1 where it may paint."""

INPAINT = """Choose a picture and an inpainting checkpoint, write what the new background shows, run.

**Nuggy Prepare Inpaint** hides the old background from the model and says where it may paint; **Nuggy Paste Back** puts
the photograph's own subject over the result, pixel by pixel, at full size. Set **long side** to what the model likes:
512 for Stable Diffusion 1.5.

With a model that is not for inpainting: VAE Encode and Set Latent Noise Mask in place of Inpaint Model Conditioning."""

INPAINTING_MODEL = {  # the page offers it where it is missing
    "name": "512-inpainting-ema.safetensors",
    "url": "https://huggingface.co/Comfy-Org/stable_diffusion_2.1_repackaged/resolve/main/512-inpainting-ema.safetensors",
    "directory": "checkpoints",
}


def cut_out() -> Workflow:
    p = Prompt()
    image = p.add("LoadImage", image=PICTURE)
    ids = extend(p, image, **BEST)
    preview = p.add("PreviewImage", images=ids["NuggyComposite"])
    at = {image: (0, 0), **_line(ids, 320, (0, 370)), preview: (1680, 390)}
    return Workflow("Cut out", p, at, CUT_OUT)


def cut_out_a_folder() -> Workflow:
    p = Prompt()
    folder = p.add("LoadImageDataSetFromFolder", folder="photos")
    ids = extend(p, folder, **BEST)
    at = {folder: (0, 0), **_line(ids, 320, (0, 370))}
    return Workflow("Cut-outs of a folder", p, at, FOLDER, (660, 560), {folder: "A folder of pictures"})


def cut_out_and_compare() -> Workflow:
    p = Prompt()
    image = p.add("LoadImage", image=PICTURE)
    ids = extend(p, image, **BEST)
    compare = p.add("ImageCompare", image_a=image, image_b=ids["NuggyComposite"])
    at = {image: (0, 0), **_line(ids, 320, (0, 370)), compare: (1340, 390)}
    return Workflow("Cut-out before and after", p, at, COMPARE, (660, 560), {compare: "Before and after"})


def coarse(p: Prompt, image: str) -> str:
    """A mask that stands for another node's: the subject, much too coarse."""
    return p.add("NuggyTTAMask", model=p.add("NuggyLoader", **BEST["NuggyLoader"]), image=image, custom_views="256")


def refined(p: Prompt, image: str, mask: str, **changes: Any) -> tuple[str, str, str, str, str, str]:
    """The nodes after a mask: refined, kept, composite, saved, and the mask shown before and after."""
    edges = p.add("GuidedFilterRefine", image=image, mask=mask, **changes)
    kept = p.add("IslandRemove", mask=edges)
    composite = p.add("NuggyComposite", image=image, mask=kept)
    save = p.add("SaveImage", images=(composite, 1), filename_prefix="nuggy")
    return edges, kept, composite, save, p.add("MaskPreview", mask=mask), p.add("MaskPreview", mask=kept)


def refine_any_mask() -> Workflow:
    p = Prompt()
    image = p.add("LoadImage", image=PICTURE)
    mask = coarse(p, image)
    edges, kept, composite, save, before, after = refined(p, image, mask, radius=32.0, black=0.15, white=0.85)
    (model,) = (k for k, n in p.items() if n["class_type"] == "NuggyLoader")
    at = {image: (0, 0), model: (0, 370), mask: (0, 510)}
    at |= {edges: (320, 0), kept: (660, 0), composite: (1000, 0), save: (1340, 0)}
    at |= {before: (320, 560), after: (1000, 560)}
    titles = {mask: "Any mask", before: "The mask as it came", after: "The mask refined"}
    return Workflow("Refine any mask", p, at, REFINE, (640, 560), titles)


def correct_with_strokes() -> Workflow:
    p = Prompt()
    image, away = p.add("LoadImage", image=PICTURE), p.add("LoadImage", image=PICTURE)
    ids = extend(p, image, **BEST)
    p[ids["NuggyTTAMask"]]["inputs"] |= {"keep": [image, 1], "drop": [away, 1]}
    at = {image: (0, 0), away: (0, 500), **_line(ids, 320, (0, 370))}
    titles = {image: "Picture; its strokes are kept", away: "The same; its strokes are dropped"}
    return Workflow("Cut-out corrected by strokes", p, at, STROKES, (660, 560), titles)


def refine_sam_mask() -> Workflow:
    p = Prompt()
    image = p.add("LoadImage", image=PICTURE)
    soft = coarse(p, image)
    hard = p.add("GrowMask", mask=p.add("ThresholdMask", mask=soft, value=0.5), expand=6, tapered_corners=True)
    edges, kept, composite, save, before, after = refined(p, image, hard)
    model, threshold = (next(k for k, n in p.items() if n["class_type"] == t) for t in ("NuggyLoader", "ThresholdMask"))
    at = {image: (0, 0), model: (0, 370), soft: (0, 510), threshold: (0, 910), hard: (0, 1020)}
    at |= {edges: (320, 0), kept: (660, 0), composite: (1000, 0), save: (1340, 0)}
    at |= {before: (320, 560), after: (1000, 560)}
    titles = {hard: "Any hard mask", before: "The mask as it came", after: "The mask refined"}
    return Workflow("Refine a SAM mask", p, at, SAM, (640, 560), titles)


def replace_background() -> Workflow:
    p = Prompt()
    image, behind = p.add("LoadImage", image=PICTURE), p.add("LoadImage", image=PICTURE)
    ids = extend(p, image, NuggyComposite={"background": behind}, **BEST)
    p[ids["SaveImage"]]["inputs"]["images"] = [ids["NuggyComposite"], 0]
    at = {image: (0, 0), behind: (0, 500), **_line(ids, 320, (0, 370))}
    return Workflow("Replace the background", p, at, REPLACE, (660, 420),
                    {image: "Picture with the subject", behind: "New background"})  # fmt: skip


def inpaint_background() -> Workflow:
    p = Prompt()
    image = p.add("LoadImage", image=PICTURE)
    model = p.add("NuggyLoader", **BEST["NuggyLoader"])
    mask = p.add("NuggyTTAMask", model=model, image=image, **BEST["NuggyTTAMask"])
    refined = p.add("GuidedFilterRefine", image=image, mask=mask)
    kept = p.add("IslandRemove", mask=refined)
    ready = p.add("NuggyPrepareInpaint", image=image, mask=kept, long_side=512, edge_cells="repaint")
    painter = p.add("CheckpointLoaderSimple", ckpt_name="512-inpainting-ema.safetensors")
    wanted = p.add("CLIPTextEncode", clip=(painter, 1), text="a meadow full of flowers in the morning sun, photograph")
    unwanted = p.add("CLIPTextEncode", clip=(painter, 1), text="text, watermark")
    guide = p.add("InpaintModelConditioning", positive=wanted, negative=unwanted, vae=(painter, 2), pixels=ready,
                  mask=(ready, 1), noise_mask=True)  # fmt: skip
    done = p.add("KSampler", model=painter, positive=guide, negative=(guide, 1), latent_image=(guide, 2), seed=1,
                 steps=24, cfg=6.0, sampler_name="dpmpp_2m", scheduler="karras", denoise=1.0)  # fmt: skip
    decoded = p.add("VAEDecode", samples=done, vae=(painter, 2))
    back = p.add("NuggyPasteBack", stitch=(ready, 2), painted=decoded)
    save = p.add("SaveImage", images=back, filename_prefix="nuggy")
    shown = p.add("PreviewImage", images=ready)
    at = {image: (0, 0), model: (0, 370), mask: (320, 0), refined: (320, 420), kept: (660, 0), ready: (660, 340)}
    at |= {painter: (1000, 0), wanted: (1000, 150), unwanted: (1000, 500), guide: (1360, 0), done: (1360, 190)}
    at |= {decoded: (1680, 0), back: (1680, 110), save: (1960, 0), shown: (1000, 670)}
    titles = {wanted: "The new background", unwanted: "What it should not show", shown: "What the model sees"}
    properties = {painter: {"models": [INPAINTING_MODEL]}}
    return Workflow("Inpaint the background", p, at, INPAINT, (0, 790), titles, properties)


def blueprint() -> Workflow:
    p = Prompt()
    image, behind = p.add("LoadImage", image=PICTURE), p.add("LoadImage", image=PICTURE)
    ids = extend(p, image, NuggyComposite={"background": behind}, **BEST)
    p[ids["SaveImage"]] = {"class_type": "PreviewImage", "inputs": {"images": [ids["NuggyComposite"], 0]}}
    seen = [
        p.add("PreviewImage", images=(ids["NuggyComposite"], 1))
    ]  # what stays outside makes an output of the blueprint
    seen += [p.add("MaskPreview", mask=(ids["NuggyComposite"], i)) for i in (2, 3)]
    at = {image: (-640, 0), behind: (-640, 500), **_line(ids, 0, (-320, 0))}
    at |= {n: (1700, 300 * i) for i, n in enumerate(seen)}
    return Workflow("Remove background (Nuggy)", p, at)


def help_pages() -> tuple[Prompt, dict[str, str]]:
    """The five nodes with every stage saved: the pictures of the help pages. The ids of the stages' Save Image."""
    p = Prompt()
    image = p.add("LoadImage", image=PICTURE)
    ids = extend(p, image, **BEST)
    made = {}
    for stage in ("NuggyTTAMask", "GuidedFilterRefine", "IslandRemove"):
        made[stage] = p.add("SaveImage", images=p.add("MaskToImage", mask=ids[stage]), filename_prefix=stage)
    made["colour"] = p.add("SaveImage", images=ids["NuggyComposite"], filename_prefix="colour")
    made["rgba"] = ids["SaveImage"]
    for name, output in (("mask", 2), ("background_mask", 3)):
        as_picture = p.add("MaskToImage", mask=(ids["NuggyComposite"], output))
        made[name] = p.add("SaveImage", images=as_picture, filename_prefix=name)
    return p, made


def chained_help() -> tuple[Prompt, dict[str, str]]:
    """The nodes around a model, another photograph in the place of what a model paints. The ids of what is saved."""
    p = Prompt()
    image, painted = p.add("LoadImage", image=PICTURE), p.add("LoadImage", image="painted.png")
    ids = extend(p, image, **BEST)
    colours = p.add("NuggyForeground", image=image, mask=ids["IslandRemove"])
    ready = p.add("NuggyPrepareInpaint", image=image, mask=ids["IslandRemove"], edge_cells="repaint")
    back = p.add("NuggyPasteBack", stitch=(ready, 2), painted=painted)
    as_picture = p.add("MaskToImage", mask=(ready, 1))
    shown = {"foreground": (colours, 0), "background": (colours, 1), "prepared": (ready, 0), "mask": (as_picture, 0),
             "pasted": (back, 0)}  # fmt: skip
    made = {k: p.add("SaveImage", images=v, filename_prefix=k) for k, v in shown.items()}
    return p, made


def all_of_them() -> list[Workflow]:
    made = [cut_out(), cut_out_a_folder(), cut_out_and_compare(), correct_with_strokes(), inpaint_background()]
    return [*made, refine_sam_mask(), refine_any_mask(), replace_background()]


def as_arguments(w: Workflow) -> dict[str, Any]:
    """What the page needs to lay a workflow out."""
    sizes = {k: SIZES[n["class_type"]] for k, n in w.prompt.items()}
    note = {"text": w.note.replace("\n\n", "\0").replace("\n", " ").replace("\0", "\n\n"), "at": w.note_at}
    return {"prompt": w.prompt, "at": w.at, "sizes": sizes, "titles": w.titles, "note": note,
            "properties": w.properties}  # fmt: skip
