"""Which Pythons are looked at, on every platform, and which are told apart: Flatpak's, Snap's, the Store's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nuggy_nodes.bridge import bases, confined, find
from nuggy_nodes.bridge.find import Surroundings
from nuggy_nodes.bridge.launch import Launch, isolation, run_module

REPOSITORY = Path(__file__).resolve().parents[2]


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def found(home: Path, platform: str = "linux", plugin: Path = Path("/none"), **environ: str) -> list[tuple[str, str]]:
    launches = find.candidates(plugin, Surroundings(environ, home, platform))
    return [(p, f) for p, f in ((x.python, x.folder) for x in launches) if p.startswith(str(home))]


@pytest.mark.parametrize(
    ("platform", "environ", "place"),
    [
        ("linux", {}, ".local/share/nuggy/python/bin/python"),
        ("linux", {"XDG_DATA_HOME": "{}/data"}, "data/nuggy/python/bin/python"),
        ("linux", {"SNAP_USER_COMMON": "{}/common"}, "common/nuggy/python/bin/python"),
        ("darwin", {}, "Library/Application Support/Nuggy/python/bin/python"),
        ("win32", {"LOCALAPPDATA": "{}/Local"}, "Local/Nuggy/python/Scripts/python.exe"),
        ("linux", {}, ".local/share/pipx/venvs/nuggy-nodes/bin/python"),
        ("linux", {"PIPX_HOME": "{}/px"}, "px/venvs/nuggy-nodes/bin/python"),
        ("darwin", {}, "Library/Application Support/pipx/venvs/nuggy-nodes/bin/python"),
        ("win32", {}, "pipx/venvs/nuggy-nodes/Scripts/python.exe"),
        ("linux", {}, ".local/share/uv/tools/nuggy-nodes/bin/python"),
        ("linux", {"UV_TOOL_DIR": "{}/tools"}, "tools/nuggy-nodes/bin/python"),
        ("win32", {"APPDATA": "{}/Roaming"}, "Roaming/uv/tools/nuggy-nodes/Scripts/python.exe"),
    ],
)
def test_environments(tmp_path: Path, platform: str, environ: dict[str, str], place: str) -> None:
    assert found(tmp_path, platform) == []
    python = made(tmp_path / place)
    assert found(tmp_path, platform, **{k: v.format(tmp_path) for k, v in environ.items()}) == [(str(python), "")]


def test_nuggy_on_the_path_is_followed_to_its_python(tmp_path: Path) -> None:
    python = made(tmp_path / "env/bin/python")
    script = made(tmp_path / "env/bin/nuggy")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nuggy").symlink_to(script)
    assert found(tmp_path, PATH=str(tmp_path / "bin")) == [(str(python), "")]


@pytest.mark.parametrize(
    ("comfy", "python"),
    [
        ("ComfyUI_windows_portable/ComfyUI", "ComfyUI_windows_portable/python_embeded/python.exe"),
        ("ComfyUI", "ComfyUI/venv/bin/python"),
        ("Documents/ComfyUI", "Documents/ComfyUI/.venv/Scripts/python.exe"),
    ],
)
def test_comfyui(tmp_path: Path, comfy: str, python: str) -> None:
    interpreter = made(tmp_path / python)
    other = tmp_path / comfy / "custom_nodes" / "nuggy-of-another"
    other.mkdir(parents=True)
    assert found(tmp_path) == []
    pack = tmp_path / comfy / "custom_nodes" / "Nuggy"
    made(pack / "nuggy_nodes" / "__init__.py")
    assert found(tmp_path) == [(str(interpreter), str(pack))]


def test_cards_of_other_gimps_come_first(tmp_path: Path) -> None:
    own, served = made(tmp_path / ".local/share/nuggy/python/bin/python"), made(tmp_path / "served")
    card = tmp_path / "GIMP/3.0/plug-ins/nuggy/worker.json"
    card.parent.mkdir(parents=True)
    Launch(str(served), "/repository").write(card)
    assert found(tmp_path, plugin=tmp_path / "GIMP/3.2/plug-ins/nuggy") == [
        (str(served), "/repository"),
        (str(own), ""),
    ]


def test_trouble(tmp_path: Path) -> None:
    assert find.trouble(sys.executable, str(REPOSITORY)) == ""
    assert "cannot be run" in find.trouble(str(tmp_path / "none"))
    assert "has no Nuggy" in find.trouble("/bin/false")
    old = tmp_path / "nuggy_nodes" / "bridge"
    made(old.parent / "__init__.py")
    made(old / "__init__.py")
    (old / "client.py").write_text("class protocol: VERSION = 1\n")
    assert "of another version" in find.trouble(sys.executable, str(tmp_path))


def test_an_embedded_python_is_given_its_path(tmp_path: Path) -> None:
    """It ignores the current folder: what is run then is run isolated here, and answers from the repository."""
    made(tmp_path / "python312._pth")
    arguments = run_module(str(tmp_path / "python.exe"), str(REPOSITORY))
    assert arguments[0] == "-c" and run_module("/usr/bin/python3", str(REPOSITORY))[0] == "-m"
    done = subprocess.run(
        [sys.executable, "-I", "-u", *arguments, "--help"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "Nuggy's worker for GIMP" in done.stdout, done.stderr
    assert isolation("") == ["-I"]


def test_environment_that_links_to_the_system(tmp_path: Path) -> None:
    env = tmp_path / "env"
    (env / "bin").mkdir(parents=True)
    (env / "bin" / "python3").symlink_to("/usr/bin/python3")
    (env / "bin" / "python").symlink_to("python3")
    assert confined.from_system(str(env / "bin" / "python")) == "/usr/bin/python3"
    mine = made(tmp_path / "mine" / "python3.12")
    (env / "bin" / "python3").unlink()
    (env / "bin" / "python3").symlink_to(mine)
    assert confined.from_system(str(env / "bin" / "python")) == ""
    (env / "pyvenv.cfg").write_text("home = /usr/bin\n")  # a copy, as --copies makes it
    assert confined.from_system(str(env / "bin" / "python")) == "/usr/bin/python"


def test_store_python(tmp_path: Path) -> None:
    store = "C:\\Program Files\\WindowsApps\\PythonSoftwareFoundation.Python.3.12_3.12.1_x64__qbz5n2kfra8p0"
    python = made(tmp_path / "env" / "Scripts" / "python.exe")
    assert not confined.from_store(str(python))
    (tmp_path / "env" / "pyvenv.cfg").write_text(f"home = {store}\n")
    assert confined.from_store(str(python)) and confined.from_store(store + "\\python.exe")


def test_sandbox(tmp_path: Path) -> None:
    none = str(tmp_path / "none")
    assert confined.sandbox({}, none) == ""
    assert confined.sandbox({}, str(made(tmp_path / "info"))) == "flatpak"
    assert confined.sandbox({"SNAP": "/snap/gimp/1", "SNAP_NAME": "gimp"}, none) == "snap"
    around = Surroundings({"XDG_CACHE_HOME": "/c"}, tmp_path, "linux")
    assert find.meeting(around, "flatpak") == "/c/nuggy" and find.meeting(around, "") == ""


def test_base_pythons(tmp_path: Path) -> None:
    """Nothing twice, GIMP's own last, and not at all where GIMP brings it."""
    one = made(tmp_path / "bin" / "python3.12")
    (tmp_path / "bin" / "python3").symlink_to(one)
    gimps = made(tmp_path / "gimp" / "python3")
    around = Surroundings({"PATH": str(tmp_path / "bin")}, tmp_path, "linux")
    assert [p for p in bases.pythons(around, str(gimps)) if p.startswith(str(tmp_path))] == [str(one), str(gimps)]
    mac = Surroundings({"PATH": os.pathsep.join([str(gimps.parent), str(tmp_path / "bin")])}, tmp_path, "darwin")
    assert [p for p in bases.pythons(mac, str(gimps)) if p.startswith(str(tmp_path))] == [str(one)]
    assert bases.usable("/bin/false") and "No such file" in bases.usable(str(tmp_path / "none"))
    assert bases.usable(os.path.join(sys.base_prefix, "bin", "python3")) == ""


@pytest.mark.parametrize(
    ("platform", "machine", "card", "environ", "index"),
    [
        ("linux", "x86_64", False, {}, "cpu"),
        ("linux", "x86_64", True, {}, ""),
        ("linux", "aarch64", False, {}, ""),
        ("linux", "x86_64", False, {"PIP_NO_INDEX": "1"}, ""),
        ("win32", "AMD64", True, {}, "cu126"),
        ("win32", "AMD64", False, {}, ""),
        ("darwin", "arm64", False, {}, ""),
    ],
)
def test_torch_for_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, machine: str, card: bool, environ: dict, index: str
) -> None:
    monkeypatch.setattr(bases, "nvidia", lambda _around: card)
    source = bases.torch_source(Surroundings(environ, tmp_path, platform), machine)
    assert source == (["--index-url", f"https://download.pytorch.org/whl/{index}"] if index else [])
