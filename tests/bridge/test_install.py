"""The installer on folders of every kind: what is found, what is written, what is never touched."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from nuggy_nodes.bridge import client, confined, install
from nuggy_nodes.bridge.install import Configuration, InstallError
from nuggy_nodes.bridge.launch import Launch, WorkerError, clean_environment
from nuggy_nodes.bridge.place import Place
from nuggy_nodes.cli import main
from nuggy_nodes.cli.gimp import _wall as wall

LAUNCH = Launch(sys.executable, "/somewhere")


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    folder = tmp_path / "GIMP" / "3.0"
    folder.mkdir(parents=True)
    return Configuration(folder)


def test_every_configuration_is_found(tmp_path: Path) -> None:
    flatpak = ".var/app/org.gimp.GIMP/config/GIMP/3.0"
    for name in (".config/GIMP/3.0", ".config/GIMP/3.2", ".config/GIMP/2.10", ".config/GIMP/3.x", flatpak):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / ".config/GIMP/3.4").write_text("a file")
    found = install.configurations({}, tmp_path, "linux")
    assert [c.folder.relative_to(tmp_path).as_posix() for c in found] == [
        ".config/GIMP/3.0",
        ".config/GIMP/3.2",
        flatpak,
    ]
    assert [c.flatpak for c in found] == [False, False, True]
    assert found[2].runtime == str(tmp_path / ".var/app/org.gimp.GIMP/cache/nuggy") and found[0].runtime == ""


def test_other_platforms_and_variables(tmp_path: Path) -> None:
    for name in ("Roaming/GIMP/3.0", "Library/Application Support/GIMP/3.2", "xdg/GIMP/3.0", "mine"):
        (tmp_path / name).mkdir(parents=True)
    assert install.configurations({"APPDATA": str(tmp_path / "Roaming")}, tmp_path, "win32")
    assert install.configurations({}, tmp_path, "darwin")[0].folder.name == "3.2"
    env = {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "GIMP3_DIRECTORY": str(tmp_path / "mine")}
    found = install.configurations(env, tmp_path, "linux")
    assert [c.folder for c in found] == [tmp_path / "mine", tmp_path / "xdg/GIMP/3.0"]


def test_installed_and_removed(configuration: Configuration) -> None:
    assert install.differences(configuration) == ["not installed"]
    count = install.install(configuration, LAUNCH)
    target = configuration.target
    assert count == sum(p.is_file() for p in target.rglob("*"))
    assert install.differences(configuration) == []
    assert Launch.read(target / "worker.json") == LAUNCH
    for name in ("nuggy.py", "nuggy_bridge/protocol.py", "locale/ko/LC_MESSAGES/nuggy.mo", "help/en/gimp-help.xml"):
        assert (target / name).is_file()
    if os.name == "posix":
        assert os.access(target / "nuggy.py", os.X_OK) and stat.S_IMODE(target.stat().st_mode) == 0o755
    assert (target / "nuggy.py").read_text().startswith("#!/usr/bin/env python3\n")
    (target / "nuggy_bridge" / "__pycache__").mkdir()
    (target / "nuggy_bridge" / "__pycache__" / "x.pyc").write_bytes(b"")
    assert install.remove(configuration) == []
    assert not target.exists() and list(target.parent.iterdir()) == []
    assert install.remove(configuration) == []  # once more does no harm


def test_other_version_is_noticed_and_replaced(configuration: Configuration) -> None:
    install.install(configuration, LAUNCH)
    (configuration.target / "words.py").write_text("old")
    (configuration.target / "layers.py").unlink()
    assert install.differences(configuration) == ["layers.py is missing", "words.py is of another version"]
    install.install(configuration, LAUNCH)
    assert install.differences(configuration) == []


def test_files_of_others_stay(configuration: Configuration) -> None:
    install.install(configuration, LAUNCH)
    notes = configuration.target / "notes.txt"
    notes.write_text("mine")
    install.install(configuration, LAUNCH)
    assert notes.read_text() == "mine" and install.differences(configuration) == []
    assert install.remove(configuration) == ["notes.txt"] and notes.read_text() == "mine"


def test_folder_of_somebody_else_is_refused(configuration: Configuration) -> None:
    configuration.target.mkdir(parents=True)
    (configuration.target / "nuggy.py").write_text("other")
    for act in (lambda: install.install(configuration, LAUNCH), lambda: install.remove(configuration)):
        with pytest.raises(InstallError, match="was not made by"):
            act()
    assert (configuration.target / "nuggy.py").read_text() == "other"


def test_link_is_replaced_and_its_target_stays(configuration: Configuration, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "nuggy.py").write_text("source")
    configuration.target.parent.mkdir()
    configuration.target.symlink_to(precious)
    install.install(configuration, LAUNCH)
    assert not configuration.target.is_symlink() and install.differences(configuration) == []
    assert [p.name for p in precious.iterdir()] == ["nuggy.py"]


@pytest.mark.parametrize(
    "name", ["../../victim", "/etc/passwd", "a/../../../victim", "C:\\victim", "..\\..\\victim", "", 3, None]
)
def test_manifest_that_leads_out_is_refused(configuration: Configuration, name: object) -> None:
    install.install(configuration, LAUNCH)
    victim = configuration.folder / "victim"
    victim.write_text("precious")
    (configuration.target / "installed.json").write_text(json.dumps({"files": [name]}))
    with pytest.raises(InstallError, match="not in the folder"):
        install.remove(configuration)
    assert victim.exists() and (configuration.target / "nuggy.py").exists()


def test_link_inside_is_not_followed(configuration: Configuration, tmp_path: Path) -> None:
    install.install(configuration, LAUNCH)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "protocol.py").write_text("precious")
    bridge = configuration.target / "nuggy_bridge"
    for p in bridge.iterdir():
        p.unlink()
    bridge.rmdir()
    bridge.symlink_to(outside)
    install.remove(configuration)
    assert (outside / "protocol.py").read_text() == "precious"


def test_folder_that_cannot_be_written(configuration: Configuration) -> None:
    (configuration.folder / "plug-ins").write_text("a file")
    with pytest.raises(InstallError, match="cannot be written"):
        install.install(configuration, LAUNCH)


def test_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="start this GIMP once"):
        install.install(Configuration(tmp_path / "none"), LAUNCH)


def test_python_is_recorded_as_it_was_given(tmp_path: Path) -> None:
    launch = install.this_launch(Configuration(tmp_path), device="cpu")
    assert launch.python == os.path.abspath(sys.executable) and launch.device == "cpu"
    command = launch.command()
    assert command[-9:-6] == ["-u", "-m", "nuggy_nodes.bridge"]
    assert ("-I" in command) == (launch.folder == "")
    for python, words in (("/nonexistent/python", "cannot be run"), ("/bin/false", "has no Nuggy")):
        with pytest.raises(InstallError, match=words):
            install.this_launch(Configuration(tmp_path), python)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"python": 3}', '{"python": "python3"}', '{"python": "/x", "more": 1}']
)
def test_settings_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "worker.json").write_text(text)
    with pytest.raises(WorkerError, match="cannot be read"):
        Launch.read(tmp_path / "worker.json")


def test_environment_of_a_bundle_is_left_behind() -> None:
    env = {
        "PYTHONHOME": "/bundle", "LD_LIBRARY_PATH": "/bundle", "GI_TYPELIB_PATH": "/bundle", "APPDIR": "/tmp/.mount_x",
        "PATH": os.pathsep.join(["/tmp/.mount_x/usr/bin", "/usr/bin"]), "HOME": "/home/me", "LANG": "ko_KR.UTF-8",
    }  # fmt: skip
    assert clean_environment(env) == {"PATH": "/usr/bin", "HOME": "/home/me", "LANG": "ko_KR.UTF-8"}


def test_commands(configuration: Configuration, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--config", str(configuration.folder)]
    assert main(["gimp", "check", *where]) == 1 and "not installed" in capsys.readouterr().out
    assert main(["gimp", "uninstall", *where]) == 0 and "not installed" in capsys.readouterr().out
    assert main(["gimp", "install", "--python", "/bin/false", *where]) == 1
    assert "has no Nuggy" in capsys.readouterr().err and not configuration.target.exists()


def worker_json(configuration: Configuration) -> str:
    return (configuration.target / "worker.json").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "words"),
    [(["--device", "no-such-device"], "no-such-device"), (["--python", "/bin/false"], "has no Nuggy")],
)
def test_wrong_device_or_python_keeps_what_works(
    configuration: Configuration, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, wrong: list[str],
    words: str,
) -> None:  # fmt: skip
    """The card and the files stay, no worker of the refused kind is left, and the old one answers again."""
    runtime = configuration.folder.parents[1] / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    where = ["--config", str(configuration.folder)]
    try:
        assert main(["gimp", "install", "--device", "cpu", *where]) == 0
        before = worker_json(configuration)
        assert main(["gimp", "install", *wrong, *where]) == 1
        said = capfd.readouterr()
        assert words in said.out + said.err
        assert worker_json(configuration) == before and install.differences(configuration) == []
        assert main(["gimp", "check", *where]) == 0
        assert main(["gimp", "uninstall", *where]) == 0
        assert main(["gimp", "install", *wrong, *where]) == 1 and not configuration.target.exists()
    finally:
        client.quit(Place(runtime / "nuggy"))


def test_walls_are_told(tmp_path: Path) -> None:
    """Flatpak and a Python that leads to /usr; Snap; the Store's."""
    env = tmp_path / "env" / "bin"
    env.mkdir(parents=True)
    (env / "python").symlink_to("/usr/bin/python3")
    flatpak = Configuration(tmp_path, flatpak=True)
    assert "leads to /usr/bin/python3" in wall(flatpak, str(env / "python"))
    own = tmp_path / "python3"
    own.touch(mode=0o755)
    assert wall(flatpak, str(own)) == "" and wall(Configuration(tmp_path), str(env / "python")) == ""
    assert "Snap" in wall(Configuration(tmp_path, snap=True), str(own))
    store = tmp_path / "WindowsApps" / "python.exe"
    with pytest.raises(InstallError, match="Microsoft Store"):
        install.this_launch(Configuration(tmp_path), str(store))


def test_flatpak_behind_a_wall_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The files are written, for `nuggy gimp serve`, and that GIMP cannot start this Python is said, now and later."""
    folder = tmp_path / ".var/app/org.gimp.GIMP/config/GIMP/3.0"
    folder.mkdir(parents=True)
    monkeypatch.setattr(install, "configurations", lambda: [Configuration(folder, flatpak=True)])
    monkeypatch.setattr(confined, "from_system", lambda _python: "/usr/bin/python3.11")
    assert main(["gimp", "install", "--device", "cpu"]) == 1
    said = capsys.readouterr().out
    assert "cannot start this Python" in said and "answers" not in said and "Restart GIMP" not in said
    assert install.differences(Configuration(folder, flatpak=True)) == []
    assert not Place(folder.parents[2] / "cache" / "nuggy").worker()
