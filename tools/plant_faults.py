"""Plants the faults of faults.txt in the core, one at a time, and counts how many the tests notice.

    python tools/plant_faults.py                 # all; exit status 1 under 90 %
    python tools/plant_faults.py refine/ work    # those of a room or a file
    python tools/plant_faults.py --check         # plants nothing: is every fault's line still in its file?

A fault is a line of faults.txt, below the file of the core that it stands in: what is there => what is planted. The
tests that run are those at the same place under tests/core/. Nothing is written: a process of its own compiles the file
with the fault in it, so it works where processes fork (not on Windows), and tests that start a Python of their own see
none of it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
CORE, TESTS = ROOT / "nuggy_nodes" / "core", ROOT / "tests" / "core"
ENOUGH = 0.9  # of the faults
SECONDS = 240.0  # after which a fault counts as noticed: somebody would see that the tests do not end


class Fault(NamedTuple):
    """In a file below core/: the text that is there, and the one that is planted."""

    file: str
    there: str
    planted: str

    def source(self) -> str:
        """The file with the fault in it. Raises ValueError unless the text stands there exactly once."""
        text = (CORE / self.file).read_text(encoding="utf-8")
        if text.count(self.there) != 1:
            raise ValueError(f"{self.file}: {self.there!r} stands there {text.count(self.there)} times")
        return text.replace(self.there, self.planted)

    def __str__(self) -> str:
        return f"{self.file}: {self.there}  =>  {self.planted}"


def faults() -> list[Fault]:
    """All of faults.txt."""
    found, file = [], ""
    for line in (ROOT / "tools" / "faults.txt").read_text(encoding="utf-8").splitlines():
        if line.endswith(".py"):
            file = line
        elif line.strip() and not line.startswith("#"):
            there, planted = line.strip().split("  =>  ")
            found.append(Fault(file, there, planted))
    return found


def tests_of(file: str) -> Path:
    """The tests of a file of the core: the same place, the same name."""
    return (TESTS / file).with_name(f"test_{Path(file).name}")


def passes(file: str, text: str | None, seconds: float = SECONDS) -> bool:
    """Whether the tests of a file pass, with another text of it, within so many seconds."""
    child = os.fork()
    if child == 0:
        os.setsid()
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        if text is not None:
            _plant(CORE / file, text)
        import pytest

        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", str(tests_of(file))])))
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _plant(path: Path, text: str) -> None:
    plain = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str) -> object:
        return compile(text, str(path), "exec") if self.path == str(path) else plain(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]


def main() -> int:
    parser = argparse.ArgumentParser(description="plant faults in the core and count those that the tests notice")
    parser.add_argument("only", nargs="*", help="files below core/, or how their names begin (default: all)")
    parser.add_argument("--check", action="store_true", help="only whether every fault still has its place")
    args = parser.parse_args()
    wanted = [f for f in faults() if f.file.startswith(tuple(args.only or [""]))]
    stale = []
    for fault in wanted:
        try:
            compile(fault.source(), fault.file, "exec")
        except (ValueError, OSError, SyntaxError) as e:
            stale.append(str(e))
    if stale:
        print(*stale, sep="\n")
    if args.check or stale:
        return int(bool(stale))

    for needed in ("PIL.Image", "pytest", "safetensors.torch", "scipy.ndimage"):
        import_module(needed)  # once, for all children
    import torch

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    torch.set_num_threads(1)
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    noticed, sound = 0, dict[str, bool]()
    for fault in wanted:
        if fault.file not in sound:
            sound[fault.file] = passes(fault.file, None)
        if not sound[fault.file]:
            raise SystemExit(f"{tests_of(fault.file).relative_to(ROOT)} fails without any fault")
        if passes(fault.file, fault.source()):
            print(f"not noticed  {fault}", flush=True)
        else:
            noticed += 1
    print(f"{noticed} of {len(wanted)} faults noticed ({noticed / max(len(wanted), 1):.0%}), {len(sound)} files")
    return int(noticed < ENOUGH * len(wanted))


if __name__ == "__main__":
    raise SystemExit(main())
