"""The `nuggy` command as a user runs it: a process of its own, on real files."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nuggy_nodes
from nuggy_nodes.cli import main

ROOT = Path(nuggy_nodes.__file__).parents[1]
FAST = ["--recipe", "fast", "--views", "256"]  # what the network sees does not matter
SEEN = ["--recipe", "fast", "--views", "512"]


def nuggy(*args, **options):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", "nuggy_nodes", *map(str, args)], text=True, capture_output=True,
                          env=env, **options)  # fmt: skip


@pytest.fixture
def cat(tmp_path):
    path = tmp_path / "in" / "cat.png"
    path.parent.mkdir()
    shutil.copy(ROOT / "samples" / "chelsea.png", path)
    return path


@pytest.mark.slow
def test_a_photograph_becomes_a_cutout_beside_it(cat):
    done = nuggy("cutout", cat, *SEEN)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")  # quiet without a terminal
    result = Image.open(cat.with_name("cat-cutout.png"))
    assert result.mode == "RGBA" and result.size == (451, 300)
    alpha = np.array(result)[..., 3]
    assert alpha[100:200, 150:250].mean() > 230 and alpha[:30, -60:].mean() < 25
    assert np.array_equal(np.array(result)[alpha == 255][:, :3], np.array(Image.open(cat).convert("RGB"))[alpha == 255])


def test_batch_goes_on_after_bad_files(cat, tmp_path, capsys):
    (cat.parent / "b.jpg").write_bytes(b"")
    (cat.parent / "c.png").write_text("no picture")
    (cat.parent / "note.txt").write_text("not looked at")
    out = tmp_path / "out"
    status = main(["cutout", str(cat.parent), str(tmp_path / "none.png"), "-o", str(out), *FAST])
    said = capsys.readouterr()
    assert status == 1 and said.out == ""
    lines = said.err.replace("\r", "\n").splitlines()
    for name, reason in (("b.jpg", "empty"), ("c.png", "is no PNG picture"), ("none.png", "no such file")):
        assert any(name in line and reason in line for line in lines), (name, lines)
    assert lines[-1] == "nuggy: 1 done, 3 failed"
    assert [p.name for p in out.iterdir()] == ["cat.png"]


def test_json(cat, tmp_path, capsys):
    status = main(["cutout", str(cat), str(tmp_path / "none.png"), "-o", str(tmp_path), "--json", *FAST])
    said = json.loads(capsys.readouterr().out)
    assert status == 1 and (said["done"], said["failed"], said["recipe"]) == (1, 1, "fast")
    good, bad = said["images"]
    assert Path(good["output"]).is_file() and (good["width"], good["height"]) == (451, 300)
    assert {"read", "tensor", "network", "refine", "islands", "pixels", "encode", "write"} <= set(good["seconds"])
    assert set(good["islands"]) == {"found", "removed", "holes_filled"}
    assert "no such file" in bad["error"]


def test_nothing_is_overwritten_unasked(cat, tmp_path, capsys):
    target = tmp_path / "cat.png"
    target.write_text("mine")
    assert main(["cutout", str(cat), "-o", str(tmp_path), *FAST]) == 1
    assert target.read_text() == "mine" and "--overwrite" in capsys.readouterr().err
    assert main(["cutout", str(cat), "-o", str(cat.parent), "--overwrite", *FAST]) == 1  # the photograph itself
    assert "would replace a photograph" in capsys.readouterr().err
    assert main(["cutout", str(cat), "-o", str(tmp_path), "--overwrite", *FAST]) == 0
    assert Image.open(target).mode == "RGBA"


def test_outputs_formats_and_backgrounds(cat, tmp_path):
    run = lambda *a: main(["cutout", str(cat), "-o", str(tmp_path), "--overwrite", *FAST, *a])  # noqa: E731
    assert run("--output", "mask", "--format", "tiff") == 0
    mask = Image.open(tmp_path / "cat.tif")
    assert mask.mode == "L"
    assert run("--output", "composite", "--background", "#00ff00", "--format", "webp") == 0
    over = np.array(Image.open(tmp_path / "cat.webp"))
    assert over.shape == (300, 451, 3) and over[np.array(mask) == 0].tolist()[0] == [0, 255, 0]
    Image.new("RGB", (50, 20), (10, 20, 30)).save(tmp_path / "back.png")
    assert run("--output", "composite", "--background", str(tmp_path / "back.png")) == 0
    assert np.array(Image.open(tmp_path / "cat.png"))[np.array(mask) == 0].tolist()[0] == [10, 20, 30]
    assert run("--output", "composite", "--background", "nocolour") == 1


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("form", ["png", "tiff"])
def test_colours_in_the_file_are_the_subjects(cat, tmp_path, network, bits, form):
    """The file's colours are the core's; where its alpha is 0, nothing of the photograph is in it."""
    import cv2
    import torch

    from nuggy_nodes.cli.work import to_tensor
    from nuggy_nodes.core import View, cutout, recipe

    top = 2**bits - 1
    photo = np.array(Image.open(cat).convert("RGB")).astype(f"u{bits // 8}") * (top // 255)
    cv2.imwrite(str(tmp_path / "p.png"), photo[..., ::-1])

    def made(*options):
        command = ["cutout", str(tmp_path / "p.png"), "-o", str(tmp_path / "o"), "--overwrite", "--format", form]
        assert main([*command, *FAST, *options]) == 0
        path = tmp_path / "o" / ("p.png" if form == "png" else "p.tif")
        if bits == 8:  # OpenCV multiplies the colours of an 8-bit TIFF by its alpha
            return np.array(Image.open(path)).astype(int)
        got = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert got.dtype == np.uint16
        return got[..., [2, 1, 0, 3]].astype(int)

    found = made()
    hidden, opaque = found[..., 3] == 0, found[..., 3] == top
    assert hidden.mean() > 0.1 and np.array_equal(found[opaque][:, :3], photo[opaque])
    own = (
        cutout(to_tensor(photo, torch.device("cpu")), network, recipe("fast", views=(View(256),)))
        .rgba()[0]
        .permute(1, 2, 0)
        .numpy()
        * top
    )
    assert np.abs(found - own).max() <= 0.51
    assert np.abs(found[..., :3] - photo)[hidden].mean() > 0.1 * top
    plain = made("--foreground", "none", "--fill", "#204060")
    assert (plain[plain[..., 3] == 0][:, :3] == np.array([0x20, 0x40, 0x60]) * (top // 255)).all()
    visible = plain[..., 3] > top // 255  # one step of 8 bits may be less, rounded
    assert np.array_equal(plain[visible][:, :3], photo[visible])


def test_sixteen_bits_stay_and_transparency_is_kept(cat, tmp_path):
    import cv2

    deep = np.array(Image.open(cat).convert("RGB")).astype(np.uint16) * 257
    have = np.full(deep.shape[:2], 65535, np.uint16)
    have[:, :200] = 60000
    cv2.imwrite(str(tmp_path / "deep.png"), np.dstack((deep[..., ::-1], have)))
    assert main(["cutout", str(tmp_path / "deep.png"), "-o", str(tmp_path / "o"), *FAST]) == 0
    got = cv2.imread(str(tmp_path / "o" / "deep.png"), cv2.IMREAD_UNCHANGED)
    assert got.dtype == np.uint16 and (got[..., 3] <= have).all()
    assert (got[..., 3] == 60000).any() and (got[..., 3] > 60000).any()
    assert len(np.unique(got[..., 3])) > 300  # no 8-bit step in between
    kept = (got[..., 3] == have) & (got[..., 3] == 60000)  # as opaque as it was: colours that are the subject's already
    assert np.array_equal(got[kept][:, 2::-1], deep[kept])


def test_recursive_same_names_and_results_of_earlier_runs(tmp_path, capsys):
    from nuggy_nodes.cli.jobs import Place, plan

    for name in ("a.jpg", "a.png", "sub/a.jpg", "sub/b-cutout.png", ".hidden.png"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    def results(paths, place, recursive=False):
        return [str(j.result.relative_to(tmp_path)) for j in plan(paths, place, recursive).jobs if not j.error]

    there, out = tmp_path / "in", Place(tmp_path / "out")
    assert results([there], out) == ["out/a.png", "out/a.png.png"]
    assert results([there], out, True) == ["out/a.png", "out/a.png.png", "out/sub/a.png"]
    assert results([there, there / "a.jpg"], Place(suffix=".webp")) == ["in/a-cutout.webp", "in/a.png-cutout.webp"]
    (tmp_path / "empty").mkdir()
    assert "no pictures" in plan([tmp_path / "empty"], Place()).jobs[0].error

    (there / "out").mkdir()
    (there / "out" / "a.png").write_bytes(b"")  # a result of before is no photograph
    assert results([there], Place(there / "out", existing="overwrite"), True) == [
        "in/out/a.png", "in/out/a.png.png", "in/out/sub/a.png"]  # fmt: skip
    assert [j.skipped for j in plan([there], Place(there / "out", existing="skip")).jobs] == [True, False]
    (there / "A.JPG").write_bytes(b"")  # the same name, for some file systems
    named = [r.lower() for r in results([there], out)]
    assert len(set(named)) == len(named) == 3
    long = there / ("x" * 251 + ".jpg")
    long.write_bytes(b"")
    assert all(len(r.split("/")[-1]) <= 255 for r in results([long], Place()) + results([long], out))


def test_what_is_left_out_is_said(tmp_path, monkeypatch):
    from nuggy_nodes.cli import jobs

    monkeypatch.setattr(jobs, "find_spec", lambda name: None)
    for name in ("a.jpg", "b.heic", "c.HEIC", "d.svg"):
        (tmp_path / name).write_bytes(b"")
    made = jobs.plan([tmp_path], jobs.Place())
    assert [j.source.name for j in made.jobs] == ["a.jpg"]
    assert made.told() == "3 files left out: 2 HEIC (pip install 'nuggy-nodes[heif]'), 1 SVG"


def test_every_setting_is_an_option_and_is_used(cat, tmp_path, capsys, monkeypatch):
    import nuggy_nodes.cli.work as work

    seen = []

    def stop(image, network, recipe, **more):
        from nuggy_nodes.core import InputError

        seen.append(recipe)
        raise InputError("enough")

    monkeypatch.setattr(work, "cutout", stop)
    args = (
        "--recipe fast --views 512 640fp15 --combine max --looks 2 --guide grey --radius 7 --epsilon 0.01 --passes 3 "
        "--black 0.2 --white 0.8 --gamma 0.7 --detail 0.3 --islands largest --threshold 0.3 --min-area 0.1 "
        "--min-reach 0.2 --min-peak 0.6 --max-hole 0.01 --foreground blur-fusion --fill #102030 "
        "--shift-edge -1.5 --feather 2"
    )
    assert main(["cutout", str(cat), *args.split()]) == 1
    from nuggy_nodes.core import Recipe, View

    expected = Recipe(
        "fast", (View(512), View(640, True, 0.15)), combine="max", looks=2, guide="grey", radius=7, epsilon=0.01,
        passes=3, black=0.2, white=0.8, gamma=0.7, detail=0.3, islands="largest", threshold=0.3, min_area=0.1,
        min_reach=0.2, min_peak=0.6, max_hole=0.01, shift_edge=-1.5, feather=2, foreground="multilevel", fill="#102030",
    )  # fmt: skip
    assert seen == [expected]


def test_wrong_usage(cat, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["cutout", str(cat), "--recipe", "none"])
    assert stop.value.code == 2
    assert main(["cutout", str(cat), "--device", "nowhere"]) == 1
    assert main(["cutout", str(cat), "--weights", "none.safetensors"]) == 1
    assert main(["cutout", str(cat), "--views", "1000"]) == 1
    assert main(["cutout", str(cat), "--gamma", "-1", *FAST]) == 1
    assert main(["cutout", str(cat), "--radius", "wide"]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said and "none.safetensors" in said and "multiple of 32" in said and "gamma" in said


@pytest.mark.skipif(sys.platform == "win32", reason="folders without the right to write are POSIX here")
def test_no_permission(cat, tmp_path, capsys):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    if os.geteuid() == 0:  # root may write anywhere but into the kernel's own file systems
        folder = Path("/sys/nuggy")
    assert main(["cutout", str(cat), "-o", str(folder), *FAST]) == 1
    said = capsys.readouterr().err
    assert ("no permission" in said or "read-only" in said) and str(folder) in said and said.count("\n") == 1


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(cat, tmp_path):
    """Interrupted in the middle of a large picture: no result, no partial file, status 130."""
    large = tmp_path / "large.png"
    Image.open(cat).convert("RGB").resize((3000, 2000)).save(large, compress_level=1)
    out = tmp_path / "out"
    out.mkdir()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nuggy_nodes", "cutout", str(large), "-o", str(out), "--recipe", "best"]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell in the background has ignored is inherited
    for wait in (0.5, 2.5):
        process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        if process.returncode == 0:
            continue  # it was done before the signal came
        assert process.returncode in (130, -signal.SIGINT) and list(out.iterdir()) == []
        assert process.returncode != 130 or said.strip().endswith("nuggy: interrupted"), said


@pytest.mark.slow
def test_doctor_and_weights(capsys):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    for word in ("device", "precision", "threads", "weights", "ComfyUI", "GIMP"):
        assert word in said
    assert main(["weights", "verify"]) == 0 and main(["weights", "info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["parameters"] == 44_017_990


def test_import_refuses_rubbish(tmp_path, capsys):
    for name in ("x.tgz", "x.pth", "x.onnx", "x.safetensors"):
        (tmp_path / name).write_bytes(b"rubbish")
        assert main(["weights", "import", str(tmp_path / name), "-o", str(tmp_path / "o.safetensors")]) == 1
        assert name in capsys.readouterr().err and not (tmp_path / "o.safetensors").exists()


def test_importing_the_package_costs_nothing():
    """No module of weight is imported by `import nuggy_nodes`; the core does not import OpenCV or Pillow."""
    code = (
        "import sys, nuggy_nodes; assert 'torch' not in sys.modules and 'numpy' not in sys.modules;"
        "import nuggy_nodes.core; bad = {'cv2', 'PIL', 'onnx', 'comfy'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_a_fault_of_one_photograph_ends_nothing(cat, tmp_path, capsys, monkeypatch):
    """Whatever a decoder raises is that file's line, told as a fault of ours; the rest goes on and is in the JSON."""
    import nuggy_nodes.cli.work as work

    other, read = tmp_path / "other.png", work.read
    other.write_bytes(cat.read_bytes())

    def broken(path, **more):
        if path == cat:
            raise ZeroDivisionError("of a decoder")
        return read(path, **more)

    monkeypatch.setattr(work, "read", broken)
    assert main(["cutout", str(cat), str(other), "-o", str(tmp_path / "out"), "--json", *FAST]) == 1
    said = capsys.readouterr()
    first, second = json.loads(said.out)["images"]
    assert "fault of Nuggy's own (ZeroDivisionError" in first["error"] and "issues" in first["error"]
    assert Path(second["output"]).is_file() and said.err.count("\n") == 1


