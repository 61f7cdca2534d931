"""Foreground colours: against pymatting, against closed forms, and the promises of the docstrings."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core.errors import InputError
from nuggy_nodes.core.foreground.estimate import estimate_foreground
from nuggy_nodes.core.foreground.fill_hidden import fill_hidden
from nuggy_nodes.core.foreground.unknown_region import REACH, unsure
from nuggy_nodes.core.ops.composite import over
from tests.core.foreground.scenes import colour_error, peer, photo, soft_alpha

METHODS = ("multilevel",)


def test_multilevel_is_no_worse_than_pymatting(scene: dict[str, torch.Tensor]) -> None:
    image, alpha, truth = scene["image"], scene["alpha"], scene["foreground"]
    theirs = colour_error(peer(image, alpha), truth, alpha)
    ours = colour_error(estimate_foreground(image, alpha), truth, alpha)
    plain = colour_error(image, truth, alpha)
    assert ours <= 0.95 * theirs
    assert ours <= 0.65 * plain


def test_the_estimate_lies_near_pymattings(scene: dict[str, torch.Tensor]) -> None:
    image, alpha = scene["image"], scene["alpha"]
    reference = peer(image, alpha)
    assert colour_error(estimate_foreground(image, alpha, "multilevel"), reference, alpha) < 0.06


@pytest.mark.parametrize(("method", "bound"), [("multilevel", 1e-2)])
def test_constant_colours_are_recovered(method: str, bound: float) -> None:
    """Blur fusion averages mixed pixels too (its first F is the image): even constant colours keep some of the rim."""
    alpha = soft_alpha(120, 150)
    red, blue = torch.tensor([0.8, 0.3, 0.2]).view(1, 3, 1, 1), torch.tensor([0.1, 0.4, 0.9]).view(1, 3, 1, 1)
    image = over(red.expand(1, 3, 120, 150), alpha, blue.expand(1, 3, 120, 150))
    foreground, background = estimate_foreground(image, alpha, method, return_background=True)
    assert float((foreground - red).abs().max()) < bound
    seen = (alpha < 0.9).expand_as(image)
    assert float((background - blue).abs()[seen].max()) < bound


@pytest.mark.parametrize("method", METHODS)
def test_opaque_pixels_are_the_image_bit_for_bit(method: str, scene: dict[str, torch.Tensor]) -> None:
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        image, alpha = scene["image"].to(dtype), scene["alpha"].to(dtype)
        found = estimate_foreground(image, alpha, method)
        opaque = (alpha.float() >= 1 - 0.5 / 255).expand_as(image)
        assert found.dtype == dtype and bool(opaque.any())
        assert torch.equal(found[opaque], image[opaque])
        assert float(found.min()) >= 0 and float(found.max()) <= 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(method: str, dtype: torch.dtype, scene: dict[str, torch.Tensor]) -> None:
    image, alpha = scene["image"].to(dtype), scene["alpha"].to(dtype)
    half = estimate_foreground(image, alpha, method)
    full = estimate_foreground(image.float(), alpha.float(), method)
    visible = (alpha >= 1 / 255).expand_as(image)
    assert torch.equal(half[visible], full.to(dtype)[visible])
    # the fill starts from the rounded visible colours: one rounding more
    assert float((half.float() - full).abs().max()) <= 2 * torch.finfo(dtype).eps


@pytest.mark.parametrize(("method", "bound"), [("multilevel", 0.6)])
def test_the_rim_shrinks_over_new_backgrounds(method: str, bound: float, scene: dict[str, torch.Tensor]) -> None:
    image, alpha, truth = scene["image"], scene["alpha"], scene["foreground"]
    found = estimate_foreground(image, alpha, method)
    weight = unsure(alpha).float() * alpha
    ours, plain = (float((weight * (x - truth).abs()).sum()) for x in (found, image))
    assert ours <= bound * plain


@pytest.mark.parametrize("method", METHODS)
def test_pictures_of_a_batch_do_not_meet(method: str, scene: dict[str, torch.Tensor]) -> None:
    image = torch.cat((scene["image"], scene["image"].flip(-1), 1 - scene["image"]))
    alpha = torch.cat((scene["alpha"], scene["alpha"].flip(-1), soft_alpha(256, 320, seed=3)))
    together = estimate_foreground(image, alpha, method)
    for i in range(3):
        assert torch.equal(together[i : i + 1], estimate_foreground(image[i : i + 1], alpha[i : i + 1], method))
    one_alpha = estimate_foreground(image, alpha[:1], method)
    assert torch.equal(one_alpha[2:], estimate_foreground(image[2:], alpha[:1], method))
    many_alphas = estimate_foreground(image[:1], alpha, method)
    assert many_alphas.shape == (3, 3, 256, 320)
    assert torch.equal(many_alphas[2:], estimate_foreground(image[:1], alpha[2:], method))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (1, 77), (77, 1), (2, 2), (3, 5), (37, 53), (129, 65), (40, 1100)])
def test_odd_sizes(method: str, size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(2, 3, *size, generator=generator)
    alpha = torch.rand(2, 1, *size, generator=generator)
    alpha[1] = torch.where(alpha[1] > 0.7, 1.0, torch.where(alpha[1] < 0.3, 0.0, alpha[1]))
    for found in estimate_foreground(image, alpha, method, return_background=True):
        assert found.shape == image.shape and bool(torch.isfinite(found).all())
        assert float(found.min()) >= 0 and float(found.max()) <= 1


@pytest.mark.parametrize("method", METHODS)
def test_strides_do_not_matter_and_input_is_kept(method: str, scene: dict[str, torch.Tensor]) -> None:
    image, alpha = scene["image"], scene["alpha"]
    kept = image.clone()
    last = image.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    wide = torch.cat((alpha, alpha), -1)[..., :320]
    assert not last.is_contiguous() and not wide.is_contiguous()
    assert torch.equal(estimate_foreground(last, wide, method), estimate_foreground(image, alpha, method))
    assert torch.equal(image, kept)


@pytest.mark.parametrize("method", METHODS)
def test_same_input_same_output(method: str, scene: dict[str, torch.Tensor]) -> None:
    runs = [estimate_foreground(scene["image"], scene["alpha"], method) for _ in range(3)]
    assert torch.equal(runs[0], runs[1]) and torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("method", METHODS)
def test_inference_mode_and_gradients(method: str, scene: dict[str, torch.Tensor]) -> None:
    """ComfyUI runs nodes in inference mode, which threads do not inherit."""
    expected = estimate_foreground(scene["image"], scene["alpha"], method)
    with torch.inference_mode():
        assert torch.equal(estimate_foreground(scene["image"].clone(), scene["alpha"].clone(), method), expected)
    wanting = scene["image"].clone().requires_grad_()
    assert torch.equal(estimate_foreground(wanting, scene["alpha"].clone().requires_grad_(), method), expected)


@pytest.mark.parametrize("method", METHODS)
def test_the_far_background_leaves_no_trace(method: str) -> None:
    """Background farther than REACH from every unsure pixel is replaced by noise: nothing at all may change."""
    image, alpha = photo("coffee", 300, 420), soft_alpha(300, 420)
    mixed = unsure(alpha).float()
    reached = torch.nn.functional.max_pool2d(mixed, 2 * REACH + 1, 1, REACH) > 0
    far = (~reached & (alpha < 1 / 255)).expand_as(image)
    assert int(far.sum()) > 10_000
    noise = torch.where(far, torch.rand(image.shape, generator=torch.Generator().manual_seed(2)), image)
    assert torch.equal(estimate_foreground(image, alpha, method), estimate_foreground(noise, alpha, method))
    # and the promise has teeth: the near background does count as evidence
    near = (reached & (alpha < 1 / 255)).expand_as(image)
    changed = torch.where(near, 1 - image, image)
    assert not torch.equal(estimate_foreground(image, alpha, method), estimate_foreground(changed, alpha, method))


@pytest.mark.parametrize(("method", "bound"), [("multilevel", 0.02)])
def test_hidden_pixels_hold_the_subjects_colour(method: str, bound: float) -> None:
    """A red subject on a saturated green screen: no green of the screen where alpha is 0."""
    alpha = soft_alpha(160, 200)
    green = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 160, 200)
    red = torch.tensor([0.7, 0.1, 0.1]).view(1, 3, 1, 1).expand(1, 3, 160, 200)
    found = estimate_foreground(over(red, alpha, green), alpha, method)
    hidden = (alpha < 1 / 255)[0, 0]
    assert float((found - red).abs().amax(1)[0][hidden].max()) < bound


@pytest.mark.parametrize("method", METHODS)
def test_binary_alpha_needs_no_estimate(method: str) -> None:
    image = photo("chelsea", 90, 110)
    alpha = (soft_alpha(90, 110) > 0.5).float()
    found = estimate_foreground(image, alpha, method)
    assert torch.equal(found, fill_hidden(image, alpha))
    for value in (0.0, 1.0):
        flat = estimate_foreground(image, torch.full_like(alpha, value), method)
        assert torch.equal(flat, image * value)


@pytest.mark.parametrize("method", (*METHODS, "none"))
def test_fill_of_an_estimate_with_a_chosen_colour(method: str) -> None:
    image, alpha = photo("coffee", 60, 80), soft_alpha(60, 80)
    seen = (alpha >= 1 / 255).expand_as(image)
    found = estimate_foreground(image, alpha, method, fill=(0.25, 0.5, 0.75))
    assert torch.equal(found[seen], estimate_foreground(image, alpha, method)[seen])
    assert torch.equal(found[0][:, ~seen[0, 0]].unique(dim=1).flatten(), torch.tensor([0.25, 0.5, 0.75]))
    with pytest.raises(InputError, match="three values"):
        estimate_foreground(image, alpha, method, fill=(1, 2, 3))


def test_no_estimate_keeps_every_visible_colour() -> None:
    image, alpha = photo("coffee", 60, 80), soft_alpha(60, 80)
    assert torch.equal(estimate_foreground(image, alpha, "none"), fill_hidden(image, alpha))


@pytest.mark.parametrize("method", METHODS)
def test_a_cut_out_is_not_estimated_twice(method: str, scene: dict[str, torch.Tensor]) -> None:
    """An image with its own transparency holds the subject's colours already, and anything under opacity 0."""
    clean = estimate_foreground(scene["image"], scene["alpha"], method)
    again = estimate_foreground(clean, scene["alpha"], method, opacity=scene["alpha"])
    seen = (scene["alpha"] >= 1 / 255).expand_as(clean)
    assert torch.equal(again[seen], clean[seen])
    assert not torch.equal(estimate_foreground(clean, scene["alpha"], method)[seen], clean[seen])


