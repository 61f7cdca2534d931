"""Shape, polarity, batch, dtype, device, and every error of the nodes, over a network that sees brightness."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from nuggy_nodes.core.errors import InputError, NuggyError
from nuggy_nodes.core.network.weights import DEFAULT_NAME, Info, Network


class Brightness(nn.Module):
    """Logits on a grid of half the input: bright is subject. Runs out of memory above `most` squares."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(20.0), requires_grad=False)
        self.most, self.seen = 99, []

    def forward(self, x):
        self.seen.append(len(x))
        if len(x) > self.most:
            raise RuntimeError("out of memory, says the test")
        return nn.functional.avg_pool2d(x.mean(1, keepdim=True), 2) * self.scale


@pytest.fixture
def model(pack, monkeypatch, tmp_path):
    module = sys.modules["nuggy_nodes.nodes.network"]
    monkeypatch.setattr(module, "load", lambda path, device, dtype: Network(Brightness().to(dtype), Info(), tmp_path))
    return module.ManagedNetwork("other.pth", "float32")


def see(pack, model, image, views="custom", combine="auto", custom_views="256 256f", chunk=0):
    return pack.NuggyTTAMask.execute(model, image, views, combine, custom_views, chunk).args[0]


def refine(pack, image, mask, **changes):
    given = {"radius": 20.0, "black": 0.1, "white": 0.9, "gamma": 1.0, "guide": "colour", "epsilon": 1e-4, "passes": 1}
    return pack.GuidedFilterRefine.execute(image, mask, **given | changes).args[0]


def clean(pack, mask, **changes):
    given = {
        "keep": "subject",
        "threshold": 0.1,
        "min_area": 0.002,
        "max_hole": 0.0,
        "min_reach": 0.02,
        "min_peak": 0.5,
    }
    return pack.IslandRemove.execute(mask, **given | changes).args


def put(pack, image, mask, **changes):
    return pack.NuggyComposite.execute(
        image, mask, **{"colour": "#00ff00", "fit": "cover", "foreground": "multilevel", **changes}
    ).args


# --- masks from pictures


def test_mask_is_one_on_the_subject_at_the_pictures_size(pack, model, image):
    mask = see(pack, model, image)
    assert mask.shape == (2, 48, 64) and mask.dtype == torch.float32
    assert mask[0, 24, 20] > 0.9 and mask[0, 24, 50] < 0.1 and mask[1, 24, 44] > 0.9


def test_a_picture_of_a_batch_is_seen_as_alone(pack, model, image):
    assert torch.equal(see(pack, model, image)[1:], see(pack, model, image[1:]))


def test_grey_and_four_channel_pictures_are_taken(pack, model, image):
    with_alpha = torch.cat((image, torch.zeros_like(image[..., :1])), -1)
    assert torch.equal(see(pack, model, with_alpha), see(pack, model, image))
    assert see(pack, model, image[..., :1]).shape == (2, 48, 64)


def test_half_precision_pictures_and_intermediates(pack, new, model, image, mask, state):
    state.intermediate_dtype = torch.float16 if new else torch.float32
    dtype = state.intermediate_dtype
    made = see(pack, model, image.half())
    assert made.dtype == dtype
    refined = refine(pack, image.half(), made)
    assert refined.dtype == dtype
    kept = clean(pack, refined)[0]
    assert kept.dtype == dtype
    assert all(x.dtype == dtype for x in put(pack, image.half(), kept))
    assert (refined.float() - refine(pack, image, see(pack, model, image)).float()).abs().max() < 0.02


def test_progress_counts_views_and_shows_the_mask(pack, model, image, state):
    see(pack, model, image)
    values = [v for v, _ in state.progress]
    assert values == sorted(values) and values[-1] == 4 and {t for _, t in state.progress} == {4}
    assert len(state.previews) == 2 and state.previews[0][1].size == (64, 48)


def test_interrupt_passes_through(pack, model, image, state):
    import fake_comfy

    state.interrupt_after = 3
    with pytest.raises(fake_comfy.Interrupted):
        see(pack, model, image.repeat(4, 1, 1, 1))
    assert len(model.network.model.seen) <= 3


def test_chunk_is_halved_when_memory_runs_out(pack, model, image):
    expected = see(pack, model, image)
    net = model.network.model
    net.seen.clear()
    net.most = 1
    assert torch.equal(see(pack, model, image, chunk=4), expected)
    assert net.seen == [2, 1, 1, 1, 1]  # what did not fit for the first picture is not tried for the second