def test_outputs_of_other_kinds(cat, tmp_path):
    one = tmp_path / "one"
    assert main(["cutout", str(cat), "-o", str(one / "result.webp"), *SEEN]) == 0  # the suffix is the format
    assert Image.open(one / "result.webp").format == "WEBP"
    assert main(["cutout", str(cat), "-o", str(one / "result.jpg"), "--background", "#00ff00", *SEEN]) == 0
    picture = Image.open(one / "result.jpg")
    assert picture.mode == "RGB" and picture.getpixel((0, 0))[1] > 240
    assert main(["cutout", str(cat), "-o", str(one), "--format", "jpeg", "--output", "rgba", *SEEN]) == 1
    assert main(["cutout", str(cat), "-o", str(one), "--quality", "0", *SEEN]) == 1
    before = (one / "result.webp").stat().st_mtime_ns
    assert main(["cutout", str(cat), "-o", str(one / "result.webp"), "--skip-existing", *SEEN]) == 0
    assert (one / "result.webp").stat().st_mtime_ns == before


def test_a_background_is_transparent_as_it_is(cat, tmp_path):
    half = tmp_path / "half.png"
    Image.new("RGBA", (8, 8), (0, 0, 255, 128)).save(half)
    assert (
        main(["cutout", str(cat), "-o", str(tmp_path), "--output", "composite", "--background", str(half), *SEEN]) == 0
    )
    corner = Image.open(tmp_path / "cat.png").getpixel((0, 0))
    assert len(corner) == 4 and abs(corner[3] - 128) <= 1 and corner[2] > 250