@pytest.mark.parametrize("method", METHODS)
def test_what_the_opacity_hides_has_no_influence(method: str, scene: dict[str, torch.Tensor]) -> None:
    """Half of the image is missing: its colours there are noise once and nothing once; the share is alpha / opacity."""
    image, alpha = scene["image"], scene["alpha"]
    opacity = torch.ones_like(alpha)
    opacity[..., :100], opacity[..., 100:130] = 0, 0.5
    noise = torch.where(opacity > 0, image, torch.rand(image.shape, generator=torch.Generator().manual_seed(6)))
    found = estimate_foreground(image, alpha * opacity, method, opacity=opacity)
    assert torch.equal(found, estimate_foreground(noise, alpha * opacity, method, opacity=opacity))
    assert torch.equal(found, estimate_foreground(image, (alpha * opacity).double(), method, opacity=opacity.double()))
    far = slice(190, None)  # as without the missing part where that is far away
    whole = estimate_foreground(image, alpha, method)
    mixed = unsure(alpha[..., far]).expand_as(image[..., far])
    assert float((found - whole)[..., far][mixed].abs().max()) < 0.02
    both = torch.cat((image, image)), torch.cat((alpha, alpha)) * opacity
    assert torch.equal(estimate_foreground(*both, method, opacity=opacity)[1:], found)
    for bad, word in ((opacity * 2, "opacity must lie"), (opacity[..., 1:], "opacity is"), (opacity / 0, "NaN")):
        with pytest.raises(InputError, match=word):
            estimate_foreground(image, alpha, method, opacity=bad)
    with pytest.raises(InputError, match="alpha must lie"):
        estimate_foreground(image, alpha * 2, method, opacity=opacity)


