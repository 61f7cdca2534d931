"""The pack in ComfyUI's own page, in a real Chromium. Screenshots are kept in artifacts/."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from .page import FAR, Page, browsing
from .prompts import NODES, Prompt, extend
from .server import REPOSITORY, Server

THUMBNAILS = "() => [...document.querySelectorAll('[role=dialog] img')].filter(i => i.naturalWidth > 300).length >= 4"
KEPT = REPOSITORY / "artifacts" / "comfyui"


def workflow(name: str) -> dict[str, Any]:
    return json.loads((REPOSITORY / "example_workflows" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def open_tab() -> Iterator[Any]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def page(server: Server, photo: np.ndarray, open_tab: Any) -> Page:
    server.upload("example.png", photo)
    (server.base / "input" / "photos").mkdir()
    for i, one in enumerate((photo, photo[:, 100:260])):  # each at its own size
        Image.fromarray(one).save(server.base / "input" / "photos" / f"{i}.png")
    return open_tab(server)


def test_template_runs_and_shows_its_result(page: Page, server: Server) -> None:
    """Templates, Extensions, Nuggy, "Cut out", then the Run button: the cut-out is on the page."""
    page.command("Comfy.BrowseTemplates")
    card = page.tab.get_by_text("Cut out", exact=True).first
    card.wait_for(state="visible")
    page.tab.wait_for_function(THUMBNAILS)
    page.shot(KEPT / "templates.png", fit=False)
    card.click()
    page.tab.wait_for_function("() => app.graph._nodes.some(n => n.type === 'NuggyTTAMask')")
    page.tab.wait_for_timeout(800)
    ended = page.run()
    assert ended["kind"] == "execution_success", ended
    page.tab.wait_for_function(
        "() => app.graph._nodes.find(n => n.type === 'SaveImage')?.imgs?.[0]?.naturalWidth === 480"
    )
    page.shot(KEPT / "cut-out.png")
    shown = page.do("() => app.graph._nodes.find(n => n.type === 'SaveImage').imgs[0].src")
    assert "nuggy_" in shown and server.url in shown


@pytest.mark.parametrize("node", NODES)
def test_help_page_opens_with_its_picture(page: Page, node: str) -> None:
    page.alone(node)
    page.click_node(node)
    page.tab.locator('[data-testid="info-button"]').first.click()
    picture = page.tab.locator(f'img[src*="docs/{node}."]').first
    picture.wait_for(state="visible")
    page.tab.wait_for_function(
        "(name) => [...document.images].find(i => i.src.includes(`docs/${name}.`))?.naturalWidth > 100", arg=node
    )
    page.shot(KEPT / f"help-{node}.png", fit=False)


@pytest.mark.parametrize(
    "name", ["Cut-outs of a folder", "Refine any mask", "Refine a SAM mask", "Replace the background"]
)
def test_example_workflow_runs(page: Page, name: str) -> None:
    page.load(workflow(name), name)
    page.do("() => { for (const n of app.graph._nodes) if (n.type === 'NuggyTTAMask') n.widgets[0].value = 'fast' }")
    ended = page.run()
    assert ended["kind"] == "execution_success", ended
    page.tab.wait_for_timeout(1000)
    page.shot(KEPT / f"{name}.png")
    if name == "Cut-outs of a folder":
        script = "() => app.graph._nodes.find(n => n.type === 'SaveImage').imgs.map(i => i.naturalWidth)"
        assert sorted(page.do(script)) == [160, 480]


def test_progress_and_preview_show_and_cancel_ends_the_run(page: Page) -> None:
    """While a batch of three is at work, the node has its bar and its first mask; then the page's Cancel button."""
    p = Prompt()
    two = p.add(
        "ImageBatch", image1=p.add("LoadImage", image="example.png"), image2=p.add("LoadImage", image="example.png")
    )
    extend(p, p.add("ImageBatch", image1=two, image2=two), NuggyTTAMask={"views": "best"})
    page.do("async (prompt) => { await app.loadApiJson(prompt, 'batch') }", p)
    page.command("Comfy.Canvas.FitView")
    page.begin()
    page.tab.wait_for_function(
        """() => { const n = app.graph._nodes.find(n => n.type === 'NuggyTTAMask');
        return n.progress >= 0.33 && n.progress < 1 && n.imgs?.[0]?.naturalWidth === 256 }""",
        timeout=FAR,
    )
    page.tab.wait_for_timeout(300)
    page.shot(KEPT / "working.png", fit=False)
    page.tab.get_by_label("Cancel current run").first.click()
    ended = page.end()
    assert ended["kind"] == "execution_interrupted" and ended["node_type"] == "NuggyTTAMask", ended


def test_workflow_saved_before_an_input_existed_runs(page: Page) -> None:
    """A file in which Guided Filter Refine has neither `passes`, `recipe` nor `detail` opens with their usual values;
    the others stay in place."""
    graph = workflow("Cut out")
    (node,) = (n for n in graph["nodes"] if n["type"] == "GuidedFilterRefine")
    node["inputs"] = [i for i in node["inputs"] if i["name"] != "unsure"]  # a socket, newer still
    assert node["inputs"].pop()["name"] == "detail" and node["widgets_values"].pop() == 0.75
    assert node["inputs"].pop()["name"] == "recipe" and node["widgets_values"].pop() == "as the mask's"
    assert node["inputs"].pop()["name"] == "passes" and node["widgets_values"].pop() == 1
    node["widgets_values"][0] = 12.5
    page.load(graph, "older")
    script = "() => app.graph._nodes.find(n => n.type === 'GuidedFilterRefine').widgets.map(w => [w.name, w.value])"
    assert dict(page.do(script)) == {"radius": 12.5, "black": 0.1, "white": 0.9, "gamma": 1, "guide": "colour",
                                     "epsilon": 0.0001, "passes": 1, "recipe": "as the mask's",
                                     "detail": 0.75}  # fmt: skip
    page.do("() => { for (const n of app.graph._nodes) if (n.type === 'NuggyTTAMask') n.widgets[0].value = 'fast' }")
    ended = page.run()
    assert ended["kind"] == "execution_success", ended


