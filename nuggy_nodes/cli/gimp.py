"""`nuggy gimp install|check|uninstall|serve`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..bridge.install import Configuration


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("gimp", help="put the filter into GIMP 3, look after it, take it out")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    p = actions.add_parser(
        "install",
        help="write the plug-in into every GIMP 3 configuration of yours",
        description="Writes the plug-in into every GIMP 3 configuration of yours, records which Python serves it, and "
        "checks that its worker answers. GIMP shows it as Filters > Nuggy after its next start.",
    )
    _add_config(p)
    p.add_argument("--python", default="", help="the Python that serves it (default: this one)")
    p.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    p.set_defaults(run=_install)

    p = actions.add_parser("check", help="say where it is installed and whether its worker answers")
    _add_config(p)
    p.set_defaults(run=_check)

    p = actions.add_parser("uninstall", help="take it out of every GIMP 3 configuration of yours")
    _add_config(p)
    p.set_defaults(run=_uninstall)

    p = actions.add_parser(
        "serve",
        help="run the worker in this terminal, for a Flatpak that cannot start this Python",
        description="Runs the worker until Ctrl-C. Only needed where GIMP cannot start it, as from a Flatpak when the "
        "Python lies in /usr.",
    )
    _add_config(p)
    p.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    p.set_defaults(run=_serve)


def _add_config(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--config", type=Path, metavar="DIR", help="only this GIMP configuration (such as ~/.config/GIMP/3.0)"
    )


def _configurations(args: argparse.Namespace) -> list[Configuration]:
    from ..bridge.install import Configuration, InstallError, configurations

    found = configurations()
    if args.config:
        wanted = args.config.resolve()
        return [c for c in found if c.folder.resolve() == wanted] or [Configuration(args.config)]
    if not found:
        raise InstallError("no GIMP 3 configuration here; start GIMP 3 once, or name its folder with --config")
    return found


def _install(args: argparse.Namespace) -> int:
    from ..bridge import client, install

    failed = 0
    for configuration in _configurations(args):
        try:
            launch = install.this_launch(configuration, args.python, args.device)
            client.quit(launch.place())  # one of an older version, perhaps
            print(configuration)
            wall = _wall(configuration, launch.python)
            print(f"  {wall}" if wall else f"  served by {' '.join(launch.command())}"
                  + (f" in {launch.folder}" if launch.folder else ""))  # fmt: skip
            if not wall and not _answers(launch):  # asked before anything is replaced that works
                client.quit(launch.place())  # it would answer for the one that was installed
                print("  nothing was written" + ("; what was installed stays" if configuration.target.exists() else ""))
                failed += 1
                continue
            count = install.install(configuration, launch)
            print(f"  {configuration.target}: {count} files written")
            failed += bool(wall)
        except install.InstallError as e:
            print(f"nuggy: {e}", file=sys.stderr)
            failed += 1
    if not failed:
        print("Restart GIMP; the filter is Filters > Nuggy > Remove Background...")
    return 1 if failed else 0


def _wall(configuration: Configuration, python: str) -> str:
    """What stands between this GIMP and that Python, and what to do; "" if nothing does."""
    from ..bridge import confined

    system = confined.from_system(python)
    if configuration.flatpak and system:
        return (
            f"Flatpak's GIMP cannot start this Python: it leads to {system}, and inside a Flatpak that is another or "
            "none. Choose Set up... in the filter, or use a Python that lies in your home folder as a whole (uv's, "
            "conda's, pyenv's), or run `nuggy gimp serve` while you use it"
        )
    if configuration.snap:
        return (
            "Snap's GIMP cannot start a Python outside of its snap. Choose Set up... in the filter, which makes one "
            "inside, or use GIMP's Flatpak or your distribution's GIMP"
        )
    return ""


def _check(args: argparse.Namespace) -> int:
    from ..bridge import install
    from ..bridge.launch import SETTINGS, Launch, WorkerError

    failed = 0
    for configuration in _configurations(args):
        wrong = install.differences(configuration)
        print(f"{configuration}: {'; '.join(wrong) if wrong else 'installed'}")
        failed += bool(wrong)
        if wrong == ["not installed"]:
            continue
        try:
            launch = Launch.read(configuration.target / SETTINGS)
            wall = _wall(configuration, launch.python)
            if wall:
                print(f"  {wall}")
            failed += bool(wall) or not _answers(launch)
        except WorkerError as e:
            print(f"  {e}; run `nuggy gimp install`")
            failed += 1
    return 1 if failed else 0


def _answers(launch: Any) -> bool:
    from ..bridge import client
    from ..bridge.launch import WorkerError

    try:
        about = client.ping(launch)
    except WorkerError as e:
        print("  its worker does not answer: " + str(e).replace("\n", "\n    "))
        return False
    print(f"  its worker answers: Nuggy {about['nuggy']}, Python {about['python']}, torch {about['torch']}, "
          f"{about['device']}, {about['weights']}")  # fmt: skip
    return True


def _uninstall(args: argparse.Namespace) -> int:
    from ..bridge import client, install
    from ..bridge.find import Surroundings
    from ..bridge.launch import Launch

    failed = 0
    for configuration in _configurations(args):
        target = configuration.target
        if not target.exists() and not target.is_symlink():
            print(f"{configuration}: not installed")
            continue
        try:
            stays = install.remove(configuration)
            place = Launch(sys.executable, runtime=configuration.runtime).place()
            client.quit(place)
            place.clear()
        except install.InstallError as e:
            print(f"nuggy: {e}", file=sys.stderr)
            failed += 1
            continue
        print(f"{target}: removed" + (f", but for {', '.join(stays)}, which Nuggy has not put there" if stays else ""))
    own = Surroundings.here().own_python()
    if own.exists():
        print(f"Nuggy's own Python, which Set up... in the filter has made, stays; delete {own} to be rid of it")
    return 1 if failed else 0


def _serve(args: argparse.Namespace) -> int:
    import os

    from ..bridge import install

    found = _configurations(args)
    configuration = next((c for c in found if c.flatpak), found[0])
    launch = install.this_launch(configuration, device=args.device)
    command = launch.command()
    command[command.index("--idle") + 1] = "0"
    os.chdir(launch.folder or os.getcwd())
    print(f"serving {configuration}; Ctrl-C ends")
    sys.stdout.flush()
    os.execv(command[0], command)
