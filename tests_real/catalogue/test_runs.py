"""Folders and tables on one machine: what is done, what is left alone, what is told."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from nuggy_nodes.cli import main

from .conftest import manifest, photographs, pictures


@pytest.fixture
def source(tmp_path) -> Path:
    photographs(tmp_path / "in", 8, each=5)
    return tmp_path / "in"


def test_a_second_run_does_what_is_missing_failed_changed_or_of_other_settings(tmp_path, run, source):
    dest = tmp_path / "out"
    (source / "bad.png").write_bytes(b"nothing")
    (source / "clip.mp4").write_bytes(b"x")
    told, said = run(source, dest, status=1)
    assert (told["found"], told["done"], told["failed"], told["done_before"]) == (9, 8, 1, 0)
    assert "1 MP4" in said
    rows = manifest(dest)
    bad = rows[str(source / "bad.png")]
    assert "no PNG picture" in bad["error"] and bad["result"] == "bad.png" and not (dest / "bad.png").exists()
    good = rows[str(source / "00" / "00001.jpg")]
    assert good["width"] == 64 and good["height"] == 48 and good["error"] is None and not good["empty"]
    assert good["bytes"] == (source / "00" / "00001.jpg").stat().st_size
    assert Image.open(dest / "nuggy-catalogue" / "doubtful.jpg").size[0] > 1000
    first = pictures(dest)

    shutil.copy(source / "00" / "00002.jpg", source / "bad.png")  # mended
    (dest / "00" / "00001.png").unlink()  # lost
    Image.new("RGB", (64, 48), (9, 9, 9)).save(source / "00" / "00003.jpg")  # another photograph
    told, _ = run(source, dest)
    assert (told["done"], told["done_before"], told["empty"]) == (3, 6, 0) or told["empty"] == 1
    again = pictures(dest)
    changed = {"bad.png", "00/00003.png"}
    assert {k: v for k, v in again.items() if k not in changed} == {k: v for k, v in first.items() if k not in changed}
    assert again["bad.png"] == first["00/00002.png"] and again["00/00003.png"] != first["00/00003.png"]
    assert all(r["error"] is None for r in manifest(dest).values())

    assert run(source, dest)[0]["done"] == 0
    assert run(source, dest, "--feather", "2")[0]["done"] == 9
    assert run(source, dest, "--feather", "2")[0]["done_before"] == 9


def test_results_are_the_command_lines(tmp_path, run, source, given):
    shutil.copy(source / "00" / "00000.jpg", source / "00" / "00001.bmp.jpg")
    Image.open(source / "00" / "00000.jpg").save(source / "00" / "00000.bmp")  # two that would give one result
    wide = Image.open(source / "00" / "00002.jpg").resize((90, 70))
    wide.save(source / "tagged.jpg", dpi=(300, 300), exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    for form, more in (("png", ()), ("webp", ("--output", "mask")), ("jpeg", ("--background", "#0a0"))):
        dest, alone = tmp_path / f"out-{form}", tmp_path / f"alone-{form}"
        told, _ = run(source, dest, "--format", form, *more)
        assert told["done"] == 11
        assert main(["cutout", str(source), "-r", "-o", str(alone), "--format", form, *more, *given]) == 0
        shutil.rmtree(dest / "nuggy-catalogue")
        here, there = ({p.relative_to(d): p.read_bytes() for d in [x] for p in d.rglob("*.*")} for x in (dest, alone))
        assert here == there and len(here) == 11


def test_a_column_of_bytes(tmp_path, run, source):
    files = sorted(source.rglob("*.jpg"))
    data = [f.read_bytes() for f in files]
    names = [f"shop/{f.stem}.jpg" for f in files]
    data[3], names[4] = b"", "../outside.jpg"
    table = pa.table({"image": [{"bytes": d, "path": "x"} for d in data], "name": names})
    pq.write_table(table, tmp_path / "photographs.parquet", row_group_size=3)
    dest = tmp_path / "out"
    told, _ = run(tmp_path / "photographs.parquet", dest, status=1)
    assert (told["done"], told["failed"]) == (6, 2)
    rows = manifest(dest)
    assert "empty" in rows[f"{tmp_path}/photographs.parquet#3"]["error"]
    assert "leads out" in rows[f"{tmp_path}/photographs.parquet#4"]["error"]
    assert not list(tmp_path.rglob("outside*"))
    run(source, tmp_path / "own")
    own = {Path(k).name: v for k, v in pictures(tmp_path / "own").items()}
    made = pictures(dest)
    assert set(made) == {f"shop/{f.stem}.png" for i, f in enumerate(files) if i not in (3, 4)}
    assert all(own[Path(k).name] == v for k, v in made.items())
    assert run(tmp_path / "photographs.parquet", dest, status=1)[0]["done_before"] == 6


def test_a_csv_of_addresses_some_of_them_urls(tmp_path, run, source):
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *a: None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=source)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        lines = ["url", "in/00/00000.jpg", str(source / "00" / "00001.jpg"), f"{base}/00/00002.jpg",
                 f"{base}/none.jpg", "in/00/00000.jpg"]  # fmt: skip
        (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
        told, _ = run(tmp_path / "list.csv", tmp_path / "out", status=1)
        server.shutdown()
    assert (told["found"], told["done"], told["failed"]) == (4, 3, 1)  # one was there twice
    rows = manifest(tmp_path / "out")
    assert rows[f"{base}/none.jpg"]["error"] == "no such file"
    assert (tmp_path / "out" / "in" / "00" / "00000.png").exists()
    for address in (str(source / "00" / "00001.jpg"), f"{base}/00/00002.jpg"):
        assert (tmp_path / "out" / rows[address]["result"]).exists()


def test_a_dry_run_writes_nothing_and_counts(tmp_path, run, source):
    told, _ = run(source, tmp_path / "out", "--dry-run", "--price", "3")
    assert told["found"] == told["to_do"] == told["sample"] == 8 and not (tmp_path / "out").exists()
    seconds = sum(told["seconds_each"].values())
    assert 0 < told["hours"] <= 8 * seconds / 3600 + 0.002 and told["cost"] == pytest.approx(
        told["hours"] * 3, abs=0.02
    )


def test_errors_end_a_run_early(tmp_path, run):
    for i in range(130):
        (tmp_path / "in" / f"{i // 10}").mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / f"{i // 10}" / f"{i}.jpg").write_bytes(b"no picture")
    told, _ = run(tmp_path / "in", tmp_path / "out", "--max-errors", "7", status=1)
    assert 7 <= told["failed"] < 130 and "--max-errors 7" in told["stopped"]
    assert len(manifest(tmp_path / "out")) == told["failed"]
    told, _ = run(tmp_path / "in", tmp_path / "other", status=1)
    assert "all failed" in told["stopped"] and told["failed"] >= 100


def test_bad_input_is_told_in_a_sentence(tmp_path, run, source, monkeypatch):
    (tmp_path / "text.parquet").write_text("no table")
    (tmp_path / "empty").mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    foreign = tmp_path / "foreign"
    (foreign / "nuggy-catalogue").mkdir(parents=True)
    pq.write_table(pa.table({"a": [1]}), foreign / "nuggy-catalogue" / "manifest.parquet")
    cases = [
        ((tmp_path / "nowhere", tmp_path / "out"), "no such folder"),
        ((tmp_path / "empty", tmp_path / "out"), "no photographs"),
        ((tmp_path / "text.parquet", tmp_path / "out"), "no Parquet file"),
        ((tmp_path / "a.parquet", tmp_path / "out"), "--column"),
        ((tmp_path / "a.parquet", tmp_path / "out", "--column", "a"), "int64"),
        ((source / "00" / "00000.jpg", tmp_path / "out"), "nuggy cutout"),
        ((source, source), "among the photographs"),
        ((source, tmp_path), "no manifest"),
        ((source, foreign), "no manifest of"),
        (("nonsense://x/y", tmp_path / "out"), "cannot be read here"),
        ((source, tmp_path / "out", "--network", "none-such"), "no network"),
        ((source, tmp_path / "out", "--gpus", "1"), "GPU"),
    ]
    for args, words in cases:
        _, said = run(*args, status=1)
        lines = said.strip().splitlines()
        assert len(lines) == 1 and words in lines[0], (args, lines)
    assert not (tmp_path / "out").exists()


def test_results_that_cannot_be_written_are_rows_and_what_is_done_stays(tmp_path, run, source):
    dest = tmp_path / "out"
    run(source, dest)
    shutil.rmtree(dest / "01")
    (dest / "01").write_bytes(b"in the way")
    told, _ = run(source, dest, status=1)
    assert told["failed"] == 3 and told["done_before"] == 5
    assert "cannot be written" in next(iter(told["reasons"])) and len(pictures(dest)) == 5


def test_the_tally_says_where_it_is(capsys, monkeypatch):
    from nuggy_nodes.catalogue import tally as of
    from nuggy_nodes.catalogue.box import ANSWER

    monkeypatch.setattr(of, "SAID", -1.0)
    made = of.Tally(10)
    made.begin()
    rows = [{"index": i, "error": "no such file" if i == 1 else None, "empty": i == 0} for i in range(4)]
    made.add(pa.Table.from_pylist(rows, schema=ANSWER))
    time.sleep(0.01)
    made.end()
    said = capsys.readouterr().err
    assert "4 of 10" in said and "1 failed" in said and made.empty == 1 and made.done == 3
