"""A real GIMP 3 in a Debian root, driven from tests: code goes in, JSON comes out."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from nuggy_nodes.bridge import client
from nuggy_nodes.bridge.launch import SETTINGS
from nuggy_nodes.bridge.place import Place
from nuggy_nodes.core.network import precision
from nuggy_nodes.core.ops import what_pays
from nuggy_nodes.core.refine import learned

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
CACHE = Path(os.environ.get("NUGGY_CACHE") or Path.home() / ".cache" / "nuggy-tests") / "gimp"
ARTIFACTS = REPOSITORY / "artifacts" / "gimp"  # screenshots, by version of GIMP
PATIENCE = float(os.environ.get("NUGGY_PATIENCE", "300"))  # seconds for anything on a busy machine


class Root:
    """A Debian root with a GIMP (made on first use, minutes), and a home folder of its own for one run of tests.

    The home, the repository and the Python that runs the tests are shown inside at the same paths.
    """

    def __init__(self, suite: str):
        # the Python that runs the tests is shown inside, where /usr is another
        assert Path(sys.base_prefix) != Path("/usr"), "run with a Python outside /usr: uv's, pyenv's, conda's"
        self.suite, self.path = suite, CACHE / suite
        if not self.path.is_dir():
            subprocess.run([HERE / "make_root.sh", suite, self.path], check=True)
        self.version = (self.path / "gimp-version").read_text().split()[-1]
        self.work = Path(tempfile.mkdtemp(prefix="nuggy-gimp-"))
        self.home, self.runtime = self.work / "home", self.work / "run"
        self.config = self.home / ".config" / "GIMP" / self.version.rpartition(".")[0]
        self.config.mkdir(parents=True)
        self.runtime.mkdir(mode=0o700)
        (self.config / "gimprc").write_text(
            f'(config-version "{self.version}")\n(show-welcome-dialog no)\n(check-updates no)\n(prev-language "")\n'
        )
        self._same_arithmetic()
        seen = [Path(sys.prefix), Path(sys.base_prefix), REPOSITORY]
        shared = [p for p in map(Path, sys.path) if p.name == "site-packages" and not any(s in p.parents for s in seen)]
        self.binds = [self.work, *dict.fromkeys([*seen, *shared])]  # (packages may come from another environment)

    def _same_arithmetic(self) -> None:
        """What pays on this processor is measured here, and told inside: on a busy machine two measurements can differ,
        and masks in 8 and in 16 bits do by more than a level."""
        precision.verdict()
        learned.load_refiner("cpu")
        kept = self.home / ".cache" / "nuggy" / what_pays.FILE
        kept.parent.mkdir(parents=True)
        kept.write_text(json.dumps(what_pays._seen))

    def environment(self, **more: str) -> dict[str, str]:
        env = {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.runtime), "PATH": "/usr/bin:/bin"}
        env |= {"LANG": "C.UTF-8", "TERM": "dumb", "NO_AT_BRIDGE": "1", "GTK_CSD": "0"}
        return env | {k: os.environ[k] for k in ("OMP_NUM_THREADS",) if k in os.environ} | more

    def start(self, *command: str | Path, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """A process inside the root; its id here is its own."""
        script = (
            'root=$1; shift; while [ "$1" != -- ]; do mkdir -p "$root$1"; mount --rbind "$1" "$root$1"; shift; done; '
        )
        script += 'shift; exec chroot "$root" "$@"'
        binds = ["/proc", "/sys", "/dev", *map(str, self.binds)]
        assignments = [f"{k}={v}" for k, v in self.environment(**(env or {})).items()]
        return subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "bash", "-c", script, "bash", str(self.path), *binds,
             "--", "/usr/bin/env", "-i", f"--chdir={self.work}", *assignments, *map(str, command)], **options,
        )  # fmt: skip

    def run(self, *command: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
        process = self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        out, _ = process.communicate(timeout=PATIENCE)
        return subprocess.CompletedProcess(command, process.returncode, out)

    def nuggy(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line on this side, with the home folder and runtime folder of the other."""
        env = {**os.environ, **self.environment(PATH=os.environ["PATH"])}
        env.pop("XDG_CONFIG_HOME", None)
        return subprocess.run([sys.executable, "-m", "nuggy_nodes", *arguments], cwd=REPOSITORY, env=env,
                              capture_output=True, text=True, timeout=PATIENCE)  # fmt: skip

    @property
    def place(self) -> Place:
        return Place(self.runtime / "nuggy")

    @property
    def settings(self) -> Path:
        """Where the installed plug-in has it written down which Python serves it."""
        return self.config / "plug-ins" / "nuggy" / SETTINGS

    def end_worker(self) -> bool:
        return client.quit(self.place)

    def worker(self) -> int:
        """The worker's process id, or 0 if none is alive."""
        if not self.place.folder.is_dir():
            return 0
        lock = self.place.take_lock()
        if lock:
            lock.close()
            return 0
        return int(self.place.lock.read_text() or 0)

    def remove(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)