def test_no_memory_for_one_square_is_a_sentence(pack, model, image):
    model.network.model.most = 0
    with pytest.raises(NuggyError, match="ran out of memory with one view of 256x256.*smaller custom views"):
        see(pack, model, image)


def test_memory_is_asked_of_comfyui(pack, model, image, state):
    see(pack, model, image)
    assert len(state.loaded) == 1 and state.loaded[0] > 1e6


def test_the_loaders_output_drives_core_remove_background(pack, model, image):
    mask = model.encode_image(image)
    assert mask.shape == (2, 48, 64) and mask[0, 24, 20] > 0.9
    assert model.encode_image(image, image_size=500).shape == (2, 48, 64)


def test_views_and_how_they_combine(pack):
    choose = sys.modules["nuggy_nodes.nodes.tta_mask"].choose
    assert [str(v) for v in choose("custom", "auto", "1024, 768fp15")[0]] == ["1024", "768fp15"]
    assert choose("custom", "max", "1024")[1] == "max"
    assert choose("fast", "auto", "")[0] == choose("fast", "mean", "512")[0]


@pytest.mark.slow
def test_best_looks_again_at_large_pictures_as_the_core_does(pack, model, state):
    from nuggy_nodes.core import recipe
    from nuggy_nodes.core.ops.resample import enlarge
    from nuggy_nodes.core.segment.closer_look import look

    y, x = torch.meshgrid(torch.arange(1100.0), torch.arange(2048.0), indexing="ij")
    far = torch.hypot(y - 500, x - 900) / 400
    image = (1.6 * (1 - far)).clamp(0, 1)[None, ..., None].repeat(1, 1, 1, 3)  # undecided around a disc
    made = see(pack, model, image, views="best")
    assert sum(model.network.model.seen) == 2 + 9 and state.progress[-1] == (15, 15)  # the frame cuts nothing off
    best = recipe("best")
    coarse = look(model.network, image.movedim(-1, 1), best.views, best.combine, looks=2)
    assert coarse.shape[-2:] == (1024, 1024) and torch.equal(made, enlarge(coarse, 1100, 2048)[:, 0])
    model.network.model.seen.clear()
    see(pack, model, image[:, :, :2047], views="best")
    assert sum(model.network.model.seen) == 2 + 2  # whole once more, and larger


# --- refinement


def test_refinement_reaches_the_pictures_size_from_any_mask(pack, image, mask):
    small = torch.nn.functional.interpolate(mask[:, None], size=(12, 16), mode="area")[:, 0]
    big = torch.nn.functional.interpolate(mask[:, None], size=(96, 128))[:, 0]
    for given in (mask, small, big, mask > 0.5, mask[0], mask[:, None]):
        refined = refine(pack, image, given)
        assert refined.shape == (2, 48, 64) and refined.min() >= 0 and refined.max() <= 1
        assert refined[0, 24, 20] > 0.9 and refined[0, 2, 60] < 0.1


@pytest.mark.parametrize("passes", [1, 2])
def test_refinement_equals_the_cores(pack, image, mask, passes):
    from nuggy_nodes.core import recipe
    from nuggy_nodes.core.refine.refine import refine as core_refine

    mask = torch.nn.functional.avg_pool2d(mask, 9, 1, 4)  # soft; a hard one's edge is found anew
    wanted = recipe("balanced", radius=20.0, black=0.1, white=0.9, gamma=1.0, epsilon=1e-4, passes=passes)
    pairs = zip(image.movedim(-1, 1).split(1), mask[:, None].split(1))
    expected = torch.cat([core_refine(i, m, **wanted.part("edge")) for i, m in pairs])
    assert torch.equal(refine(pack, image, mask, passes=passes), expected[:, 0])


def test_a_hard_mask_gets_the_photographs_edge(pack, image, mask):
    """As core.refine.rough finds it; a moved radius says how far the mask may be wrong; unsure is a trimap's grey."""
    from nuggy_nodes.core.refine.rough import refine_rough

    def core(*said, **more):
        return refine_rough(image.movedim(-1, 1), mask[:, None], *said, detail=more.pop("detail", 0.75), **more)[:, 0]

    assert torch.equal(refine(pack, image, mask), core())
    assert torch.equal(refine(pack, image, mask, detail=0.0), core(detail=0.0))
    assert torch.equal(refine(pack, image, mask, radius=64.0), core(4.0))
    grey = (torch.nn.functional.avg_pool2d(mask, 7, 1, 3) % 1 > 0).float()
    assert torch.equal(refine(pack, image, mask, unsure=grey), core(unsure=grey[:, None]))
    assert torch.equal(refine(pack, image, mask, guide="none", black=0.0, white=1.0), mask)