@pytest.mark.slow
def test_standard_input_and_output(cat):
    command = [sys.executable, "-m", "nuggy_nodes", "cutout", "-", *FAST]
    done = subprocess.run(command, input=cat.read_bytes(), capture_output=True, timeout=120)
    assert done.returncode == 0 and not done.stderr
    import io

    picture = Image.open(io.BytesIO(done.stdout))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (451, 300))


def test_exif_is_kept_upright_or_stripped(cat, tmp_path):
    photo, exif = tmp_path / "p.jpg", Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    Image.open(cat).convert("RGB").save(photo, exif=exif)
    for more, kept in (([], True), (["--strip"], False)):
        assert main(["cutout", str(photo), "-o", str(tmp_path / "out"), "--overwrite", *more, *FAST]) == 0
        picture = Image.open(tmp_path / "out" / "p.png")
        assert picture.size == (300, 451)
        found = picture.getexif()
        assert (found.get(0x010F), found.get(0x0112, 1)) == (("a camera", 1) if kept else (None, 1))


def test_nothing_found_is_said(tmp_path, capsys):
    grey = tmp_path / "grey.png"
    Image.new("RGB", (64, 64), (128, 128, 128)).save(grey)
    command = ["cutout", str(grey), "-o", str(tmp_path / "out"), "--json", *FAST]
    assert main(command) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["images"][0]["empty"] is True and "nothing was found" in said.err
    assert main([*command, "--overwrite", "--fail-empty"]) == 1


