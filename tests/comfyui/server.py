"""A real ComfyUI with this repository as a custom node: started on loopback, spoken to over HTTP and its websocket."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from . import install

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Ran:
    """What a prompt left behind: which nodes ran (not served from the cache), their outputs, the messages it sent."""

    outputs: dict[str, Any]
    ran: list[str]
    cached: list[str]
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    error: dict[str, Any] | None = None


class Refused(Exception):
    """The server did not take a prompt: its status and its answer."""

    def __init__(self, status: int, answer: dict[str, Any]):
        super().__init__(f"HTTP {status}: {json.dumps(answer)[:600]}")
        self.status, self.answer = status, answer


class Server:
    """One process. `base` holds custom_nodes, models, input, output, user; custom_nodes has a `link` to this repository
    unless a pack of that name is there or none is wanted."""

    def __init__(self, folder: Path, base: Path, root: Path | None = None, arguments: tuple[str, ...] = (),
                 link: bool = True):  # fmt: skip
        for name in ("custom_nodes", "models", "input", "output", "user", "temp"):
            (base / name).mkdir(parents=True, exist_ok=True)
        pack = base / "custom_nodes" / "nuggy"
        if link and not pack.exists():
            pack.symlink_to(REPOSITORY)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.base, self.url, self.client = base, f"http://127.0.0.1:{self.port}", uuid.uuid4().hex
        self.log = base / "server.log"
        python = os.environ.get("NUGGY_COMFYUI_PYTHON") or install.python(folder)
        main = (root or folder / "ComfyUI") / "main.py"
        command = [python, main, "--cpu", "--port", self.port, "--listen", "127.0.0.1", "--base-directory", base,
                   "--disable-api-nodes", "--database-url", f"sqlite:///{base / 'comfyui.db'}", *arguments]  # fmt: skip
        environment = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"), "PYTHONUNBUFFERED": "1"}
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([str(c) for c in command], env=environment, cwd=main.parent,
                                            stdout=log, stderr=subprocess.STDOUT)  # fmt: skip
        self._until_up()

    def _until_up(self, seconds: float = 300) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"ComfyUI ended at start:\n{self.log.read_text()[-3000:]}")
            try:
                self.get("/system_stats")
                return
            except (OSError, urllib.error.URLError):
                time.sleep(0.3)
        raise RuntimeError(f"ComfyUI did not answer within {seconds:.0f} s:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.read()

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def post(self, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.url + path, json.dumps(body or {}).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as e:
            raise Refused(e.code, json.loads(e.read() or b"{}")) from None

    def upload(self, name: str, picture: np.ndarray) -> str:
        """Put an 8-bit picture [H,W,3 or 4] into the server's input folder, through its own door."""
        png, edge = io.BytesIO(), uuid.uuid4().hex
        Image.fromarray(picture).save(png, "PNG")
        parts = [
            ("image", f'; filename="{name}"\r\nContent-Type: image/png', png.getvalue()),
            ("overwrite", "", b"true"),
        ]
        body = b"".join(
            f'--{edge}\r\nContent-Disposition: form-data; name="{key}"{more}\r\n\r\n'.encode() + value + b"\r\n"
            for key, more, value in parts
        )
        request = urllib.request.Request(
            self.url + "/upload/image",
            body + f"--{edge}--\r\n".encode(),
            {"Content-Type": f"multipart/form-data; boundary={edge}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["name"]

    def listen(self) -> Any:
        """A websocket on which the server tells this client what it does."""
        import websocket

        ear = websocket.WebSocket()
        ear.connect(f"ws://127.0.0.1:{self.port}/ws?clientId={self.client}", timeout=600)
        return ear

    def run(self, prompt: dict[str, Any], during: Any = None) -> Ran:
        """Queue a prompt, hear it to its end. `during(kind, data)` is called with every message as it comes."""
        ear = self.listen()
        try:
            number = self.post("/prompt", {"prompt": prompt, "client_id": self.client})["prompt_id"]
            messages: list[tuple[str, dict[str, Any]]] = []
            while True:
                raw = ear.recv()
                if isinstance(raw, bytes):  # a preview picture or a line of text
                    kind, data = "binary", {"bytes": raw}
                else:
                    message = json.loads(raw)
                    kind, data = message["type"], message.get("data", {})
                    if data.get("prompt_id", number) != number:
                        continue
                messages.append((kind, data))
                if during:
                    during(kind, data)
                if kind in ("execution_success", "execution_error", "execution_interrupted"):
                    break
        finally:
            ear.close()
        error = {"kind": kind, **data} if kind != "execution_success" else None
        outputs = {} if error else self._outputs(number)
        cached = [n for k, d in messages if k == "execution_cached" for n in d["nodes"]]
        ran = [d["node"] for k, d in messages if k == "executing" and d.get("node")]
        return Ran(outputs, [n for n in dict.fromkeys(ran) if n not in cached], cached, messages, error)

    def _outputs(self, number: str) -> dict[str, Any]:
        """A prompt's outputs by node; the history is written a moment after the last message is sent."""
        for _ in range(200):
            if number in (history := self.json(f"/history/{number}")):
                return history[number]["outputs"]
            time.sleep(0.05)
        raise RuntimeError(f"prompt {number} ended but is not in the history")

    def picture(self, saved: dict[str, str]) -> np.ndarray:
        """A picture that a node saved, as it comes out of /view."""
        query = urllib.parse.urlencode({k: saved[k] for k in ("filename", "subfolder", "type")})
        return np.asarray(Image.open(io.BytesIO(self.get("/view?" + query))))

    def memory(self) -> int:
        """Resident bytes of the server."""
        import psutil

        return int(psutil.Process(self.process.pid).memory_info().rss)
