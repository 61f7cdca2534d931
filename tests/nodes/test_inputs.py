"""What comes in odd: colours of a picker, 0..255, other shapes, light above 1; where the work is done; one copy."""

from __future__ import annotations

import sys

import pytest
import torch

from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.network import cudagraph


def put(pack, image, mask, colour="#00ff00", **more):
    return pack.NuggyComposite.execute(image, mask, colour, "cover", "multilevel", **more).args


def test_the_alpha_of_a_colour_counts(pack, image, mask):
    assert torch.equal(put(pack, image, mask, "#00ff00ff")[0], put(pack, image, mask, "#00ff00")[0])
    half = put(pack, image, mask, "#00ff0080")[0]
    assert half.shape[-1] == 4 and torch.equal(half[mask > 0.5][:, 3], torch.ones(int(mask.sum())))
    outside = half[0, 0, 0]
    assert (outside - torch.tensor([0, 1, 0, 128 / 255])).abs().max() < 1e-5
    assert pack.NuggyComposite.validate_inputs(colour="#11223344") is True
    assert "#rrggbb" in pack.NuggyComposite.validate_inputs(colour="#1122334")


def test_pictures_that_count_to_255_are_told(pack, image, mask):
    with pytest.raises(InputError, match="whole numbers up to .*divide by 255"):
        put(pack, (image * 255).round(), mask)
    put(pack, image * 7.3, mask)  # light above 1 is welcome


def test_light_above_one_keeps_its_colours(pack, image, mask):
    bright = image.clone()
    bright[..., 0] *= 5
    picture = put(pack, bright, mask)[0]
    sure = torch.nn.functional.avg_pool2d(mask[:, None], 5, 1, 2)[:, 0] > 0.999
    assert picture.amax() > 3 and (picture[sure] - bright[sure]).abs().max() < 1e-5


def test_masks_of_another_shape_are_refused(pack, image):
    for wrong in (torch.ones(1, 64, 48), torch.ones(1, 48, 48)):
        with pytest.raises(InputError, match=f"mask is {wrong.shape[2]}x{wrong.shape[1]} and the image 64x48"):
            put(pack, image, wrong)
    assert put(pack, image, torch.zeros(1, 64, 64))[2].shape == (2, 48, 64)  # Load Image's without transparency
    assert put(pack, image, torch.ones(1, 12, 16))[2].shape == (2, 48, 64)
    with pytest.raises(InputError, match="turned on its side"):
        put(pack, image, torch.ones(1, 64, 48))


def test_loaders_of_one_file_share_it(pack, monkeypatch, tmp_path):
    module = sys.modules["nuggy_nodes.nodes.network"]
    one = module.managed("isnet-general-use-8bit.safetensors", "float32")
    assert module.managed("isnet-general-use-8bit.safetensors", "float32") is one
    assert one.network.model in cudagraph._plain  # ComfyUI swaps weights; a graph would hold them
    key_count = len(module._alive)
    del one
    import gc

    gc.collect()
    assert len(module._alive) < key_count


def test_out_of_memory_falls_back_once_for_the_batch(pack, image, state):
    device = sys.modules["nuggy_nodes.nodes.device"]
    place, seen = device.Place(image.movedim(-1, 1), 10), []
    place.device = torch.device("meta")  # another one: its tensors have no values

    def work(x):
        seen.append(x.device.type)
        if x.device.type == "meta":
            raise RuntimeError("out of memory, says the test")
        return x.sum()

    place.run(work, image)
    place.run(work, image)
    assert seen == ["meta", "cpu", "cpu"] and len(state.freed) == 1


def test_report_of_ten_masks_is_short(pack, mask, state):
    made = pack.IslandRemove.execute(torch.cat([mask] * 4 + [mask * 0] * 2)).args
    assert made[2].splitlines() == [
        "masks 1 to 8: 1 parts, 0 removed, 0 holes filled",
        "masks 9 to 12: empty: nothing was found before this node, or the mask is 1 nowhere",
    ]
    assert state.texts == ["12 masks: 8 parts, 0 removed, 0 holes filled, 4 empty"]


def test_every_subject_has_its_mask(pack, image, mask):
    both = mask.amax(0, keepdim=True)
    both[0, :, 30:34] = 0  # apart
    images, masks, count = pack.NuggyEachSubject.execute(image[:1], both).args
    assert count == len(masks) == len(images) == 2 and torch.equal(masks.sum(0), both[0])
    assert torch.equal(images[1], image[0]) and not bool((masks[0] * masks[1]).any())
    cut = put(pack, images, masks)[1]
    assert cut.shape == (2, 48, 64, 4)
    assert pack.NuggyEachSubject.execute(image, mask).args[2] == 2  # one a picture
    assert pack.NuggyEachSubject.execute(image, mask * 0).args[1].shape == (2, 48, 64)  # nothing found stays a mask