class Gimp:
    """A GIMP that runs the code it is given, piece by piece, until it is closed. With `display`, in a window."""

    def __init__(self, root: Root, display: str = "", env: dict[str, str] | None = None):
        self.root, self.count = root, 0
        self.box = Path(tempfile.mkdtemp(prefix="box-", dir=root.work))
        command = ["gimp"] if display else ["gimp-console", "-i"]
        loop = f"import sys; sys.path.insert(0, {str(HERE)!r}); import inside; inside.serve({str(self.box)!r})"
        self.log = open(self.box / "log", "wb")  # noqa: SIM115
        self.process = root.start(
            *command, "-n", "-s", "--quit", "--batch-interpreter=python-fu-eval", "-b", loop,
            env={**(env or {}), **({"DISPLAY": display} if display else {})}, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log,
        )  # fmt: skip

    def __call__(self, code: str, **values: Any) -> Any:
        """Run code there; what it leaves in `result` comes back. `values` are names that it may use."""
        return self.finish(self.begin(code, **values))

    def begin(self, code: str, **values: Any) -> int:
        self.count += 1
        path = self.box / f"{self.count}.in"
        path.with_suffix(".part").write_text(json.dumps({"code": code, "values": values}, default=str))
        path.with_suffix(".part").rename(path)
        return self.count

    def finish(self, number: int, timeout: float = PATIENCE) -> Any:
        path = self.box / f"{number}.out"
        until = time.monotonic() + timeout
        while not path.exists():
            if time.monotonic() > until or self.process.poll() is not None:
                raise AssertionError(f"GIMP gave no answer (status {self.process.poll()})\n{self.words()}")
            time.sleep(0.02)
        answer = json.loads(path.read_text())
        if "error" in answer:
            raise AssertionError(f"in GIMP: {answer['error']}\n{self.words()}")
        return answer["result"]

    def words(self, most: int = 3000) -> str:
        """The last of what was said on its console."""
        return (self.box / "log").read_text(errors="replace")[-most:]

    def close(self) -> None:
        (self.box / "end").touch()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Screen:
    """A virtual screen with a small window manager in a root."""

    def __init__(self, root: Root):
        self.root = root
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        told, tell = os.pipe()
        server = ["Xvfb", "-displayfd", str(tell), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
        self.processes = [root.start(*server, pass_fds=[tell], **quiet)]
        os.close(tell)
        with open(told) as f:  # the first number that is free, told when the server takes clients; "" if it ended
            number = f.readline().strip()
        assert number, "no virtual screen"
        self.display = f":{number}"
        self.processes.append(root.start("openbox", env={"DISPLAY": self.display}, **quiet))

    def run(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        return self.root.run(*command, env={"DISPLAY": self.display})

    def window(self, title: str, timeout: float = PATIENCE) -> str:
        """The id of a visible window whose title matches, once it is there."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            done = self.run("xdotool", "search", "--onlyvisible", "--name", title)
            ids = done.stdout.split()
            if done.returncode == 0 and ids and ids[-1].isdigit():  # it fails when a window goes as it looks
                return ids[-1].decode()
            time.sleep(0.3)
        raise AssertionError(f"no window {title!r}")

    def gone(self, title: str, timeout: float = 60) -> None:
        until = time.monotonic() + timeout
        while self.run("xdotool", "search", "--onlyvisible", "--name", title).stdout.strip():
            assert time.monotonic() < until, f"the window {title!r} stays"
            time.sleep(0.3)

    def key(self, window: str, *keys: str) -> None:
        self.run("xdotool", "windowactivate", "--sync", window, "key", "--delay", "60", *keys)

    def shot(self, name: str, window: str = "root") -> Path:
        """A screenshot, as artifacts/gimp/VERSION/NAME.png."""
        folder = ARTIFACTS / self.root.version
        folder.mkdir(parents=True, exist_ok=True)
        inside = self.root.work / "shot.png"
        done = self.run("import", "-window", window, str(inside))
        assert done.returncode == 0, done.stdout
        return Path(shutil.copy(inside, folder / f"{name}.png"))

    def close(self) -> None:
        for p in reversed(self.processes):
            p.terminate()
            p.wait(10)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
