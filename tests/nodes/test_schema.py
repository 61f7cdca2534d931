"""What ComfyUI reads of the nodes: ids, texts, limits, and the files that it looks for beside them."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IDS = ["NuggyLoader", "NuggyTTAMask", "GuidedFilterRefine", "IslandRemove", "NuggyComposite", "NuggyForeground",
       "NuggyPrepareInpaint", "NuggyPasteBack", "NuggySteadyMask", "NuggyEachSubject",
       "NuggyAdjustMask", "NuggyCropSubject"]  # fmt: skip
LANGUAGES = ["en", "ko", "ja", "zh"]


def schemas(pack):
    found = {n.define_schema().node_id: n.define_schema() for n in asyncio.run(pack.Nuggy().get_node_list())}
    found.pop("Composite", None)  # NuggyComposite under its first id
    return found


def test_ids_and_texts(pack):
    found = schemas(pack)
    assert list(found) == IDS
    for s in found.values():
        assert s.category.endswith("/Nuggy") and s.description and s.display_name
        for x in [*s.inputs, *s.outputs]:
            assert x.tooltip and x.display_name, (s.node_id, x.id)
        ids = [x.id for x in [*s.inputs, *s.outputs]]
        assert len(set(ids)) == len(ids)  # ComfyUI wants ids unique over inputs and outputs together


def test_numbers_have_limits_and_a_step(pack):
    for s in schemas(pack).values():
        for x in s.inputs:
            if {"min", "max", "step"} & set(x.rest):
                assert x.rest["min"] <= x.default <= x.rest["max"] and x.rest["step"] > 0, (s.node_id, x.id)
            if x.options:
                assert x.default is None or x.default in x.options


def test_advanced_inputs_are_marked_for_old_and_new(pack):
    marked = {(s.node_id, x.id) for s in schemas(pack).values() for x in s.inputs if getattr(x, "advanced", False)}
    assert ("NuggyLoader", "precision") in marked and ("GuidedFilterRefine", "epsilon") in marked
    assert all(
        x.extra_dict["advanced"] for s in schemas(pack).values() for x in s.inputs if (s.node_id, x.id) in marked
    )


def test_search_aliases_where_they_are_known(pack, new):
    for s in schemas(pack).values():
        assert not new or len(s.search_aliases) >= 4


def test_defaults_are_the_balanced_recipe(pack):
    from nuggy_nodes.core import recipe

    usual, found = recipe("balanced"), schemas(pack)
    for node in ("GuidedFilterRefine", "IslandRemove"):
        for x in found[node].inputs:
            name = "islands" if x.id == "keep" else x.id
            if hasattr(usual, name):
                assert x.default == getattr(usual, name), x.id


def test_node_choices_name_recipes(pack):
    from nuggy_nodes.core import RECIPES

    (views,) = (x for x in schemas(pack)["NuggyTTAMask"].inputs if x.id == "views")
    assert set(views.options) - {"custom"} <= set(RECIPES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_locale_covers_every_text(pack, language):
    folder = ROOT / "locales" / language
    assert json.loads((folder / "main.json").read_text(encoding="utf-8"))["nodeCategories"]["Nuggy"]
    texts = json.loads((folder / "nodeDefs.json").read_text(encoding="utf-8"))
    assert list(texts) == IDS
    for node, s in schemas(pack).items():
        assert set(texts[node]["inputs"]) == {x.id for x in s.inputs}
        assert set(texts[node]["outputs"]) == {str(i) for i in range(len(s.outputs))}
        parts = [*texts[node]["inputs"].values(), *texts[node]["outputs"].values()]
        assert all(p["name"] and p["tooltip"] for p in parts)
        everything = json.dumps(texts[node]["display_name"]) + "".join(p["tooltip"] + p["name"] for p in parts)
        assert not set(everything + texts[node]["description"]) & set("{}@|")  # these mean something to vue-i18n


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_choices_have_words_in_every_language(pack, language):
    """What the page shows for a choice (web/choices.js); numbers, sizes and files are the same everywhere."""
    texts = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    for node, s in schemas(pack).items():
        for x in s.inputs:
            words = texts[node]["inputs"][x.id].get("options", {})
            spoken = [] if x.id == "weights" else [o for o in x.options or () if not o.isdigit()]
            assert list(words) == spoken and len(set(words.values())) == len(words), (node, x.id)


@pytest.mark.parametrize("node", IDS)
def test_help_page_has_a_picture(node):
    text = (ROOT / "web" / "docs" / f"{node}.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert pictures
    for p in pictures:
        assert (ROOT / "web" / "docs" / Path(p).name).stat().st_size < 150_000


@pytest.mark.parametrize("node", IDS)
def test_help_page_names_every_setting_as_the_node_does(pack, node):
    """English pages are written by hand; those of the other languages are made of the texts."""
    page = (ROOT / "web" / "docs" / f"{node}.md").read_text(encoding="utf-8")
    bold = " ".join(re.findall(r"\*\*([^*]+)\*\*", page))
    inputs = [x for x in schemas(pack)[node].inputs if x.id not in ("image", "mask", "model", "background")]
    lacking = [x.display_name for x in inputs if x.display_name not in bold]
    assert not lacking


def test_example_workflows_have_thumbnails_and_known_nodes(pack):
    from nuggy_nodes.core import RECIPES  # noqa: F401 - the nodes' values below follow it

    files = sorted((ROOT / "example_workflows").glob("*.json"))
    assert len(files) >= 8 and files[0].name == "Cut out.json"
    found = schemas(pack)
    for f in files:
        assert f.with_suffix(".jpg").stat().st_size < 150_000
        graph = json.loads(f.read_text(encoding="utf-8"))
        ours = [n for n in graph["nodes"] if n["type"] in found]
        assert ours
        for n in ours:
            names = {i["name"] for i in n["inputs"]}
            assert names == {x.id for x in found[n["type"]].inputs}, (f.name, n["type"])


def test_the_inpainting_template_names_its_checkpoint():
    graph = json.loads((ROOT / "example_workflows" / "Inpaint the background.json").read_text(encoding="utf-8"))
    (loader,) = (n for n in graph["nodes"] if n["type"] == "CheckpointLoaderSimple")
    (model,) = loader["properties"]["models"]
    assert model["name"] == loader["widgets_values"][0] and model["directory"] == "checkpoints"
    assert model["url"].startswith("https://huggingface.co/") and model["url"].endswith("/" + model["name"])


@pytest.mark.parametrize("path", sorted((ROOT / "example_workflows").glob("*.json")), ids=lambda p: p.stem)
def test_nodes_of_a_workflow_do_not_lie_over_each_other(path):
    nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"]
    boxes = [(n["pos"][0], n["pos"][1] - 30, *n["size"], n["title"] if "title" in n else n["type"]) for n in nodes]
    for i, (x, y, w, h, one) in enumerate(boxes):  # 30 pixels are the title
        for u, v, a, b, other in boxes[:i]:
            assert x + w <= u or u + a <= x or y + h + 30 <= v or v + b + 30 <= y, (one, other)


def test_root_file_needs_no_comfyui():
    """pytest and other tools import the repository's __init__.py where there is no ComfyUI."""
    spec = importlib.util.spec_from_file_location("door", ROOT / "__init__.py")
    door = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(door)
    assert asyncio.iscoroutinefunction(door.comfy_entrypoint)
    assert (ROOT / door.WEB_DIRECTORY).is_dir()
    assert not hasattr(door, "NODE_CLASS_MAPPINGS")  # it would win over comfy_entrypoint


