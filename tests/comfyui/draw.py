"""Makes example_workflows/, subgraphs/ and the screenshot docs/comfyui-graph.png in a real ComfyUI's own page.

python tests/comfyui/run.py draw. The files are committed; run it again when a node gains or loses an input. A workflow
with a node that this ComfyUI lacks is left as it is: NUGGY_COMFYUI names a newer one.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from . import install, workflows
from .draw_help import chained, draw_help
from .draw_pictures import on_checks, picture, side_by_side
from .page import Page, as_json, browsing
from .server import REPOSITORY, Server

LAYOUT = """async ({prompt, at, sizes, titles, note, properties}) => {
    app.nodeOutputs = {}; app.nodePreviewImages = {}; // the last run's pictures would count in the sizes
    await app.loadApiJson(prompt, 'drawing');
    for (const node of app.graph._nodes) {
        const id = String(node.id);
        node.pos = at[id];
        node.size = [Math.max(sizes[id][0], 200), Math.max(sizes[id][1], node.computeSize()[1])];
        if (titles[id]) node.title = titles[id];
        Object.assign(node.properties, properties[id] ?? {});
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
PROMOTED = [("NuggyTTAMask", "views"), ("GuidedFilterRefine", "radius"), ("GuidedFilterRefine", "black"),
            ("GuidedFilterRefine", "white"), ("IslandRemove", "min_area"), ("NuggyComposite", "colour"),
            ("NuggyComposite", "fit"), ("NuggyComposite", "foreground")]  # fmt: skip


LABELS = {
    ("NuggyTTAMask", "views"): "Quality",
    ("GuidedFilterRefine", "radius"): "Reach of the edge",
    ("GuidedFilterRefine", "black"): "Background below",
    ("GuidedFilterRefine", "white"): "Subject above",
    ("IslandRemove", "min_area"): "Smallest part kept",
    ("NuggyComposite", "colour"): "Colour behind",
    ("NuggyComposite", "fit"): "Fit of the background",
    ("NuggyComposite", "foreground"): "Colours of the edge",
}


def portable(part: Any) -> Any:
    """A graph without what belongs to this run of the page only: where its canvas stood, names in its language."""
    if isinstance(part, dict):
        return {k: {} if k == "extra" else portable(v) for k, v in part.items() if k != "localized_name"}
    return [portable(v) for v in part] if isinstance(part, list) else part


def draw(page: Page, server: Server, names: list[str]) -> None:
    """names: of the workflows that are drawn, and nothing else; all of everything without any."""
    kitten, osprey = picture("kitten-on-lawn.jpg"), picture("perched-osprey.jpg")
    offered = set(server.json("/object_info"))
    for w in workflows.all_of_them():
        lacking = {n["class_type"] for n in w.prompt.values()} - offered
        if lacking or (names and w.name not in names):
            print(w.name, "is left as it is", *lacking)
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
    graph = named(portable(graph))
    (REPOSITORY / "subgraphs" / f"{w.name}.json").write_text(as_json(graph), encoding="utf-8")


def named(graph: dict[str, Any]) -> dict[str, Any]:
    """The blueprint, its inputs called by what they do: on a node of many steps their own names say too little."""
    for inside in graph["definitions"]["subgraphs"][0]["nodes"]:
        for given in inside["inputs"]:
            label = LABELS.get((inside["type"], given["name"]))
            if label:
                given["label"] = label
    return graph


def show(server: Server, w: workflows.Workflow, kitten: np.ndarray, osprey: np.ndarray) -> Image.Image:
    """The thumbnail: what goes in beside what comes out."""
    if w.name == "Inpaint the background":
        made = chained(server, kitten)
        return side_by_side(kitten, made["prepared"], made["pasted"], height=SMALL // 2)
    if w.name == "Cut-outs of a folder":
        (server.base / "input" / "photos").mkdir(exist_ok=True)
        for i, one in enumerate((kitten, osprey, kitten[40:520, 240:600])):
            Image.fromarray(one).save(server.base / "input" / "photos" / f"{i}.png")
    pictures = [kitten, osprey]
    loads = [k for k, n in w.prompt.items() if n["class_type"] == "LoadImage"]
    if w.name == "Cut-out corrected by strokes":
        kept, gone = stroke(kitten, 0.34, 0.79, 0.56, 0.86), stroke(kitten, 0.87, 0.74, 0.93, 0.71)
        pictures = [np.dstack((kitten, np.where(s, 0, 255).astype(np.uint8))) for s in (kept, gone)]
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
    if w.name == "Cut-out corrected by strokes":
        before = np.where(kept[..., None], (60, 200, 60), np.where(gone[..., None], (220, 60, 60), kitten))
        before = before.astype(np.uint8)
    if w.name in ("Refine any mask", "Refine a SAM mask"):
        given = next(k for k, n in w.prompt.items() if n["class_type"] == "MaskPreview")
        mask = server.picture(ran.outputs[given]["images"][0])[..., :1] / 255
        before = (kitten * (0.3 + 0.7 * mask)).round().astype(np.uint8)
    return side_by_side(before, made[0], height=SMALL // 2)


def stroke(like: np.ndarray, *ends: float) -> np.ndarray:
    """A stroke between two points in shares of the picture, bool [H,W]."""
    drawn = Image.new("L", like.shape[1::-1])
    at = [v * n for v, n in zip(ends, 2 * drawn.size)]
    ImageDraw.Draw(drawn).line(at, fill=1, width=drawn.width // 60)
    return np.asarray(drawn) > 0


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
    root = os.environ.get("NUGGY_COMFYUI")
    with tempfile.TemporaryDirectory() as base:
        server = Server(install.server(), Path(base), Path(root) if root else None)
        try:
            with browsing() as open_tab:
                draw(open_tab(server, 1900, 760), server, sys.argv[1:])
        finally:
            server.stop()
    if not sys.argv[1:]:
        shrink(REPOSITORY / "docs" / "comfyui-graph.png")


if __name__ == "__main__":
    main()
