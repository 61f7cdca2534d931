"""Where plug-in and worker meet: the folder is the user's own, or it is refused."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nuggy_nodes.bridge.place import Place, PlaceError, default_folder

posix = pytest.mark.skipif(os.name != "posix", reason="modes and owners are Unix's")


def test_default_folder_by_platform(tmp_path: Path) -> None:
    assert default_folder({"XDG_RUNTIME_DIR": str(tmp_path)}, "linux") == tmp_path / "nuggy"
    local = default_folder({"LOCALAPPDATA": "C:/Users/me/AppData/Local"}, "win32")
    assert local.parts[-2:] == ("Nuggy", "bridge") and "AppData" in local.parts
    assert default_folder({}, "darwin").parts[-2:] == ("Caches", "nuggy")


@posix
@pytest.mark.parametrize("runtime", [None, "", "relative", "/nonexistent"])
def test_without_a_runtime_folder_the_name_has_the_user(runtime: str | None) -> None:
    env = {} if runtime is None else {"XDG_RUNTIME_DIR": runtime}
    assert default_folder(env, "linux").name == f"nuggy-{os.getuid()}"


@posix
def test_folder_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    for name in ("new", "open"):
        Place(tmp_path / name).prepare()
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o700


@posix
def test_link_and_file_in_its_place_are_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").write_text("")
    for name in ("link", "file"):
        with pytest.raises(PlaceError, match="not a folder of yours"):
            Place(tmp_path / name).prepare()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a folder away")
def test_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    with pytest.raises(PlaceError, match="not a folder of yours"):
        Place(tmp_path / "theirs").prepare()


@posix
def test_log_and_lock_are_no_way_out(tmp_path: Path) -> None:
    """A link where the log or the lock belongs is not followed."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    place = Place(tmp_path / "p")
    place.prepare()
    for path, act in ((place.log, place.open_log), (place.lock, place.take_lock)):
        path.symlink_to(victim)
        with pytest.raises(OSError):
            act()
    assert victim.read_text() == "precious"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no socket paths")
def test_socket_path_too_long(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="too long"):
        Place(tmp_path / ("x" * 90) / "nuggy", loopback=False).prepare()


@posix
def test_a_worker_and_its_client_where_there_are_no_unix_sockets(tmp_path: Path) -> None:
    """Started, warm, asked to end: by loopback port and secret, in the user's profile, with Windows's modules only."""
    script = Path(__file__).with_name("as_windows.py")
    env = {**os.environ, "LOCALAPPDATA": str(tmp_path)}
    ran = subprocess.run([sys.executable, script, "ask"], env=env, capture_output=True, text=True, timeout=60)
    assert ran.stdout.splitlines() == [
        "['start'] [255, 254, 253, 0]",
        "[] [255, 254, 253, 0]",
        f"{tmp_path / 'Nuggy' / 'bridge'} ['worker.json', 'worker.lock', 'worker.log'] True",
        "True False",
    ], ran.stderr


def test_one_lock(tmp_path: Path) -> None:
    place = Place(tmp_path / "p")
    place.prepare()
    first = place.take_lock()
    assert first and place.take_lock() is None
    first.close()
    again = place.take_lock()
    assert again
    again.close()


def test_cleared_nothing_is_left_but_what_is_not_ours(tmp_path: Path) -> None:
    place = Place(tmp_path / "nuggy")
    place.clear()  # there is none
    place.prepare()
    place.open_log().close()
    held = place.take_lock()
    assert held
    held.write(b"%d\n" % os.getpid())
    place.clear()
    assert place.lock.exists() and place.log.exists(), "a worker is there"
    held.close()
    mine = place.folder / "mine"
    mine.touch()
    place.clear()
    assert list(place.folder.iterdir()) == [mine]
    mine.unlink()
    place.clear()
    assert not place.folder.exists()