def test_what_a_node_says_stays_on_it(page: Page, server: Server) -> None:
    """An empty mask is told on the nodes that met it when the job is over, and on a subgraph around them; a mask that
    is not takes it off. What is said is not saved with the workflow, and the mask under it stays."""
    server.upload("flat.png", np.full((120, 160, 3), 128, np.uint8))
    p = Prompt()
    empty = p.add("SolidMask", value=0.0, width=160, height=120)
    image = p.add("LoadImage", image="flat.png")
    refined = p.add("GuidedFilterRefine", image=image, mask=empty)
    p.add("MaskPreview", mask=p.add("IslandRemove", mask=refined))
    page.do("async (prompt) => { await app.loadApiJson(prompt, 'notes') }", p)
    stored = page.saved(NODES)
    assert page.run()["kind"] == "execution_success"
    page.tab.wait_for_timeout(2000)  # what goes with the end of a job has gone
    page.shot(KEPT / "notes.png")
    told = page.notes()
    assert told["GuidedFilterRefine"] == "the mask is empty" and told["IslandRemove"].startswith("mask 1: empty")
    assert page.saved(NODES) == stored

    page.do("() => { app.graph._nodes.find(n => n.type === 'SolidMask').widgets[0].value = 1 }")
    assert page.run()["kind"] == "execution_success"
    page.tab.wait_for_timeout(1000)
    assert page.notes() == {"IslandRemove": "mask 1: 1 parts, 0 removed, 0 holes filled"}

    page.do("async (prompt) => { await app.loadApiJson(prompt, 'notes') }", p)
    page.do("""() => { const kinds = ['GuidedFilterRefine', 'IslandRemove'];
        app.graph.convertToSubgraph(new Set(app.graph._nodes.filter(n => kinds.includes(n.type)))) }""")
    page.do("() => { app.graph._nodes.find(n => n.type === 'SolidMask').widgets[0].value = 0 }")
    assert page.run()["kind"] == "execution_success"
    page.tab.wait_for_timeout(2000)
    page.shot(KEPT / "notes-folded.png")
    (outside,) = page.notes().values()
    assert outside.startswith("the mask is empty")


def test_blueprint_runs_as_one_node(page: Page) -> None:
    """The subgraph "Remove background (Nuggy)" as the page offers it, fed a picture, its cut-out shown."""
    offered = page.do("() => fetch('/global_subgraphs').then(r => r.json())")
    (key,) = (k for k, v in offered.items() if v["name"] == "Remove background (Nuggy)")
    data = page.do("(k) => fetch('/global_subgraphs/' + k).then(r => r.json()).then(d => JSON.parse(d.data))", key)
    page.load(data, "blueprint")
    promoted = page.do("() => app.graph._nodes[0].widgets.map(w => w.name)")
    assert {"views", "radius", "black", "white", "min_area", "fit"} <= {p.split(": ")[-1] for p in promoted}
    page.do("""() => {
        const fold = app.graph._nodes[0];
        const load = LiteGraph.createNode('LoadImage'), save = LiteGraph.createNode('SaveImage');
        app.graph.add(load); app.graph.add(save);
        load.widgets[0].value = 'example.png'; load.pos = [-400, 0]; save.pos = [500, 0]; save.size = [340, 340];
        load.connect(0, fold, 0);
        fold.connect(fold.outputs.findIndex(o => o.name === 'rgba'), save, 0) }""")
    ended = page.run()
    assert ended["kind"] == "execution_success", ended
    page.tab.wait_for_timeout(1200)
    page.shot(KEPT / "blueprint.png")
    assert page.do("() => app.graph._nodes.find(n => n.type === 'SaveImage').imgs[0].naturalWidth") == 480


@pytest.mark.parametrize("language", ["ko", "ja", "zh"])
def test_page_speaks_the_language(newer_page: Server, open_tab: Any, language: str) -> None:
    texts = json.loads((REPOSITORY / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    page = open_tab(newer_page, **{"Comfy.Locale": language})
    titles = {}
    for name in ("Inpaint the background", "Cut out"):
        page.load(workflow(name))
        titles |= page.do("() => Object.fromEntries(app.graph._nodes.map(n => [n.type, n.title]))")
    page.shot(KEPT / f"language-{language}.png")
    inputs = page.do("""() => app.graph._nodes.find(n => n.type === 'GuidedFilterRefine').widgets
        .map(w => w.label ?? w.name)""")
    choices = page.do("""() => { const w = app.graph._nodes.find(n => n.type === 'NuggyTTAMask').widgets[0];
        return Object.fromEntries(w.options.values.map(v => [v, w.options.getOptionLabel(v)])) }""")
    assert choices == texts["NuggyTTAMask"]["inputs"]["views"]["options"]
    page.tab.close()
    found = {kind: title for kind, title in titles.items() if kind in texts}
    assert len(found) >= 7 and found == {kind: texts[kind]["display_name"] for kind in found}
    assert texts["GuidedFilterRefine"]["inputs"]["radius"]["name"] in inputs


def test_page_reports_no_error_of_its_own(page: Page) -> None:
    assert not page.errors, page.errors
