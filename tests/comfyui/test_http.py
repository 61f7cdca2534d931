"""The nodes in a real ComfyUI, driven over HTTP."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
import torch

from .prompts import DEFAULT, NODES, Prompt, chain, extend, of_workflow
from .server import REPOSITORY, Refused, Server


def test_nodes_are_offered(server: Server) -> None:
    for node in NODES:
        info = server.json(f"/object_info/{node}")[node]
        assert info["category"].endswith("Nuggy") and info["description"]
        inputs = {**info["input"]["required"], **info["input"].get("optional", {})}
        assert all(options[1]["tooltip"] for options in inputs.values()), node
        assert len(info["output_tooltips"]) == len(info["output"]) and all(info["output_tooltips"]), node
    precision = server.json("/object_info/NuggyLoader")["NuggyLoader"]["input"]["required"]["precision"][1]
    assert precision["advanced"]


def test_start_up_is_quick(server: Server) -> None:
    """ComfyUI itself writes how long each pack took to import, to a tenth of a second."""
    log = server.log.read_text()
    found = re.search(r"([\d.]+) seconds: \S*nuggy", log)
    assert found, log[:3000]
    print(f"the pack adds {found[1]} s to the start")


@pytest.mark.parametrize("which", ["fast", "balanced", "best"])
def test_chain_on_a_photograph_equals_the_core(server: Server, photo: np.ndarray, which: str) -> None:
    """The recipe chosen on the first node reaches the others, beside the mask."""
    from nuggy_nodes.core import cutout, estimate_foreground, load

    name = server.upload("kitten.png", photo)
    prompt, ids = chain(name, NuggyTTAMask={"views": which})
    ran = server.run(prompt)
    assert not ran.error, ran.error
    saved = server.picture(ran.outputs[ids["SaveImage"]]["images"][0])
    assert saved.shape == (*photo.shape[:2], 4)

    image = torch.from_numpy(photo.astype(np.float32) / 255).movedim(-1, 0)[None]
    alpha = cutout(image, load(), which).alpha[0, 0].numpy()
    difference = np.abs(saved[..., 3] / 255 - alpha)
    # Save Image cuts off what is under one step of 8 bits; where the learned refinement runs in bfloat16, a last bit of
    # what it is shown becomes a step here and there
    assert difference.max() < 2.01 / 255 and (difference > 1.01 / 255).mean() < 1e-3
    assert 0.05 < alpha.mean() < 0.95
    opaque = saved[..., 3] == 255  # straight alpha: the photograph's own colours, and the subject's at soft edges
    assert opaque.any() and np.array_equal(saved[opaque][:, :3], photo[opaque])
    own = estimate_foreground(image, torch.from_numpy(alpha)[None, None])[0].movedim(0, -1).numpy()
    # colours follow such a step, the more of them the less of them is seen: judged as far as they are
    off = np.abs(saved[..., :3] / 255 - own)
    assert (off * alpha[..., None]).max() < 6 / 255 and (off > 1.01 / 255).mean() < 1e-3


@pytest.mark.parametrize("foreground", ["multilevel", "none"])
def test_nothing_of_the_old_background_is_saved(server: Server, photo: np.ndarray, foreground: str) -> None:
    """Two pictures that differ only in their background give one file. (Within 15 pixels of a soft edge an estimate
    takes its samples of the background; with none, no hidden pixel counts at all.)"""
    y, x = np.indices(photo.shape[:2])
    distance = np.hypot(y - photo.shape[0] / 2, x - photo.shape[1] / 2) - 120
    alpha = (np.clip(0.5 - distance / 12, 0, 1) * 255).round().astype(np.uint8)
    changed = distance > (6 if foreground == "none" else 6 + 1.5 * 15)
    noise = np.where(changed[..., None], np.random.default_rng(1).integers(0, 256, photo.shape), photo)
    files = []
    for name, picture in (("one", photo), ("two", noise.astype(np.uint8))):
        p = Prompt()
        image = p.add("LoadImage", image=server.upload(f"{name}.png", picture))
        shape = p.add("LoadImage", image=server.upload("shape.png", np.dstack((photo, alpha))))
        mask = p.add("InvertMask", mask=(shape, 1))
        cut = p.add("NuggyComposite", image=image, mask=mask, foreground=foreground)
        save = p.add("SaveImage", images=(cut, 1), filename_prefix=name)
        ran = server.run(p)
        assert not ran.error, ran.error
        files.append(server.picture(ran.outputs[save]["images"][0]))
    assert np.array_equal(files[0], files[1]) and (files[0][changed][:, 3] == 0).all()
    assert np.abs(files[0][..., 3].astype(int) - alpha).max() <= 1


def test_batch_of_five(server: Server, photo: np.ndarray) -> None:
    """Each picture of a batch is cut out as it would be alone, and the order is kept."""
    pictures = [np.ascontiguousarray(p) for p in (photo, photo[:, ::-1], photo[::-1], photo // 2, 255 - photo)]
    p = Prompt()
    loaded = [p.add("LoadImage", image=server.upload(f"{i}.png", x)) for i, x in enumerate(pictures)]
    batch = loaded[0]
    for other in loaded[1:]:
        batch = p.add("ImageBatch", image1=batch, image2=other)
    ids = extend(p, batch)
    ran = server.run(p)
    assert not ran.error, ran.error
    together = [server.picture(f) for f in ran.outputs[ids["SaveImage"]]["images"]]
    assert len(together) == 5
    for i in (0, 3):
        alone, own = chain(f"{i}.png")
        found = server.run(alone)
        assert np.array_equal(server.picture(found.outputs[own["SaveImage"]]["images"][0]), together[i]), i
    counted = [d["value"] for k, d in ran.messages if k == "progress" and d["node"] == ids["NuggyTTAMask"]]
    assert counted == sorted(counted) and counted[-1] == 5
    assert any(k == "binary" for k, _ in ran.messages)  # previews


@pytest.mark.parametrize(
    "changes",
    [
        {"GuidedFilterRefine": {"radius": 1000}},
        {"GuidedFilterRefine": {"black": 0.9, "white": 0.2}},
        {"GuidedFilterRefine": {"epsilon": 0.0}},
        {"IslandRemove": {"keep": "everything"}},
        {"IslandRemove": {"threshold": -0.1}},
        {"NuggyTTAMask": {"custom_views": "100x"}},
        {"NuggyTTAMask": {"views": "slowest"}},
        {"NuggyLoader": {"weights": "absent.safetensors"}},
        {"NuggyComposite": {"colour": "white wine"}},
        {"NuggyComposite": {"foreground": "best"}},
    ],
    ids=lambda c: "-".join(next(iter(c.values()))),
)
def test_refused_values_are_http_400(server: Server, photo: np.ndarray, changes: dict[str, Any]) -> None:
    prompt, ids = chain(server.upload("kitten.png", photo), **changes)
    with pytest.raises(Refused) as refused:
        server.run(prompt)
    assert refused.value.status == 400
    assert list(refused.value.answer["node_errors"]) == [ids[next(iter(changes))]]


def test_batches_that_do_not_fit_fail_with_a_sentence(server: Server, photo: np.ndarray) -> None:
    p = Prompt()
    image = p.add("LoadImage", image=server.upload("kitten.png", photo))
    five = p.add("RepeatImageBatch", image=image, amount=5)
    three = p.add("ImageToMask", image=p.add("RepeatImageBatch", image=image, amount=3), channel="red")
    refined = p.add("GuidedFilterRefine", image=five, mask=three)
    p.add("MaskToImage", mask=refined)
    p.add("PreviewImage", images=str(len(p)))
    ran = server.run(p)
    assert ran.error and ran.error["kind"] == "execution_error"
    assert "image has a batch of 5 and mask a batch of 3; give equal batches, or one" in ran.error["exception_message"]


def test_picture_with_alpha_is_taken(server: Server, photo: np.ndarray) -> None:
    """Four channels in: the subject is found in the colours, as in the same picture without alpha."""
    name = server.upload("kitten.png", photo)
    p = Prompt()
    image = p.add("LoadImage", image=name)
    ids = extend(p, p.add("JoinImageWithAlpha", image=image, alpha=(image, 1)))
    ran = server.run(p)
    assert not ran.error, ran.error
    plain, own = chain(name)
    expected = server.run(plain)
    assert np.array_equal(
        server.picture(ran.outputs[ids["SaveImage"]]["images"][0]),
        server.picture(expected.outputs[own["SaveImage"]]["images"][0]),
    )


def test_interrupt_ends_within_one_chunk(server: Server, photo: np.ndarray) -> None:
    p = Prompt()
    image = p.add("LoadImage", image=server.upload("kitten.png", photo))
    batch = p.add("RepeatImageBatch", image=image, amount=6)
    ids = extend(p, batch, NuggyTTAMask={"custom_views": "1024 1024f"})
    asked: list[int] = []

    def during(kind: str, data: dict[str, Any]) -> None:
        if kind == "progress" and data["node"] == ids["NuggyTTAMask"] and data["value"] >= 2 and not asked:
            asked.append(data["value"])
            server.post("/interrupt")

    ran = server.run(p, during)
    assert ran.error and ran.error["kind"] == "execution_interrupted", ran.error
    done = [d["value"] for k, d in ran.messages if k == "progress" and d["node"] == ids["NuggyTTAMask"]]
    assert done[-1] <= asked[0] + 2  # a chunk is the two views of one picture
    alive, own = chain("kitten.png", NuggyTTAMask={"custom_views": "288"})
    after = server.run(alive)
    assert not after.error and after.outputs[own["SaveImage"]]["images"]


def test_a_moved_slider_runs_only_what_comes_after(server: Server, photo: np.ndarray) -> None:
    name = server.upload("kitten.png", photo)
    first, ids = chain(name, NuggyTTAMask={"custom_views": "320"})
    assert not server.run(first).error
    later = ["GuidedFilterRefine", "IslandRemove", "NuggyComposite", "SaveImage"]
    moved, _ = chain(name, NuggyTTAMask={"custom_views": "320"}, GuidedFilterRefine={"radius": 7.5})
    ran = server.run(moved)
    assert not ran.error and ran.ran == [ids[n] for n in later]
    assert set(ran.cached) == {ids[n] for n in ("LoadImage", "NuggyLoader", "NuggyTTAMask")}
    moved, _ = chain(name, NuggyTTAMask={"custom_views": "320"}, GuidedFilterRefine={"radius": 7.5},
                     IslandRemove={"min_area": 0.01})  # fmt: skip
    assert server.run(moved).ran == [ids[n] for n in later[1:]]


def test_alpha_comes_back_through_load_image(server: Server, photo: np.ndarray) -> None:
    """A PNG's alpha through Load Image, Composite and Join Image with Alpha to a PNG: the same alpha, both ways. The
    picture was cut out before: its colours are kept (foreground none), but for those that cannot be seen."""
    height, width = photo.shape[:2]
    alpha = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8), (height, width))
    name = server.upload("ramp.png", np.dstack((photo, alpha)))
    p = Prompt()
    image = p.add("LoadImage", image=name)
    subject = p.add("InvertMask", mask=(image, 1))  # Load Image's mask is 1 where the picture is transparent
    composite = p.add("NuggyComposite", image=image, mask=subject, foreground="none")
    joined = p.add("JoinImageWithAlpha", image=image, alpha=(composite, 3))
    ours = p.add("SaveImage", images=(composite, 1), filename_prefix="ours")
    theirs = p.add("SaveImage", images=joined, filename_prefix="theirs")
    ran = server.run(p)
    assert not ran.error, ran.error
    for node in (ours, theirs):
        saved = server.picture(ran.outputs[node]["images"][0])
        assert np.abs(saved[..., 3].astype(int) - alpha).max() <= 1
        seen = saved[..., 3] > 0 if node == ours else slice(None)
        assert np.array_equal(saved[seen][..., :3], photo[seen])


def test_weights_in_models_nuggy_are_listed_and_load(server: Server, photo: np.ndarray) -> None:
    from nuggy_nodes.core.network.weights import default_path

    folder = server.base / "models" / "nuggy"
    folder.mkdir(exist_ok=True)
    (folder / "mine.safetensors").symlink_to(default_path())
    (folder / "notes.txt").write_text("not weights")
    listed = server.json("/object_info/NuggyLoader")["NuggyLoader"]["input"]["required"]["weights"][1]["options"]
    assert listed == [DEFAULT, "mine.safetensors"]
    prompt, ids = chain(server.upload("kitten.png", photo), NuggyLoader={"weights": "mine.safetensors"})
    ran = server.run(prompt)
    assert not ran.error and ids["NuggyLoader"] in ran.ran


def test_core_remove_background_takes_our_model(server: Server, photo: np.ndarray) -> None:
    """Where ComfyUI has its own Remove Background, Nuggy's loader drives it; elsewhere the node is not offered."""
    p = Prompt()
    image = p.add("LoadImage", image=server.upload("kitten.png", photo))
    mask = p.add("RemoveBackground", bg_removal_model=p.add("NuggyLoader"), image=image)
    save = p.add("SaveImage", images=p.add("MaskToImage", mask=mask), filename_prefix="core")
    if not server.json("/object_info/RemoveBackground"):
        with pytest.raises(Refused, match="RemoveBackground"):
            server.run(p)
        return
    ran = server.run(p)
    assert not ran.error, ran.error
    saved = server.picture(ran.outputs[save]["images"][0])
    assert saved.shape[:2] == photo.shape[:2] and saved.max() > 250 and saved.min() < 5


