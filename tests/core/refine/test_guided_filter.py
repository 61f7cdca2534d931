import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage

from nuggy_nodes.core import InputError
from nuggy_nodes.core.ops import box_filter
from nuggy_nodes.core.ops.box_filter import box_mean
from nuggy_nodes.core.refine import guided_filter as module
from nuggy_nodes.core.refine.guided_filter import guided_filter


def window_mean(x, radius):
    size = 2 * radius + 1
    ones = np.ones_like(x, np.float64)
    return ndimage.uniform_filter(x.astype(np.float64), size, mode="constant") / ndimage.uniform_filter(
        ones, size, mode="constant"
    )


def slow_grey(guide, src, radius, epsilon):
    """Equations 5 to 8 of the paper in float64 on cv2's unnormalised box sums, divided by the true window."""

    def mean(x):
        box = [cv2.boxFilter(v, cv2.CV_64F, (2 * radius + 1,) * 2, normalize=False, borderType=cv2.BORDER_CONSTANT)
               for v in (x.astype(np.float64), np.ones(x.shape))]  # fmt: skip
        return box[0] / box[1]

    a = (mean(guide * src) - mean(guide) * mean(src)) / (mean(guide * guide) - mean(guide) ** 2 + epsilon)
    b = mean(src) - a * mean(guide)
    return mean(a) * guide + mean(b)


def slow_colour(guide, src, radius, epsilon):
    """Every window by itself: np.linalg.solve of the 3x3 system on the pixels inside (equations 14 and 15)."""
    height, width = src.shape
    a = np.zeros((height, width, 3))
    b = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            rows, columns = slice(max(y - radius, 0), y + radius + 1), slice(max(x - radius, 0), x + radius + 1)
            i, p = guide[rows, columns].reshape(-1, 3).astype(np.float64), src[rows, columns].ravel().astype(np.float64)
            mean = i.mean(0)
            sigma = (i - mean).T @ (i - mean) / len(i)
            a[y, x] = np.linalg.solve(sigma + epsilon * np.eye(3), (i * p[:, None]).mean(0) - mean * p.mean())
            b[y, x] = p.mean() - a[y, x] @ mean
    smooth = [window_mean(a[..., c], radius) for c in range(3)]
    return sum(smooth[c] * guide[..., c] for c in range(3)) + window_mean(b, radius)


def tensor(x):
    x = torch.from_numpy(np.ascontiguousarray(x, np.float32))
    return x[None, None] if x.ndim == 2 else x.permute(2, 0, 1)[None]


@pytest.mark.parametrize("shape,radius", [((33, 47), 4), ((20, 21), 12), ((1, 40), 3), ((9, 5), 30)])
@pytest.mark.parametrize("epsilon", [1e-2, 1e-4])
def test_grey_against_the_paper(rng, shape, radius, epsilon):
    guide, src = rng.random(shape), rng.random(shape)
    got = guided_filter(tensor(guide), tensor(src), radius, epsilon)[0, 0].numpy()
    np.testing.assert_allclose(got, slow_grey(guide, src, radius, epsilon), atol=1e-4)


@pytest.mark.parametrize("shape,radius", [((24, 31), 3), ((15, 12), 9), ((1, 17), 4)])
@pytest.mark.parametrize("epsilon", [1e-2, 1e-4])
def test_colour_against_a_solve_in_every_window(rng, shape, radius, epsilon):
    guide, src = rng.random((*shape, 3)), rng.random(shape)
    got = guided_filter(tensor(guide), tensor(src), radius, epsilon)[0, 0].numpy()
    np.testing.assert_allclose(got, slow_colour(guide, src, radius, epsilon), atol=1e-4)


@pytest.mark.parametrize("work", ["tiles", "strips"])
@pytest.mark.parametrize("offset", [0.95, 0.02])
def test_near_constant_guide_at_a_large_radius(rng, monkeypatch, work, offset):
    """Contrast of 0.004 over windows of 129 pixels, against float64: both the CPU's way and that of other devices."""
    if work == "strips":
        monkeypatch.setattr(box_filter, "_box_mean_cpu", box_filter._box_mean_torch)
        monkeypatch.setattr(module, "filter_tiles", module.filter_strips)
    guide = (offset + 0.004 * rng.random((200, 300))).astype(np.float32)
    src = ((guide - offset) / 0.004).astype(np.float32)
    for epsilon, bound in ((1e-4, 1e-4), (1e-6, 1e-3), (1e-8, 3e-3)):
        got = guided_filter(tensor(guide), tensor(src), 64, epsilon)[0, 0].numpy()
        expected = slow_grey(guide.astype(np.float64), src.astype(np.float64), 64, epsilon)
        assert np.abs(got - expected).max() < bound
        colour = guided_filter(tensor(guide).expand(1, 3, -1, -1), tensor(src), 64, 3 * epsilon)[0, 0].numpy()
        assert np.abs(colour - expected).max() < bound  # three channels that move together: the same at thrice epsilon


