"""Makes example_workflows/, subgraphs/ and the screenshot docs/comfyui-graph.png in a real ComfyUI's own page.

python tests/comfyui/run.py draw. The files are committed; run it again when a node gains or loses an input.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from nuggy_nodes.core import steady_masks

from . import install, workflows
from .page import Page, as_json, browsing
from .server import REPOSITORY, Server

LAYOUT = """async ({prompt, at, sizes, titles, note}) => {
    app.nodeOutputs = {}; app.nodePreviewImages = {}; // the last run's pictures would count in the sizes
    await app.loadApiJson(prompt, 'drawing');
    for (const node of app.graph._nodes) {
        const id = String(node.id);
        node.pos = at[id];
        node.size = [Math.max(sizes[id][0], 200), Math.max(sizes[id][1], node.computeSize()[1])];
        if (titles[id]) node.title = titles[id];
    }
    if (note.text) {
        const text = LiteGraph.createNode('MarkdownNote');
        app.graph.add(text);
        text.title = 'How to use this';
        text.pos = note.at; text.size = [340, 250];
        text.widgets[0].value = note.text;
    }
    app.graph.setDirtyCanvas(true, true);
}"""
FOLD = """async ({ids, promoted}) => {
    const inside = new Set(app.graph._nodes.filter(n => ids.includes(String(n.id))));
    const {subgraph, node} = app.graph.convertToSubgraph(inside);
    subgraph.name = node.title = 'Remove background (Nuggy)';
    for (const n of [...app.graph._nodes]) if (n !== node) app.graph.remove(n);
    node.pos = [0, 0]; node.size = [320, 330];
    node.properties.proxyWidgets = promoted;
    return JSON.parse(JSON.stringify(app.graph.serialize()));
}"""
SMALL = 480
OUTLINE = [(0.28, 0.25), (0.45, 0.33), (0.58, 0.26), (0.60, 0.42), (0.74, 0.55), (0.84, 0.72), (0.83, 0.86),
           (0.55, 0.90), (0.40, 0.78), (0.33, 0.68), (0.29, 0.50)]  # fmt: skip
PROMOTED = [("NuggyTTAMask", "views"), ("GuidedFilterRefine", "radius"), ("GuidedFilterRefine", "black"),
            ("GuidedFilterRefine", "white"), ("IslandRemove", "min_area"), ("NuggyComposite", "colour"),
            ("NuggyComposite", "fit"), ("NuggyComposite", "foreground")]  # fmt: skip


def picture(name: str, width: int = 960) -> np.ndarray:
    with Image.open(REPOSITORY / "samples" / name) as f:
        found = f.convert("RGB")
    return np.asarray(found.resize((width, round(width * found.height / found.width)), Image.Resampling.LANCZOS))


def on_checks(rgba: np.ndarray) -> np.ndarray:
    """A cut-out over the grey squares that stand for transparency."""
    y, x = np.indices(rgba.shape[:2]) // 12
    checks = np.where((x + y) % 2, 204, 255)[..., None]
    alpha = rgba[..., 3:] / 255
    return (rgba[..., :3] * alpha + checks * (1 - alpha)).round().astype(np.uint8)


def side_by_side(*pictures: np.ndarray, height: int = 300) -> Image.Image:
    made = [Image.fromarray(p).convert("RGB") for p in pictures]
    made = [m.resize((round(m.width * height / m.height), height), Image.Resampling.LANCZOS) for m in made]
    out = Image.new("RGB", (sum(m.width for m in made) + 6 * (len(made) - 1), height), "white")
    at = 0
    for m in made:
        out.paste(m, (at, 0))
        at += m.width + 6
    return out


def portable(part: Any) -> Any:
    """A graph without what belongs to this run of the page only: where its canvas stood, names in its language."""
    if isinstance(part, dict):
        return {k: {} if k == "extra" else portable(v) for k, v in part.items() if k != "localized_name"}
    return [portable(v) for v in part] if isinstance(part, list) else part


def draw(page: Page, server: Server, names: list[str]) -> None:
    """names: of the workflows that are drawn, and nothing else; all of everything without any."""
    kitten, osprey = picture("kitten-on-lawn.jpg"), picture("perched-osprey.jpg")
    for w in workflows.all_of_them():
        if names and w.name not in names:
            continue
        page.do(LAYOUT, workflows.as_arguments(w))
        page.tab.wait_for_timeout(500)
        target = REPOSITORY / "example_workflows" / f"{w.name}.json"
        target.write_text(as_json(portable(page.graph())), encoding="utf-8")
        first = show(server, w, kitten, osprey)
        first.save(target.with_suffix(".jpg"), quality=85)
        if w.name == "Cut out":
            server.upload(workflows.PICTURE, kitten)
            page.load(page.graph(), "Cut out")
            assert page.run()["kind"] == "execution_success"
            page.tab.wait_for_timeout(1500)
            page.shot(REPOSITORY / "docs" / "comfyui-graph.png")
            draw_node(page, "NuggyLoader", REPOSITORY / "web" / "docs" / "NuggyLoader.png")
    if names:
        return
    draw_help(server, kitten)
    w = workflows.blueprint()
    page.do(LAYOUT, workflows.as_arguments(w))
    kinds = {n["class_type"]: k for k, n in w.prompt.items()}
    ours = [kinds[k] for k in ("NuggyLoader", "NuggyTTAMask", "GuidedFilterRefine", "IslandRemove", "NuggyComposite")]
    promoted = [[kinds[kind], name] for kind, name in PROMOTED]
    graph = page.do(FOLD, {"ids": ours, "promoted": promoted})
    (REPOSITORY / "subgraphs" / f"{w.name}.json").write_text(as_json(portable(graph)), encoding="utf-8")


def show(server: Server, w: workflows.Workflow, kitten: np.ndarray, osprey: np.ndarray) -> Image.Image:
    """The thumbnail: what goes in beside what comes out."""
    if w.name == "Inpaint the background":
        made = chained(server, kitten)
        return side_by_side(kitten, made["prepared"], made["pasted"], height=SMALL // 2)
    pictures = [kitten, osprey, kitten[:, ::-1]]
    loads = [k for k, n in w.prompt.items() if n["class_type"] == "LoadImage"]
    if w.name == "Refine any mask":
        rough = outline(kitten)
        pictures = [np.dstack((kitten, np.where(rough, 0, 255).astype(np.uint8)))]
    if w.name == "Correct a mask with strokes":
        kept, gone = stroke(kitten, 0.46, 0.5, 0.56, 0.7), stroke(kitten, 0.05, 0.85, 0.25, 0.9)
        pictures = [np.dstack((kitten, np.where(s, 0, 255).astype(np.uint8))) for s in (kept, gone)]
    if w.name == "Refine a SAM mask":
        rough = outline(kitten)
        mask = next(k for k, n in w.prompt.items() if n["class_type"] == "LoadImageMask")
        name = server.upload("rough.png", np.repeat(rough[..., None].astype(np.uint8) * 255, 3, -1))
        w.prompt[mask]["inputs"]["image"] = name
    for i, load in enumerate(loads):
        w.prompt[load]["inputs"]["image"] = server.upload(f"drawn-{i}.png", np.ascontiguousarray(pictures[i]))
    ran = server.run(w.prompt)
    assert not ran.error, ran.error
    save = next(k for k, n in w.prompt.items() if n["class_type"] == "SaveImage")
    made = [server.picture(f) for f in ran.outputs[save]["images"]]
    made = [on_checks(m) if m.shape[-1] == 4 else m for m in made]
    if len(made) > 1:
        return side_by_side(*made, height=SMALL // 2)
    before = kitten
    if w.name == "Correct a mask with strokes":
        before = np.where(kept[..., None], (60, 200, 60), np.where(gone[..., None], (220, 60, 60), kitten))
        before = before.astype(np.uint8)
    if w.name == "Refine a SAM mask":
        before = np.where(rough[..., None], kitten, kitten // 3)
    if w.name == "Refine any mask":
        before = np.where((pictures[0][..., 3:] == 0), kitten, kitten // 3)
    return side_by_side(before, made[0], height=SMALL // 2)


def outline(like: np.ndarray) -> np.ndarray:
    """A roughly painted subject, bool [H,W]."""
    drawn = Image.new("L", like.shape[1::-1])
    ImageDraw.Draw(drawn).polygon([(x * drawn.width, y * drawn.height) for x, y in OUTLINE], fill=1)
    return np.asarray(drawn) > 0


def stroke(like: np.ndarray, *ends: float) -> np.ndarray:
    """A stroke between two points in shares of the picture, bool [H,W]."""
    drawn = Image.new("L", like.shape[1::-1])
    at = [v * n for v, n in zip(ends, 2 * drawn.size)]
    ImageDraw.Draw(drawn).line(at, fill=1, width=drawn.width // 60)
    return np.asarray(drawn) > 0


def chained(server: Server, kitten: np.ndarray) -> dict[str, np.ndarray]:
    """What the nodes around a model give, another photograph in the place of what a model paints."""
    height, width = (-(-n // 8) * 8 for n in kitten.shape[:2])
    field = Image.fromarray(picture("dragonfly-on-lavender.jpg", 1200)[:, 500:]).resize((width, height))
    server.upload(workflows.PICTURE, kitten)
    server.upload("painted.png", np.asarray(field))
    prompt, saved = workflows.chained_help()
    ran = server.run(prompt)
    assert not ran.error, ran.error
    return {k: server.picture(ran.outputs[node]["images"][0]) for k, node in saved.items()} | {
        "field": np.asarray(field)
    }


def flickering() -> np.ndarray:
    """One line of a synthetic clip over time, its masks below each other: as they came and steadied."""
    g = torch.Generator().manual_seed(4)
    frames, length = 96, 120
    x = torch.arange(float(length))[None]
    still = ((x - 70) / 16).clamp(0, 1) * (x < 112)
    images, masks = [], []
    for t in range(frames):
        strand = (2.2 - (x - 6 - 0.55 * t).abs()).clamp(0, 1)
        alpha = torch.maximum(still, strand)
        back = 0.3 + 0.1 * torch.sin(x / 5)
        images.append((alpha * 0.9 + (1 - alpha) * back + 0.01 * torch.randn(x.shape, generator=g)).expand(1, 3, 3, -1))
        soft = (still > 0) & (still < 1)
        masks.append((alpha + 0.25 * torch.randn(1, generator=g) * soft).clamp(0, 1).expand(1, 1, 3, -1))
    made = [torch.cat([m[0, :, 1] for m in some]) for some in (masks, list(steady_masks(zip(images, masks), 5)))]
    lines = torch.stack(made).transpose(1, 2).repeat_interleave(5, 2).repeat_interleave(2, 1)  # time to the right
    return (lines * 255).byte().numpy()


def draw_node(page: Page, kind: str, path: Path) -> None:
    """A screenshot of one node."""
    box = page.do(
        """async (kind) => {
        const node = app.graph._nodes.find(n => n.type === kind), ds = app.canvas.ds;
        ds.scale = 1.5; ds.offset = [200 - node.pos[0], 200 - node.pos[1]];
        app.graph.setDirtyCanvas(true, true);
        const at = app.canvas.canvas.getBoundingClientRect(), margin = 12;
        return {x: at.x + 200 * 1.5 - margin, y: at.y + (200 - 30) * 1.5 - margin,
                width: node.size[0] * 1.5 + 2 * margin, height: (node.size[1] + 30) * 1.5 + 2 * margin} }""",
        kind,
    )
    page.tab.wait_for_timeout(500)
    page.shot(path, fit=False, clip=box)


def draw_help(server: Server, kitten: np.ndarray) -> None:
    """What goes into a node beside what comes out, from one run of all five."""
    folder = REPOSITORY / "web" / "docs"
    server.upload(workflows.PICTURE, kitten)
    prompt, stages = workflows.help_pages()
    ran = server.run(prompt)
    assert not ran.error, ran.error
    made = {k: server.picture(ran.outputs[node]["images"][0]) for k, node in stages.items()}
    h, w = kitten.shape[:2]
    near = np.s_[int(h * 0.33) : int(h * 0.75), int(w * 0.25) : int(w * 0.62)]  # the head, where the fur shows

    def save(name: str, *pictures: np.ndarray) -> None:
        side_by_side(*pictures, height=260).save(folder / f"{name}.jpg", quality=85)

    save("NuggyTTAMask", kitten, made["NuggyTTAMask"])
    save("GuidedFilterRefine", kitten[near], made["NuggyTTAMask"][near], made["GuidedFilterRefine"][near])
    save("IslandRemove", made["GuidedFilterRefine"], made["IslandRemove"])
    save("NuggyComposite", np.vstack((made["colour"][..., :3], made["mask"][..., :3])),
         np.vstack((on_checks(made["rgba"]), made["background_mask"][..., :3])))  # fmt: skip

    made = chained(server, kitten)
    ear = np.s_[int(h * 0.27) : int(h * 0.5), int(w * 0.27) : int(w * 0.62)]
    save("NuggyForeground", kitten[ear], made["foreground"][ear], made["background"][ear])
    save("NuggyPrepareInpaint", kitten, made["prepared"], made["mask"])
    save("NuggyPasteBack", kitten, made["field"], made["pasted"])
    given, steadied = flickering()
    gap = np.full((6, given.shape[1]), 128, np.uint8)
    Image.fromarray(np.vstack((given, gap, steadied))).save(folder / "NuggySteadyMask.png", optimize=True)


def shrink(path: Path, most: int = 290_000) -> None:
    """A screenshot with as many colours as fit into `most` bytes."""
    shot = Image.open(path).convert("RGB")
    for colours in (256, 128, 64):
        out = io.BytesIO()
        shot.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            out, "PNG", optimize=True
        )
        if out.tell() <= most:
            break
    path.write_bytes(out.getvalue())


def main() -> None:
    with tempfile.TemporaryDirectory() as base:
        server = Server(install.server(), Path(base))
        try:
            with browsing() as open_tab:
                draw(open_tab(server, 1900, 760), server, sys.argv[1:])
        finally:
            server.stop()
    if not sys.argv[1:]:
        shrink(REPOSITORY / "docs" / "comfyui-graph.png")


if __name__ == "__main__":
    main()
