// What Nuggy's nodes say of their last run (the network, the islands, "nothing was found"), written on them and left
// there: the page's own lines of text on a node go when the job ends. The words come with the node's outputs.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";

const NAME = "nuggy_note";
const LINES = 4; // a folder of pictures has a note each
const MARGIN = 4;
const said = new WeakMap(); // node: its notes and those from inside of it, by the id that ran

function isOurs(node) {
  return node?.constructor.nodeData?.category?.endsWith("/Nuggy");
}

/** The nodes from the outermost subgraph's to the one that ran, for an id such as 12:3. */
function way(id) {
  const found = [];
  let graph = app.rootGraph ?? app.graph;
  for (const part of String(id).split(":")) {
    const node = graph?.getNodeById(Number(part));
    if (!node) return [];
    found.push(node);
    graph = node.subgraph;
  }
  return found;
}

function joined(notes) {
  const texts = [...new Set(notes.map((note) => note.text).filter(Boolean))];
  const more = texts.length - LINES;
  return texts.slice(0, LINES).join("\n") + (more > 0 ? `\n... ${more} more` : "");
}

function write(node, id, notes) {
  const all = said.get(node) ?? new Map();
  said.set(node, all.set(id, notes));
  const shown = [...all.values()].flat();
  const text = joined(shown);
  let widget = node.widgets?.find((w) => w.name === NAME);
  if (!widget) {
    if (!text) return;
    const element = document.createElement("div");
    element.dataset.height = 0;
    element.style.cssText =
      "padding: 4px 8px; font: 11px/15px sans-serif; white-space: pre-line; overflow: auto; border-radius: 4px";
    widget = node.addDOMWidget(NAME, "nuggyNote", element, {
      serialize: false,
      hideOnZoom: false,
      margin: MARGIN,
      getMinHeight: () => Number(element.dataset.height),
      getMaxHeight: () => Number(element.dataset.height),
    });
    widget.serialize = false; // in a saved workflow either
  }
  const { element } = widget;
  const alert = shown.some((note) => note.alert && note.text);
  element.textContent = text;
  element.title = text;
  element.style.color = alert ? "#ffd479" : "var(--input-text, #ddd)";
  element.style.background = alert ? "#5a4210" : "var(--comfy-input-bg, #222)";
  const letters = Math.max(Math.floor((node.size[0] - 40) / 5.8), 16); // in a line of this node
  const rows = text.split("\n").reduce((n, line) => n + Math.ceil(line.length / letters), 0);
  element.dataset.height = text ? 8 + 15 * rows + 2 * MARGIN : 0;
  widget.hidden = !text;
  const [width, height] = node.computeSize();
  if (node.size[1] < height || node.size[0] < width) {
    node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], height)]);
  }
  node.setDirtyCanvas(true, true);
}

app.registerExtension({
  name: "Nuggy.Notes",
  async setup() {
    api.addEventListener("executed", ({ detail }) => {
      const notes = detail.output?.nuggy;
      const nodes = notes ? way(detail.display_node ?? detail.node) : [];
      const own = nodes.pop();
      if (!isOurs(own)) return;
      write(own, String(detail.node), notes);
      for (const outer of nodes) write(outer, String(detail.node), notes.filter((note) => note.alert));
    });
  },
});