def test_an_empty_mask_is_told(pack, image, mask, state):
    refine(pack, image, mask * torch.tensor([1.0, 0.0])[:, None, None])
    assert state.texts == ["the mask is empty in picture 2"]


def test_a_prompt_from_before_passes_means_one(pack, image, mask):
    given = {"radius": 20.0, "black": 0.1, "white": 0.9, "gamma": 1.0, "guide": "colour", "epsilon": 1e-4}
    assert torch.equal(pack.GuidedFilterRefine.execute(image, mask, **given).args[0], refine(pack, image, mask))


def test_refinement_moves_to_the_cpu_when_the_device_lacks_the_memory(pack, monkeypatch):
    """Work that fails on the first device is done again, on the tensors of the CPU; other failures are not hidden."""
    device, tried = sys.modules["nuggy_nodes.nodes.device"], []
    monkeypatch.setattr(device.mm, "get_torch_device", lambda: torch.device("meta"))

    def work(x):
        tried.append(x.device.type)
        if x.device.type == "meta":
            raise RuntimeError(says)
        return x + 1

    one, says = torch.zeros(1, 1, 4, 4), "out of memory"
    assert torch.equal(device.Place(one, 8).run(work, one), one + 1) and tried == ["meta", "cpu"]
    says = "something else"
    with pytest.raises(RuntimeError, match="something else"):
        device.Place(one, 8).run(work, one)


@pytest.mark.parametrize("guide", ["colour", "grey", "none"])
def test_guides(pack, image, mask, guide):
    assert refine(pack, image, mask, guide=guide).shape == (2, 48, 64)


def test_one_mask_serves_a_batch_and_one_picture_many_masks(pack, image, mask):
    assert refine(pack, image, mask[:1]).shape[0] == 2
    assert refine(pack, image[:1], mask).shape[0] == 2


def test_load_images_empty_mask_is_a_mask_like_any_other(pack, image):
    empty = torch.zeros(1, 64, 64)
    assert refine(pack, image, empty).abs().max() == 0
    assert torch.equal(put(pack, image, empty)[1][..., 3], torch.zeros(2, 48, 64))


# --- islands


def test_a_speck_goes_and_is_reported(pack, mask, state):
    mask[0, 2, 2] = 1.0
    kept, removed, report = clean(pack, mask)
    assert kept[0, 2, 2] == 0 and removed == 1 and kept[0, 24, 20] == 1
    assert report.splitlines() == ["mask 1: 2 parts, 1 removed, 0 holes filled",
                                   "mask 2: 1 parts, 0 removed, 0 holes filled"]  # fmt: skip
    assert state.texts == [report]


def test_a_hole_is_filled(pack, mask):
    mask[0, 24, 20] = 0.0
    assert clean(pack, mask)[0][0, 24, 20] == 0
    assert clean(pack, mask, max_hole=0.01)[0][0, 24, 20] == 1


# --- composites


def test_composite_puts_the_subject_over_a_colour(pack, image, mask):
    picture, rgba, subject, background = put(pack, image, mask)
    assert picture.shape == (2, 48, 64, 3) and rgba.shape == (2, 48, 64, 4)
    assert torch.allclose(picture[0, 2, 60], torch.tensor([0.0, 1.0, 0.0]))
    assert torch.allclose(picture[0, 24, 20], image[0, 24, 20])
    opaque = mask == 1
    assert torch.equal(rgba[opaque][:, :3], image[opaque]) and torch.equal(rgba[..., 3], mask)  # straight alpha
    assert torch.equal(subject, mask) and torch.equal(background, 1 - mask)