def test_ten_runs_do_not_grow(server: Server, photo: np.ndarray) -> None:
    """Every node runs anew in each of ten runs (a view never seen before); resident memory settles."""
    name = server.upload("kitten.png", photo)
    sizes = []
    for i in range(10):
        prompt, _ = chain(name, NuggyTTAMask={"custom_views": f"512p{i + 1}"}, NuggyLoader={"precision": "float32"})
        ran = server.run(prompt)
        assert not ran.error and len(ran.ran) >= 5, ran.error
        sizes.append(server.memory() / 2**20)
    print("resident MiB after each run:", [round(s) for s in sizes])
    assert max(sizes[5:]) - max(sizes[:5]) < 32


@pytest.mark.parametrize("name", ["Cut-out before and after", "Cut-out corrected by strokes"])
def test_stored_template_runs(server: Server, photo: np.ndarray, name: str) -> None:
    """With the quickest views. (The other templates run in test_browser, test_chaining and test_clip.)"""
    graph = json.loads((REPOSITORY / "example_workflows" / f"{name}.json").read_text(encoding="utf-8"))
    prompt = of_workflow(graph, NuggyTTAMask={"views": "fast"})
    for node in prompt.values():
        if node["class_type"] == "LoadImage":
            server.upload(node["inputs"]["image"], photo)
    if "Compare" in str(prompt) and not server.json("/object_info/ImageCompare"):
        with pytest.raises(Refused, match="ImageCompare"):  # of the 0.33 line
            server.run(prompt)
        return
    ran = server.run(prompt)
    assert not ran.error, ran.error
    pictures = [f for made in ran.outputs.values() for f in made.get("images", []) + made.get("a_images", [])]
    assert pictures and all(server.picture(f).shape[:2] == photo.shape[:2] for f in pictures)