def test_bad_input_is_refused() -> None:
    image, alpha = torch.rand(1, 3, 8, 9), torch.rand(1, 1, 8, 9)
    for bad_image, bad_alpha, word in (
        (image[0], alpha, "shape"),
        (torch.rand(1, 4, 8, 9), alpha, "alpha"),
        ((image * 255).to(torch.uint8), alpha, "float"),
        (image, alpha[..., :8], "8x8"),
        (image, alpha.expand(1, 3, 8, 9), "shape"),
        (image.expand(2, 3, 8, 9), alpha.expand(3, 1, 8, 9), "batch"),
        (image, alpha + 1, "0..1"),
        (image, alpha - 1, "0..1"),
        (image, alpha * float("nan"), "NaN"),
        (image / 0, alpha, "infinite"),
        (image[..., :0], alpha[..., :0], "empty"),
    ):
        with pytest.raises(InputError, match=word):
            estimate_foreground(bad_image, bad_alpha)
    with pytest.raises(InputError, match="multilevel, none"):
        estimate_foreground(image, alpha, "average")
    for options in ({"below": 1.0}, {"below": -0.1}, {"colour": (1, 2, 3)}, {"colour": (0.5,)}):
        with pytest.raises(InputError):
            fill_hidden(image, alpha, **options)
    with pytest.raises(InputError, match="sizes"):
        fill_hidden(image, alpha[..., :3])
    with pytest.raises(InputError, match="NaN"):
        fill_hidden(image * float("nan"), alpha)