@pytest.mark.parametrize("method", ["multilevel", "blur-fusion", "none"])
def test_colours_of_the_cut_out_are_the_cores(pack, image, mask, method):
    from nuggy_nodes.core import estimate_foreground

    soft = nn.functional.avg_pool2d(mask[:, None], 9, 1, 4)
    image = image + torch.rand(image.shape, generator=torch.Generator().manual_seed(1)) * 0.1
    usual = "multilevel" if method == "blur-fusion" else method  # a word of 0.1
    expected = estimate_foreground(image.movedim(-1, 1).clamp(0, 1), soft, usual)
    picture, rgba, *_ = put(pack, image.clamp(0, 1), soft[:, 0], foreground=method)
    assert torch.equal(rgba[..., :3].movedim(-1, 1), expected)
    green = torch.tensor([0.0, 1.0, 0.0])
    torch.testing.assert_close(picture, rgba[..., :3] * rgba[..., 3:] + green * (1 - rgba[..., 3:]))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_masks_without_an_edge(pack, image, value):
    flat = torch.full((2, 48, 64), value)
    picture, rgba, *_ = put(pack, image, flat)
    assert torch.equal(rgba[..., :3], image * value) and torch.isfinite(picture).all()


def test_what_the_mask_hides_is_not_in_the_cut_out(pack, image, mask):
    noise = torch.where(mask[..., None] > 0, image, torch.rand(image.shape, generator=torch.Generator().manual_seed(2)))
    assert torch.equal(put(pack, image, mask)[1], put(pack, noise, mask)[1])


def test_cancel_ends_between_two_pictures(pack, image, mask, state):
    import fake_comfy

    state.interrupt_after = 3
    with pytest.raises(fake_comfy.Interrupted):
        put(pack, image.repeat(4, 1, 1, 1), mask.repeat(4, 1, 1))
    assert state.progress[-1][0] <= 4


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
def test_one_background_of_another_size_serves_a_batch(pack, image, mask, fit):
    background = torch.zeros(1, 30, 80, 4)
    background[..., 2] = 1
    picture = put(pack, image, mask, background=background, fit=fit)[0]
    assert picture.shape == (2, 48, 64, 3) and torch.allclose(picture[1, 2, 2], torch.tensor([0.0, 0.0, 1.0]))


def test_batches_of_composite(pack, image, mask):
    five = torch.rand(5, 48, 64, 3)
    for got in put(pack, image[:1], mask[:1], background=five):
        assert got.shape[0] == 5
    for got in put(pack, image, mask[:1]):
        assert got.shape[0] == 2
    assert put(pack, image, mask[:, ::2, ::2])[2].shape == (2, 48, 64)


# --- what does not fit


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda x: x[:0], "image is empty"),
        (lambda x: x[:, :0], "image is empty"),
        (lambda x: x[0], "an IMAGE is"),
        (lambda x: x[..., :2], "an IMAGE is"),
        (lambda x: x * float("nan"), "NaN or infinite; repair the node"),
    ],
)
def test_pictures_that_are_none(pack, model, image, mask, spoil, sentence):
    for attempt in (lambda x: see(pack, model, x), lambda x: refine(pack, x, mask), lambda x: put(pack, x, mask)):
        with pytest.raises(InputError, match=sentence):
            attempt(spoil(image))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda m: m[:0], "mask is empty"),
        (lambda m: m[..., None, None], "a MASK is"),
        (lambda m: m / 0, "NaN or infinite"),
    ],
)
def test_masks_that_are_none(pack, image, mask, spoil, sentence):
    for attempt in (lambda m: refine(pack, image, m), lambda m: clean(pack, m), lambda m: put(pack, image, m)):
        with pytest.raises(InputError, match=sentence):
            attempt(spoil(mask))


def test_batches_of_three_and_five(pack, image, mask):
    five, three = image[:1].expand(5, -1, -1, -1), mask[:1].expand(3, -1, -1)
    for attempt in (refine, put):
        with pytest.raises(InputError, match="image has a batch of 5 and mask a batch of 3; give equal batches"):
            attempt(pack, five, three)
    with pytest.raises(InputError, match="a batch of 2 and background a batch of 3"):
        put(pack, image, mask, background=image[:1].expand(3, -1, -1, -1))


def test_another_packs_model(pack, image):
    with pytest.raises(InputError, match="connect it"):
        see(pack, object(), image)