def test_nodes_import_nothing_heavy_and_edit_no_path():
    for f in (ROOT / "nuggy_nodes" / "nodes").glob("*.py"):
        tree = ast.parse(f.read_text(encoding="utf-8"))
        top = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))]
        names = {(getattr(n, "module", None) or n.names[0].name).split(".")[0] for n in top}
        assert not names & {"cv2", "PIL", "numpy", "safetensors", "server"}, f.name
        assert "sys.path" not in f.read_text(encoding="utf-8")


def test_the_first_id_of_composite_only_where_nobody_has_it(pack, state):
    listed = {n.define_schema().node_id: n for n in asyncio.run(pack.Nuggy().get_node_list())}
    old, new = listed["Composite"].define_schema(), listed["NuggyComposite"].define_schema()
    assert [x.id for x in old.inputs] == [x.id for x in new.inputs] and old.is_deprecated and not new.is_deprecated
    assert old.display_name == "Composite"  # another pack that takes the id later keeps no name of ours
    state.taken["Composite"] = object()
    ids = [n.define_schema().node_id for n in asyncio.run(pack.Nuggy().get_node_list())]
    assert ids == IDS


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "example_workflows").glob("*.json")) + sorted((ROOT / "subgraphs").glob("*.json")),
    ids=lambda p: p.stem,
)
def test_templates_use_the_id_that_nobody_takes(path):
    assert '"Composite"' not in path.read_text(encoding="utf-8")
