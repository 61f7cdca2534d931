"""Everything in the pack that registers, patches or sets what belongs to the whole process, or to the whole page.

One list, found in the source by its shape: an assignment to a part of an imported module, and a call by a name of those
that register or set. What is not on it here fails. Then the same by running the pack in a process of its own.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "nuggy_nodes"
SETS = re.compile(
    r"register|^add_model|^add_route|^set_|^setattr$|^delattr$|_patch|^patch|^simplefilter$|^filterwarnings$|^basicConfig$"
    r"|^setLevel$|^addHandler$|^manual_seed|^chdir$|^putenv$|^umask$|^signal$|^setlocale$|^Library$|^excepthook$"
)
OPENS = {"PromptServer", "WEB_DIRECTORY", "NODE_CLASS_MAPPINGS", "comfy_entrypoint"}  # doors of ComfyUI's by name
DOORS = {
    ("__init__.py", "WEB_DIRECTORY"),  # help pages, web/choices.js and web/notes.js
    ("__init__.py", "comfy_entrypoint"),
    ("nodes/__init__.py", "models.register()"),
    ("nodes/models.py", "folder_paths.add_model_folder_path()"),  # models/nuggy
    ("nodes/models.py", "folder_paths.folder_names_and_paths[] ="),  # of it, the suffixes
    ("nodes/__init__.py", "NODE_CLASS_MAPPINGS"),  # read: whether somebody has `Composite`
    ("nodes/settings.py", "setattr()"),  # on a mask of ours: the recipe it was made with
    ("core/recipes.py", "object.__setattr__()"),  # on a recipe of ours, while it is made
    ("core/ops/thread_pool.py", "torch.set_num_threads()"),  # of its own threads; then the process's, as it was
    ("core/ops/thread_pool.py", "os.register_at_fork()"),  # a child process forgets our threads
    ("core/network/convert.py", "warnings.simplefilter()"),  # within catch_warnings
    ("core/network/calibrate.py", ".manual_seed()"),  # of a generator of its own
    ("core/network/calibrate.py", "module.register_forward_hook()"),  # on a network of ours; taken off again
}


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Subscript):
        return f"{dotted(node.value)}[]"
    return node.id if isinstance(node, ast.Name) else ""


def touched(tree: ast.Module) -> set[str]:
    """What a file's code sets outside itself, or registers."""
    modules = {(a.asname or a.name).split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    found = set()
    for n in ast.walk(tree):
        if isinstance(n, ast.Call):
            name = dotted(n.func)
            own = name == "self.register_buffer"  # a module's own
            if (SETS.search(name.rpartition(".")[2]) and not own) or name == "object.__setattr__":
                found.add(f"{name}()")
        targets = n.targets if isinstance(n, (ast.Assign, ast.Delete)) else [getattr(n, "target", None)]
        if isinstance(n, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)):
            names = [dotted(t) for t in targets if isinstance(t, (ast.Attribute, ast.Subscript))]
            found |= {f"{m} =" for m in names if re.split(r"[.\[]", m)[0] in modules}
        spoken = {getattr(n, a, None) for a in ("id", "attr", "name")} & OPENS
        found |= spoken
    return found


def test_the_list_is_whole():
    files = [ROOT / "__init__.py", PACKAGE / "__init__.py"]
    files += [p for room in ("nodes", "core") for p in (PACKAGE / room).rglob("*.py")]
    found = set()
    for path in files:
        where = path.relative_to(PACKAGE if PACKAGE in path.parents else ROOT).as_posix()
        found |= {(where, what) for what in touched(ast.parse(path.read_text(encoding="utf-8")))}
    assert found == DOORS


def test_the_finder_finds():
    code = (
        "import os, torch, sys as s, m.n\nos.environ['A'] = '1'\ntorch.backends.cudnn.benchmark = True\ns.path += []\n"
    )
    code += "m.n.Class.method = print\ntorch.manual_seed(3)\ndel os.environ['A']\n"
    assert touched(ast.parse(code)) == {"os.environ[] =", "torch.backends.cudnn.benchmark =", "s.path =",
                                        "m.n.Class.method =", "torch.manual_seed()"}  # fmt: skip


def test_on_the_page_extensions_that_look_at_our_nodes_only():
    found = {}
    for script in (ROOT / "web").rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        found[script.name] = set(re.findall(r"\b(?:app|api|window|document|LiteGraph)(?:\.\w+)+(?=\()", text))
        assert not re.search(r"prototype|(?:app|api|window|document|LiteGraph)(?:\.\w+)* = ", text)
    assert found == {
        "choices.js": {"app.registerExtension", "app.extensionManager.setting.get", "api.fetchApi"},
        "notes.js": {"app.registerExtension", "api.addEventListener", "document.createElement"},
    }
    assert 'endsWith("/Nuggy")) return;' in (ROOT / "web" / "choices.js").read_text(encoding="utf-8")
    assert "if (!isOurs(own)) return;" in (ROOT / "web" / "notes.js").read_text(encoding="utf-8")


RUN = """
import asyncio, importlib, os, random, signal, sys, warnings, logging
sys.path[:0] = [{here!r}, {root!r}]
import cv2, numpy, PIL.Image, torch, pytest, fake_comfy
fake_comfy.install(pytest.MonkeyPatch(), True, {models!r})
import sympy  # torch before 2.5 imports it late, and it adds a filter of warnings
torch.arange(9.0).sum()

def state():
    return dict(
        environment=dict(os.environ), path=list(sys.path), finders=list(map(repr, sys.meta_path)), cwd=os.getcwd(),
        hooks=(sys.excepthook, sys.displayhook), warnings=list(warnings.filters),
        handlers=list(logging.root.handlers), level=logging.root.level, disabled=logging.root.manager.disable,
        signals=[signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)], threads=torch.get_num_threads(),
        dtype=torch.get_default_dtype(), device=torch.get_default_device(), grad=torch.is_grad_enabled(),
        exact=torch.are_deterministic_algorithms_enabled(), cudnn=torch.backends.cudnn.benchmark,
        tf32=torch.backends.cuda.matmul.allow_tf32, matmul=torch.get_float32_matmul_precision(),
        opencv=cv2.getNumThreads(), pixels=PIL.Image.MAX_IMAGE_PIXELS, numpy=str(numpy.geterr()),
        chance=(random.getstate(), torch.get_rng_state().tolist(), str(numpy.random.get_state())),
    )

before = state()
pack = importlib.import_module("nuggy_nodes.nodes")
listed = {{n.__name__: n for n in asyncio.run(pack.Nuggy().get_node_list())}}
model = listed["NuggyLoader"].execute("isnet-general-use-8bit.safetensors", "float32").args[0]
image = torch.linspace(0, 1, 3 * 256 * 320).reshape(1, 256, 320, 3)
mask = listed["NuggyTTAMask"].execute(model, image, "custom", "auto", "256", 0).args[0]
mask = listed["GuidedFilterRefine"].execute(image, mask).args[0]
mask = listed["IslandRemove"].execute(mask).args[0]
listed["NuggyComposite"].execute(image, mask, "#ffffff", "cover", "multilevel")
after = state()
changed = [k for k in before if before[k] != after[k]]
assert not changed, changed
"""


@pytest.mark.slow
def test_a_run_leaves_the_process_as_it_was(tmp_path):
    code = RUN.format(here=str(Path(__file__).parent), root=str(ROOT), models=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