def test_values_refused_before_the_run(pack):
    refused = [
        pack.GuidedFilterRefine.validate_inputs(black=0.8, white=0.3),
        pack.GuidedFilterRefine.validate_inputs(black=-0.1, white=0.3),
        pack.GuidedFilterRefine.validate_inputs(guide="blue"),
        pack.NuggyTTAMask.validate_inputs(views="custom", custom_views="100x"),
        pack.NuggyTTAMask.validate_inputs(views="custom", custom_views=" "),
        pack.NuggyTTAMask.validate_inputs(views="slowest"),
        pack.IslandRemove.validate_inputs(keep="some"),
        pack.NuggyComposite.validate_inputs(colour="red wine"),
        pack.NuggyComposite.validate_inputs(fit="tile"),
        pack.NuggyComposite.validate_inputs(foreground="best"),
        pack.NuggyLoader.validate_inputs(weights="absent.pth"),
    ]
    assert all(isinstance(r, str) and ("got" in r or "write" in r) for r in refused), refused
    accepted = [
        pack.GuidedFilterRefine.validate_inputs(black=None, white=0.3, guide="grey"),  # black is linked
        pack.NuggyTTAMask.validate_inputs(views="fast", combine="max", custom_views=""),
        pack.IslandRemove.validate_inputs(keep="all"),
        pack.NuggyComposite.validate_inputs(colour="#fff", fit="stretch", foreground="none"),
        pack.NuggyLoader.validate_inputs(weights="other.pth", precision="auto"),
    ]
    assert all(r is True for r in accepted)


def test_loader_reads_a_replaced_file_again(pack, monkeypatch, tmp_path):
    models = sys.modules["nuggy_nodes.nodes.models"]
    path = tmp_path / "other.pth"
    path.write_bytes(b"1")
    monkeypatch.setattr(models, "resolve", lambda name: path)
    before = pack.NuggyLoader.fingerprint_inputs("other.pth", "auto")
    import os

    os.utime(path, ns=(1, 1))
    assert pack.NuggyLoader.fingerprint_inputs("other.pth", "auto") != before


def test_default_weights_need_no_folder(pack):
    models = sys.modules["nuggy_nodes.nodes.models"]
    assert models.resolve(models.names()[0]) is None
    assert [n for n in models.names()[1:] if "/" not in n] == ["other.pth"]


def test_the_loader_says_what_it_loaded(pack, state):
    pack.NuggyLoader.execute(DEFAULT_NAME, "float32")
    assert state.texts == ["IS-Net; anything; the default; licence Apache-2.0; float32"]


def test_networks_of_others_are_listed_and_resolved(pack, new, tmp_path, monkeypatch):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    (tmp_path / "u2netp.onnx").write_bytes(b"")
    models = sys.modules["nuggy_nodes.nodes.models"]
    core = ["background_removal/birefnet.safetensors"] if new else []  # ComfyUI 0.3.75 has no such category
    assert models.names()[2:] == [*core, "rembg/u2netp.onnx"]
    assert models.resolve("rembg/u2netp.onnx") == tmp_path / "u2netp.onnx"
    if new:
        assert models.resolve(core[0]).parts[-2:] == ("background_removal", "birefnet.safetensors")


class OfComfyUI:
    """The contract of what core's Load Background Removal Model gives."""

    image_size = 64

    def __init__(self):
        self.seen = []

    def encode_image(self, image):
        self.seen.append(tuple(image.shape))
        return (20 * (image.mean(-1) - 0.5)).sigmoid()


def test_comfyuis_own_models_are_taken(pack, image):
    """The link that connects works: views of the model's own size, the majority of them, at the picture's size."""
    model = OfComfyUI()
    fast, balanced = (see(pack, model, image, which) for which in ("fast", "balanced"))
    assert model.seen == [(1, 64, 64, 3)] * (2 * 1 + 2 * 3)
    assert fast.shape == balanced.shape == image.shape[:3]
    bright = image.mean(-1)
    assert balanced[bright > 0.8].min() > 0.5 > balanced[bright < 0.3].max()
    assert see(pack, model, image, custom_views="1024 1024f").shape == image.shape[:3]


def test_an_onnx_file_in_the_loader(pack, state, tmp_path, monkeypatch, image):
    pytest.importorskip("onnxruntime")
    sys.path.insert(0, str(Path(__file__).parents[1] / "core" / "network"))
    import tiny_onnx

    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    tiny_onnx.write(tmp_path / "mine.onnx")
    model = pack.NuggyLoader.execute("rembg/mine.onnx", "auto").args[0]
    assert state.texts == ["an ONNX graph; licence unknown"]
    assert see(pack, model, image, "balanced").shape == image.shape[:3]
    assert model.encode_image(image).shape == image.shape[:3]


def test_only_weights_are_listed(pack):
    import asyncio

    asyncio.run(pack.Nuggy().get_node_list())
    folders = sys.modules["folder_paths"].folder_names_and_paths["nuggy"]
    assert folders[1] == {".safetensors", ".pth", ".pt", ".onnx"}