def test_constant_guide_gives_the_box_mean_of_box_means(rng):
    """Without structure in the guide a is 0, b the window's mean, and the output their mean over windows."""
    src = tensor(rng.random((30, 40)))
    expected = box_mean(box_mean(src, 5), 5)
    for guide in (torch.full((1, 1, 30, 40), 0.7), torch.full((1, 3, 30, 40), 0.7)):
        torch.testing.assert_close(guided_filter(guide, src, 5, 1e-4), expected, atol=1e-5, rtol=0)


def test_affine_guide_returns_itself(rng):
    """A src that is an affine function of the guide is fitted exactly as epsilon vanishes."""
    guide = tensor(rng.random((30, 40, 3)))
    src = 0.2 * guide[:, :1] + 0.3 * guide[:, 1:2] - 0.1 * guide[:, 2:] + 0.3
    torch.testing.assert_close(guided_filter(guide, src, 4, 1e-7), src, atol=1e-4, rtol=0)
    grey = guide[:, :1]
    torch.testing.assert_close(guided_filter(grey, 0.5 * grey + 0.2, 4, 1e-7), 0.5 * grey + 0.2, atol=1e-4, rtol=0)


def test_near_constant_bright_guide_keeps_its_variance(rng):
    """Variances of 1e-6 around 0.95 survive float32 only if the mean is taken off first."""
    guide = 0.95 + 0.002 * rng.random((80, 90, 3))
    src = (guide[..., 0] - 0.95) / 0.002
    got = guided_filter(tensor(guide), tensor(src), 8, 1e-8)[0, 0].numpy()
    expected = slow_colour(np.asarray(guide, np.float32)[:40, :40], src[:40, :40], 8, 1e-8)
    np.testing.assert_allclose(got[:24, :24], expected[:24, :24], atol=5e-3)


def test_half_precision_and_strided_input(rng):
    guide, src = tensor(rng.random((25, 32, 3))), tensor(rng.random((25, 32)))
    expected = guided_filter(guide, src, 3, 1e-3)
    for kind in (torch.half, torch.bfloat16):  # only what the input has lost is lost
        kept = guide.to(kind)
        torch.testing.assert_close(guided_filter(kept, src, 3, 1e-4), guided_filter(kept.float(), src, 3, 1e-4))
    half = guided_filter(guide.half(), src.half(), 3, 1e-3)
    assert half.dtype == torch.float32 and (half - expected).abs().max() < 5e-3
    strided = guide.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    torch.testing.assert_close(guided_filter(strided, src, 3, 1e-3), expected)


def test_batches_are_independent_and_one_serves_many(rng):
    guide, src = tensor(rng.random((12, 14, 3))), tensor(rng.random((12, 14)))
    other = tensor(rng.random((12, 14, 3)))
    both = guided_filter(torch.cat((guide, other)), src, 2, 1e-3)
    assert torch.equal(both[:1], guided_filter(guide, src, 2, 1e-3))
    assert torch.equal(both[1:], guided_filter(other, src, 2, 1e-3))


def test_small_source_is_enlarged(rng):
    guide, src = tensor(rng.random((64, 48, 3))), tensor(rng.random((16, 12)))
    large = torch.nn.functional.interpolate(src, size=(64, 48), mode="bilinear")
    assert torch.equal(guided_filter(guide, src, 5, 1e-3), guided_filter(guide, large, 5, 1e-3))


@pytest.mark.parametrize(
    "guide,src,radius,epsilon,word",
    [
        (torch.rand(1, 4, 8, 8), torch.rand(1, 1, 8, 8), 2, 1e-3, "fourth"),
        (torch.rand(3, 8, 8), torch.rand(1, 1, 8, 8), 2, 1e-3, "expected"),
        (torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8), 2, 1e-3, "src"),
        (torch.rand(3, 3, 8, 8), torch.rand(2, 1, 8, 8), 2, 1e-3, "batch"),
        (torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8), 0, 1e-3, "radius"),
        (torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8), 1.5, 1e-3, "radius"),
        (torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 8), 2, 0.0, "epsilon"),
        (torch.rand(1, 3, 0, 8), torch.rand(1, 1, 8, 8), 2, 1e-3, "empty"),
        (torch.ones(1, 3, 8, 8, dtype=torch.uint8), torch.rand(1, 1, 8, 8), 2, 1e-3, "float"),
    ],
)
def test_bad_input_is_refused_with_a_reason(guide, src, radius, epsilon, word):
    with pytest.raises(InputError, match=word):
        guided_filter(guide, src, radius, epsilon)


def test_strips_give_what_one_piece_gives(rng, monkeypatch):
    guide, src = torch.from_numpy(rng.random((3, 61, 23), np.float32)), tensor(rng.random((61, 23)))[0, 0]
    whole = module.filter_strips(guide, src, 0.5, 3, 1e-3)
    monkeypatch.setattr(module, "STRIP", 1)
    torch.testing.assert_close(module.filter_strips(guide, src, 0.5, 3, 1e-3), whole, atol=1e-5, rtol=0)
