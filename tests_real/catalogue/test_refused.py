"""Places that refuse: a bucket without rights, a full disk. One sentence, and what was done stays done."""

from __future__ import annotations

import json
import logging
import os
import shlex
import subprocess
import sys
import urllib.request

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from nuggy_nodes.catalogue import stores

from .conftest import ROOT, manifest, photographs, pictures

READS = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}]}  # fmt: skip


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """A server that asks for rights, a bucket with three photographs in it, and the keys of one who may only read."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client, users = (boto3.client(of, endpoint_url=url, region_name="us-east-1") for of in ("s3", "iam"))
    client.create_bucket(Bucket="shop")
    for path in photographs(tmp_path / "in", 3):
        client.upload_file(str(path), "shop", f"in/{path.name}")
    users.create_user(UserName="reader")
    users.put_user_policy(UserName="reader", PolicyName="reads", PolicyDocument=json.dumps(READS))
    key = users.create_access_key(UserName="reader")["AccessKey"]

    def asks(after: int) -> None:
        told = urllib.request.Request(f"{url}/moto-api/reset-auth", str(after).encode(),
                                      {"Content-Type": "text/plain"}, method="POST")  # fmt: skip
        urllib.request.urlopen(told).close()

    def come_as(access: str, secret: str) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", access)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        stores._system.cache_clear()

    asks(0)
    yield f"?endpoint_override={host}:{port}&scheme=http&region=us-east-1", come_as, key
    asks(10**9)
    server.stop()
    stores._system.cache_clear()


def test_a_bucket_without_rights(tmp_path, run, guarded):
    query, come_as, key = guarded
    come_as("nobody", "nothing")
    _, said = run(f"s3://shop/in{query}", tmp_path / "out", status=1)
    words = "s3://shop/in: cannot be listed: no permission (are the keys set, and have they the right?)"
    assert said.strip().splitlines() == [f"nuggy: {words}"]
    assert not (tmp_path / "out").exists()

    come_as(key["AccessKeyId"], key["SecretAccessKey"])
    told, _ = run(f"s3://shop/in{query}", tmp_path / "out")
    assert told["done"] == 3
    _, said = run(tmp_path / "in", f"s3://shop/out{query}", status=1)
    lines = said.strip().splitlines()
    assert len(lines) == 1 and "s3://shop/out" in lines[0] and "no permission" in lines[0], lines


def test_a_full_disk(tmp_path, run, given):
    """A tmpfs of two megabytes, in a mount namespace of the command's own."""
    source, disk, kept = tmp_path / "in", tmp_path / "disk", tmp_path / "kept"
    source.mkdir()
    disk.mkdir()
    rng = np.random.default_rng(0)
    for i in range(24):
        Image.fromarray(rng.integers(0, 255, (300, 400, 3), np.uint8)).save(source / f"{i:02}.jpg")
    mounted = f'mount -t tmpfs -o size=2m none {shlex.quote(str(disk))} && "$@"; got=$?; '
    mounted += f"cp -a {shlex.quote(str(disk))} {shlex.quote(str(kept))}; exit $got"
    alone = "import sys, pytest; from tests_real.catalogue import conftest; from nuggy_nodes.cli import main; "
    alone += "conftest.without_ray(pytest.MonkeyPatch()); sys.exit(main(sys.argv[1:]))"
    told = [sys.executable, "-c", alone, "catalogue", source, disk, *given]
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, "sh", *map(str, told)],
                          env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 1
    full = [line for line in done.stderr.strip().splitlines() if "cannot be written: no space left on the disk" in line]
    assert len(full) == 1, done.stderr  # of the photographs that did not fit all together, or of the manifest
    first = pictures(kept)
    assert 0 < len(first) < 24
    for name in first:
        Image.open(kept / name).load()
    told, _ = run(source, kept)
    assert told["done"] + told["done_before"] == 24
    assert {k: v for k, v in pictures(kept).items() if k in first} == first
    assert len(manifest(kept)) == 24 and not list(kept.rglob("*.part"))