def test_an_animation_stays_one(tmp_path, cat):
    frames = [Image.open(cat).convert("RGB").resize((90, 60)).rotate(5 * i) for i in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=40)
    assert main(["cutout", str(tmp_path / "a.gif"), "-o", str(tmp_path / "out"), *FAST]) == 0
    assert Image.open(tmp_path / "out" / "a.png").n_frames == 3
    assert main(["cutout", str(tmp_path / "a.gif"), "-o", str(tmp_path / "one"), "--first-frame", *FAST]) == 0
    assert getattr(Image.open(tmp_path / "one" / "a.png"), "n_frames", 1) == 1


def test_refusals_come_before_any_photograph(cat, tmp_path, capsys):
    locked = tmp_path / "file"
    locked.write_text("")
    assert main(["cutout", str(cat), "-o", str(locked / "out"), *FAST]) == 1
    assert capsys.readouterr().err.count("nuggy:") == 1
    broken = tmp_path / "w.safetensors"
    broken.write_bytes(b"no weights")
    assert main(["cutout", str(cat), str(cat), "-o", str(tmp_path / "o"), "--weights", str(broken), *FAST]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_help_and_version_need_no_torch():
    for words in (["--version"], ["cutout", "--help"]):
        code = f"import sys; from nuggy_nodes.cli import main\ntry: main({words})\nexcept SystemExit: pass\n"
        done = subprocess.run([sys.executable, "-c", code + "assert 'torch' not in sys.modules"], capture_output=True)
        assert done.returncode == 0, done.stderr


def test_another_network(cat, tmp_path, monkeypatch, capsys):
    """By name and by file; what is said of it; and the list of what is there."""
    import sys

    pytest.importorskip("onnxruntime")
    sys.path.insert(0, str(ROOT / "tests" / "core" / "network"))
    import tiny_onnx

    monkeypatch.setenv("NUGGY_MODELS", str(tmp_path))
    tiny_onnx.write(tmp_path / "bright.onnx")
    for which in ("bright", str(tmp_path / "bright.onnx")):
        more = ["--network", which, "--network-mean", "0.5", "--network-std", "1,1,1", "--device", "cpu"]
        assert main(["cutout", str(cat), "-o", str(tmp_path / "out.png"), "--overwrite", *more]) == 0
    capsys.readouterr()
    assert main(["weights", "list", "--json"]) == 0
    told = {r["name"]: r for r in json.loads(capsys.readouterr().out)}
    assert told["bright"]["place"] == "NUGGY_MODELS" and told["bright"]["runs"] == ""
    assert main(["weights", "list"]) == 0 and "bright" in capsys.readouterr().out
    for wrong in (["--network", "nobodys"], ["--network", "bright", "--device", "directml"],
                  ["--network", "bright", "--network-size", "96"], ["--network", "bright", "--network-output", "no"],
                  ["--network", "bright", "--recipe", "demo"]):  # fmt: skip
        assert main(["cutout", str(cat), "-o", str(tmp_path / "o.png"), *wrong]) == 1
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1 or said[:-1] == [s for s in said[:-1] if "ImageNet" in s], said
