"""`nuggy serve` as programs meet it: a real process, real sockets, the real network."""

import io
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from PIL import Image

from .place import ROOT, Listener, listening

FAST = "recipe=fast&views=256"
CAT = (ROOT / "samples" / "chelsea.png").read_bytes()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with listening("serve", "--waiting", "20", log=tmp_path_factory.mktemp("serve") / "log") as found:
        yield found


def picture(seed: int) -> bytes:
    """A disc of some place and colour on a ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:160, :200]
    pixels = np.full((160, 200, 3), rng.integers(0, 80, 3), np.uint8)
    cy, cx = rng.integers(60, 100), rng.integers(60, 140)
    pixels[(y - cy) ** 2 + (x - cx) ** 2 < 45**2] = rng.integers(150, 255, 3)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_the_result_is_the_command_lines_own(server, tmp_path):
    source, result = ROOT / "samples" / "chelsea.png", tmp_path / "cat.png"
    command = [sys.executable, "-m", "nuggy_nodes", "cutout", source, "-o", result, "--device", "cpu"]
    subprocess.run([*command, "--recipe", "fast", "--views", "256"], check=True, cwd=ROOT)
    body = httpx.post(f"{server.url}/cutout?{FAST}", content=CAT, timeout=120)
    form = httpx.post(f"{server.url}/cutout?{FAST}", files={"file": ("cat.png", CAT)}, timeout=120)
    assert body.status_code == form.status_code == 200 and body.headers["content-type"] == "image/png"
    assert body.content == form.content == result.read_bytes()


def test_settings_are_checked_before_the_picture_is_taken(server):
    refused = httpx.post(f"{server.url}/cutout?radius=4000", content=CAT)
    assert refused.status_code == 400 and refused.json() == {"error": "radius must be from 0.5 to 128; got 4000"}
    assert httpx.get(f"{server.url}/cutout").status_code == 405
    assert httpx.get(server.url, headers={"Host": "rebound.example"}).status_code == 400
    names = [
        p["name"] for p in httpx.get(f"{server.url}/openapi.json").json()["paths"]["/cutout"]["post"]["parameters"]
    ]
    assert {"recipe", "radius", "background"} <= set(names)


def bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


HOSTILE = {
    "nothing": b"", "text": b"no picture", "cut short": CAT[:5000], "head only": CAT[:30], "svg": b"<svg onload=x()/>",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run", "announces gigapixels": bomb(60000, 60000),
    "announces 49 megapixels": bomb(7000, 7000), "no side": bomb(0, 9), "pickle": b"\x80\x04cposix\nsystem\n.",
    "zip": b"PK\x03\x04" + bytes(100), "html": b"<html><script>1</script>",
    "noise": np.random.default_rng(1).bytes(4000),
    "damaged": CAT[:3000] + bytes(200) + CAT[3200:], "mvg": b"push graphic-context\nfill 'url(file:///etc/passwd)'",
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_picture_is_refused_in_words(server, kind):
    answer = httpx.post(f"{server.url}/cutout?{FAST}", content=HOSTILE[kind], timeout=60)
    assert answer.status_code in (400, 422), answer.text
    error = answer.json()["error"]
    assert len(error) > 10 and "\n" not in error and "Traceback" not in error and "/root" not in error


def test_forms_that_are_none(server):
    two = httpx.post(f"{server.url}/cutout", files=[("a", ("a.png", CAT)), ("b", ("b.png", CAT))])
    none = httpx.post(f"{server.url}/cutout", data={"file": "text"}, files={})
    broken = httpx.post(f"{server.url}/cutout", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert [r.status_code for r in (two, none, broken)] == [400, 422, 400]
    assert "form" in two.json()["error"] and "form" in broken.json()["error"]


def test_too_large_is_said_before_it_is_read(server):
    with socket.create_connection(("127.0.0.1", server.port), 10) as s:
        s.sendall(b"POST /cutout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000000\r\n\r\n")
        assert b" 413 " in s.recv(100)

    def endless():
        while True:
            yield bytes(1 << 20)

    for path, status in (("/cutout", 413), ("/cutout?radius=4000", 400)):
        try:  # the answer comes while the body is still being sent, and ends the connection: no more of it is taken
            assert httpx.post(server.url + path, content=endless(), timeout=60).status_code == status
        except httpx.NetworkError:
            pass
    assert httpx.get(f"{server.url}/health").json() == {"waiting": 0, "working": False}


def test_two_hundred_requests_sixteen_at_a_time(server):
    bodies = [picture(i) for i in range(10)]
    alone = [httpx.post(f"{server.url}/cutout?{FAST}&output=mask", content=b, timeout=120).content for b in bodies]
    assert len(set(alone)) == 10
    with httpx.Client(timeout=300, limits=httpx.Limits(max_connections=16)) as client:

        def one(i: int) -> bool:
            answer = client.post(f"{server.url}/cutout?{FAST}&output=mask", content=bodies[i % 10])
            return answer.status_code == 200 and answer.content == alone[i % 10]

        with ThreadPoolExecutor(16) as pool:
            assert all(pool.map(one, range(40)))
            before = server.memory()
            assert all(pool.map(one, range(160)))
    after = server.memory()
    print(f"memory before {before >> 20} MiB, after {after >> 20} MiB")
    assert after < before + (64 << 20)


def test_more_than_the_line_holds_are_told_when_to_come_again(server):
    with httpx.Client(timeout=300, limits=httpx.Limits(max_connections=60)) as client, ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda i: client.post(f"{server.url}/cutout?{FAST}", content=CAT), range(60)))
    codes = [a.status_code for a in answers]
    assert set(codes) == {200, 503} and codes.count(200) >= 21
    busy = next(a for a in answers if a.status_code == 503)
    assert int(busy.headers["retry-after"]) >= 1 and "try again" in busy.json()["error"]
    assert httpx.post(f"{server.url}/cutout?{FAST}", content=CAT, timeout=120).status_code == 200


def test_asked_to_end_it_finishes_what_is_at_work(tmp_path):
    with listening("serve", log=tmp_path / "log") as server, ThreadPoolExecutor(3) as pool:
        url = f"{server.url}/cutout?recipe=fast&views=1024"
        sent = [pool.submit(httpx.post, url, content=CAT, timeout=120) for _ in range(3)]
        while not json.loads(httpx.get(f"{server.url}/health").content)["waiting"]:
            time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        assert [f.result().status_code for f in sent] == [200] * 3
        assert server.process.wait(60) in (0, -signal.SIGTERM)


def test_killed_in_mid_work_and_started_again(tmp_path):
    with listening("serve", log=tmp_path / "log") as server, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(httpx.post, f"{server.url}/cutout?recipe=best", content=CAT, timeout=120)
        while not httpx.get(f"{server.url}/health").json()["working"]:
            time.sleep(0.02)
        os.kill(server.process.pid, signal.SIGKILL)
        with pytest.raises(httpx.HTTPError):
            sent.result()
        server.process.wait()
        again = Listener("serve", log=tmp_path / "log", port=server.port)
        try:
            answer = httpx.post(f"{again.url}/cutout?{FAST}", content=CAT, timeout=120)
            assert answer.status_code == 200 and Image.open(io.BytesIO(answer.content)).mode == "RGBA"
        finally:
            again.stop()


def test_an_open_door_needs_a_token(tmp_path):
    command = [sys.executable, "-m", "nuggy_nodes", "serve", "--host", "0.0.0.0"]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode == 1 and "--token" in refused.stderr
    with listening("serve", "--token", "correct horse", log=tmp_path / "log") as server:
        url = f"{server.url}/cutout?{FAST}"
        assert httpx.post(url, content=CAT).status_code == 401
        assert httpx.post(url, content=CAT, headers={"Authorization": "Bearer wrong horse"}).status_code == 401
        right = httpx.post(url, content=CAT, headers={"Authorization": "Bearer correct horse"}, timeout=120)
        assert right.status_code == 200
