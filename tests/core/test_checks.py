"""Guards: what is let through unchanged, and the sentence for what is not."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import InputError
from nuggy_nodes.core.checks import check_alpha, check_finite, check_image, check_same_size, match_batch


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_what_fits_comes_back_itself(dtype):
    image, alpha = torch.zeros(2, 3, 4, 5, dtype=dtype), torch.zeros(1, 1, 1, 1, dtype=dtype)
    assert check_image(image) is image and check_alpha(alpha) is alpha and check_finite(image) is image
    grey = torch.zeros(1, 1, 2, 2)
    assert check_image(grey, "guide", (1, 3)) is grey


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[0.0]], "image is a list; it must be a float tensor with values from 0 to 1"),
        (torch.zeros(1, 3, 2, 2, dtype=torch.uint8), "image is a torch.uint8 tensor"),
        (torch.zeros(3, 2, 2), r"shape \(3, 2, 2\); expected \[batch, 3, height, width\]$"),
        (torch.zeros(1, 4, 2, 2), "drop the fourth .alpha. channel first"),
        (torch.zeros(1, 1, 2, 2), r"expected \[batch, 3, height, width\]$"),
        (torch.zeros(0, 3, 2, 2), "image is empty"),
        (torch.zeros(1, 3, 2, 0), "image is empty"),
    ],
)
def test_what_is_no_image_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        check_image(given)


def test_names_and_channels_are_in_the_sentence():
    with pytest.raises(InputError, match=r"guide has shape \(1, 2, 3, 3\); expected \[batch, 1 or 3, height, width\]"):
        check_image(torch.zeros(1, 2, 3, 3), "guide", (1, 3))
    with pytest.raises(InputError, match=r"mask has shape \(1, 3, 3, 3\); expected \[batch, 1,"):
        check_alpha(torch.zeros(1, 3, 3, 3), "mask")


def test_values_that_are_not_finite_are_counted():
    x = torch.zeros(1, 3, 4, 4)
    x[0, 0, 0, :3], x[0, 1, 0, 0] = float("nan"), float("inf")
    with pytest.raises(InputError, match="^alpha has 4 values that are NaN or infinite"):
        check_finite(x, "alpha")
    large = torch.full((1, 1, 4, 4), 3e38)  # its sum is infinite in float32, its values are not
    assert check_finite(large) is large


def test_a_batch_of_one_serves_many_without_a_copy():
    one, three = torch.rand(1, 1, 2, 2), torch.rand(3, 3, 2, 2)
    for first, second in ((one, three), (three, one)):
        a, b = match_batch(first, second, "a", "b")
        assert len(a) == len(b) == 3
        for before, after in ((first, a), (second, b)):
            assert after.data_ptr() == before.data_ptr() and torch.equal(after, before.expand(3, -1, -1, -1))
    with pytest.raises(InputError, match="image has a batch of 3 and alpha a batch of 2"):
        match_batch(three, torch.rand(2, 1, 2, 2), "image", "alpha")


def test_sizes_are_named_width_first():
    check_same_size(torch.zeros(1, 3, 4, 5), torch.zeros(2, 1, 4, 5), "a", "b")
    for other in (torch.zeros(1, 1, 4, 6), torch.zeros(1, 1, 3, 5)):
        with pytest.raises(InputError, match=f"a is 5x4 and b {other.shape[3]}x{other.shape[2]}"):
            check_same_size(torch.zeros(1, 3, 4, 5), other, "a", "b")
