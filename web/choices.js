// The choices of Nuggy's nodes in the page's language. The page has names and tooltips of inputs in the pack's
// locales, but no place for choices; the values stay what they are, only what is shown for them is another.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";

let texts = {};

app.registerExtension({
  name: "Nuggy.Choices",
  async init() {
    const language = app.extensionManager.setting.get("Comfy.Locale");
    const all = await (await api.fetchApi("/i18n")).json();
    texts = all[language]?.nodeDefs ?? {};
  },
  nodeCreated(node) {
    if (!node.constructor.nodeData?.category?.endsWith("/Nuggy")) return;
    const inputs = texts[node.comfyClass]?.inputs ?? {};
    for (const widget of node.widgets ?? []) {
      const words = inputs[widget.name]?.options;
      if (words) widget.options.getOptionLabel = (value) => words[value] ?? String(value);
    }
  },
});
