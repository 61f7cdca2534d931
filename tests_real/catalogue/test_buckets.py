"""A bucket as source and destination: moto's server, which speaks S3."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import boto3
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from .conftest import photographs

PARTS = "cut/nuggy-catalogue/parts/"  # PyArrow's mark of a folder, empty


@pytest.fixture(scope="module")
def s3():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
    client.create_bucket(Bucket="shop")
    yield client, f"?endpoint_override={host}:{port}&scheme=http&region=us-east-1"
    server.stop()


def test_from_a_bucket_to_a_bucket(tmp_path, run, run_ray, s3):
    client, query = s3
    for path in photographs(tmp_path / "in", 6, each=4):
        client.upload_file(str(path), "shop", f"photographs/{path.relative_to(tmp_path / 'in')}")
    source, dest = f"s3://shop/photographs{query}", f"s3://shop/cut{query}"
    told, _ = run_ray(source, dest)
    assert (told["done"], told["failed"]) == (6, 0)
    assert "endpoint" not in told["manifest"] and told["manifest"].startswith("s3://shop/cut/")
    run(tmp_path / "in", tmp_path / "own")
    keys = {o["Key"] for o in client.list_objects_v2(Bucket="shop", Prefix="cut/")["Contents"]} - {PARTS}
    for path in (tmp_path / "own").rglob("*.png"):
        key = f"cut/{path.relative_to(tmp_path / 'own')}"
        assert client.get_object(Bucket="shop", Key=key)["Body"].read() == path.read_bytes()
        keys.discard(key)
    assert keys == {"cut/nuggy-catalogue/manifest.parquet", "cut/nuggy-catalogue/doubtful.jpg"}
    client.download_file("shop", "cut/nuggy-catalogue/manifest.parquet", str(tmp_path / "m.parquet"))
    addresses = pq.read_table(tmp_path / "m.parquet")["address"].to_pylist()
    assert sorted(addresses)[0] == "s3://shop/photographs/00/00000.jpg" and len(addresses) == 6

    client.delete_object(Bucket="shop", Key="cut/00/00001.png")
    told, _ = run(source, dest)
    assert (told["done"], told["done_before"]) == (1, 5)


def test_a_bucket_that_is_not_there_is_a_sentence(tmp_path, run, s3):
    for source in ("none", "shop/none"):
        _, said = run(f"s3://{source}{s3[1]}", tmp_path / "out", status=1)
        assert len(said.strip().splitlines()) == 1 and f"s3://{source}" in said, said


def test_a_ray_started_here_listens_on_the_loopback_alone():
    told = "from nuggy_nodes.catalogue import flow; flow.connect(); import ray; "
    told += "print(ray.nodes()[0]['NodeManagerAddress'])"
    free = {k: v for k, v in os.environ.items() if not k.startswith("RAY_ENABLE")}
    done = subprocess.run([sys.executable, "-c", told], env=free, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["127.0.0.1"], done.stderr
