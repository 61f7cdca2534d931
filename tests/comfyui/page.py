"""ComfyUI's own page in a headless Chromium: opened without first-run dialogs, its buttons pressed as a user does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page as Tab
from playwright.sync_api import sync_playwright

from . import install
from .server import Server

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]  # fmt: skip
SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.InstalledVersion": "1.32.9",
    "Comfy.Workflow.Persist": False,
    "Comfy.Workflow.ShowMissingModelsWarning": False,  # the inpainting template offers its checkpoint
    "Comfy.Minimap.Visible": False,
    "Comfy.Graph.CanvasInfo": False,
    "LiteGraph.Canvas.LowQualityRenderingZoomThreshold": 0.1,
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,
}
FAR = 180_000  # milliseconds; a network pass on a busy machine takes its time


class Page:
    """The open page. `errors` holds what its console said that is not a failed request to the world outside."""

    def __init__(self, tab: Tab, server: Server):
        self.tab, self.server, self.errors = tab, server, []
        tab.set_default_timeout(60_000)
        tab.on("pageerror", lambda e: self.errors.append(str(e)))
        tab.goto(server.url, wait_until="domcontentloaded")
        tab.wait_for_function(
            "() => window.app?.graph && Object.keys(window.LiteGraph?.registered_node_types ?? {}).length > 100",
            timeout=FAR,
        )
        tab.wait_for_timeout(1000)
        self.do("""() => { // the banner that praises another way of drawing nodes
            const tryIt = [...document.querySelectorAll('button')].find(b => b.innerText.trim() === 'Try it out');
            [...(tryIt?.closest('div.fixed, div.absolute, div.relative, div.flex')?.parentElement
                .querySelectorAll('button') ?? [])].at(-1)?.click() }""")

    def do(self, script: str, argument: Any = None) -> Any:
        return self.tab.evaluate(script, argument)

    def command(self, name: str) -> None:
        self.do("async (name) => { await app.extensionManager.command.execute(name) }", name)
        self.tab.wait_for_timeout(800)

    def load(self, graph: dict[str, Any], name: str = "test") -> None:
        """Open a workflow as a saved file is opened."""
        self.do("async ([g, name]) => { await app.loadGraphData(g, true, true, name) }", [graph, name])
        self.tab.wait_for_timeout(500)

    def graph(self) -> dict[str, Any]:
        return self.do("() => JSON.parse(JSON.stringify(app.graph.serialize()))")

    def run(self) -> dict[str, Any]:
        """Press the page's Run button; what the server said at the end."""
        self.begin()
        return self.end()

    def end(self) -> dict[str, Any]:
        """What the server says at the end of what begin() has begun."""
        return self.do("() => window.ended")

    def begin(self) -> None:
        """Press the page's Run button."""
        self.do("""() => { window.ended = new Promise(done => {
            for (const kind of ['execution_success', 'execution_error', 'execution_interrupted'])
                app.api.addEventListener(kind, e => done({kind, ...e.detail}), {once: true}) }) }""")
        self.tab.locator('[data-testid="queue-button"]').first.click()

    def alone(self, kind: str) -> None:
        """A graph of one node."""
        self.load({"version": 0.4, "nodes": [], "links": [], "last_node_id": 0, "last_link_id": 0})
        self.do("(kind) => { app.graph.add(LiteGraph.createNode(kind)) }", kind)

    def saved(self, kinds: tuple[str, ...]) -> dict[str, Any]:
        """What would be saved now of the inputs of these kinds of nodes."""
        return {n["type"]: n["widgets_values"] for n in self.graph()["nodes"] if n["type"] in kinds}

    def notes(self) -> dict[str, str]:
        """What is written on nodes and can be seen, by kind of node."""
        return self.do("""() => Object.fromEntries(app.graph._nodes.flatMap(n => (n.widgets ?? [])
            .filter(w => w.name === 'nuggy_note' && !w.hidden && w.element.getBoundingClientRect().height > 6)
            .map(w => [n.type, w.element.textContent])))""")

    def click_node(self, kind: str) -> None:
        """Bring a node to the middle of the page and click on its title, which selects it."""
        place = self.do(
            """(kind) => { const node = app.graph._nodes.find(n => n.type === kind), ds = app.canvas.ds;
            ds.scale = 1; ds.offset = [600 - node.pos[0], 300 - node.pos[1]]; app.graph.setDirtyCanvas(true, true);
            const at = app.canvas.canvas.getBoundingClientRect();
            return [at.x + 600 + 60, at.y + 300 - 15] }""",
            kind,
        )
        self.tab.wait_for_timeout(500)
        self.tab.mouse.click(*place)

    def shot(self, path: Path, fit: bool = True, **options: Any) -> None:
        if fit:
            self.command("Comfy.Canvas.FitView")
            self.tab.wait_for_timeout(1200)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.tab.screenshot(path=path, **options)


@contextmanager
def browsing() -> Iterator[Any]:
    """A browser, as open(server, width, height, **settings) that gives a Page in a tab of its own."""
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=install.browser(), headless=True, args=FLAGS)

        def open_tab(server: Server, width: int = 1600, height: int = 950, **settings: Any) -> Page:
            server.post("/settings", SETTINGS | settings)
            return Page(browser.new_page(viewport={"width": width, "height": height}), server)

        try:
            yield open_tab
        finally:
            browser.close()


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
