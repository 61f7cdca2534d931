"""The tests against real parts, one command each; whatever is missing on this machine is installed first.

    python tests/comfyui/run.py http        a real ComfyUI, driven over HTTP
    python tests/comfyui/run.py clip        the template for clips: frames, rate and sound
    python tests/comfyui/run.py chaining    the same with samplers and small models of random weights
    python tests/comfyui/run.py odd         in odd surroundings: neighbours, broken weights, pictures of every kind
    python tests/comfyui/run.py browser     its page in a real Chromium
    python tests/comfyui/run.py registry    the pack as the registry's own checker sees it
    python tests/comfyui/run.py pip         what installing it does to the packages that are there: nothing
    python tests/comfyui/run.py clash       beside a pack that has a node id of ours
    python tests/comfyui/run.py all
    python tests/comfyui/run.py draw        no test: makes example_workflows/, subgraphs/ and the README's screenshot

More arguments go to pytest. NUGGY_COMFYUI=folder runs the same tests against another ComfyUI tree (its main.py), in
the environment $NUGGY_COMFYUI_PYTHON or the one that is built here. NUGGY_FRONT_END=1.58.1 puts that version of the
page before the server.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.comfyui import install

SUITES = {
    "http": "test_http.py",
    "clip": "test_clip.py",
    "odd": "test_odd.py",
    "chaining": "test_chaining.py",
    "browser": "test_browser.py",
    "registry": "test_registry.py",
    "pip": "test_pip.py",
    "clash": "test_clash.py",
}


def main() -> int:
    which, *more = sys.argv[1:] or ["all"]
    if which not in (*SUITES, "all", "draw"):
        raise SystemExit(__doc__)
    folder = install.server()
    if which in ("browser", "all", "draw"):
        install.browser()
    if which in ("registry", "pip", "all"):
        install.comfy_cli()
    here = Path(__file__).resolve().parent
    if which == "draw":
        return subprocess.run(
            [str(install.python(folder)), "-m", "tests.comfyui.draw", *more], cwd=here.parents[1]
        ).returncode
    files = [here / name for key, name in SUITES.items() if which in (key, "all")]
    command = [install.python(folder), "-m", "pytest", "--import-mode=importlib", *files, *more]
    return subprocess.run([str(c) for c in command], cwd=here.parents[1]).returncode


if __name__ == "__main__":
    sys.exit(main())
