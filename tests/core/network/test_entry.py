import pytest
import torch
import torch.nn.functional as F

from nuggy_nodes.core.network.entry import EDGE, Entry

CHANNELS = 24


@pytest.fixture(scope="module")
def layers():
    torch.manual_seed(5)
    first, second = torch.nn.Conv2d(3, 16, 3, 2, 1), torch.nn.Conv2d(16, CHANNELS, 3, 1, 1)
    return first.requires_grad_(False), second.requires_grad_(False), torch.rand(CHANNELS) * 0.01 + 0.002


def by_hand(first, second, step, x):
    """Both convolutions in float64, the ReLU, the steps."""
    y = F.conv2d(x.double(), first.weight.double(), first.bias.double(), 2, 1)
    y = F.conv2d(y, second.weight.double(), second.bias.double(), 1, 1).clamp(min=0)
    return y / step.double().view(1, -1, 1, 1)


@pytest.mark.parametrize("size", [(64, 64), (32, 96), (EDGE, EDGE), (8, 50)])
@pytest.mark.parametrize("count", [1, 3])
def test_it_is_both_convolutions(layers, size, count):
    """Border and corners included: to the step, but where a value lies between two."""
    gen = torch.Generator().manual_seed(sum(size))
    x = torch.rand(count, 3, *size, generator=gen) - 0.5
    found, wanted = Entry(*layers)(x), by_hand(*layers, x)
    assert found.dtype == torch.uint8 and found.shape == wanted.shape
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert float((found.double() - wanted.clamp(max=255)).abs().max()) < 0.5 + 1e-3
    assert bool((found > 0).any()) and bool((found == 0).any())


def test_what_is_beyond_the_last_step_is_the_last(layers):
    first, second, step = layers
    x = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    found, wanted = Entry(first, second, step / 100)(x), by_hand(first, second, step / 100, x)
    assert bool((wanted > 256).any()) and bool((found[wanted > 256] == 255).all())


def test_layers_without_a_bias(layers):
    first, second, step = layers
    bare = torch.nn.Conv2d(3, 16, 3, 2, 1, bias=False).requires_grad_(False)
    bare.weight = first.weight
    x = torch.rand(1, 3, 32, 32)
    first = torch.nn.Conv2d(3, 16, 3, 2, 1).requires_grad_(False)
    first.weight = bare.weight
    first.bias.zero_()
    assert torch.equal(Entry(bare, second, step)(x), Entry(first, second, step)(x))


def test_the_same_on_any_number_of_threads_and_in_any_batch(layers):
    x, entry, threads = torch.rand(3, 3, 256, 320), Entry(*layers), torch.get_num_threads()
    together = entry(x)
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            assert all(torch.equal(entry(x[i : i + 1]), together[i : i + 1]) for i in range(3))
    finally:
        torch.set_num_threads(threads)


def test_nothing_of_it_is_trained(layers):
    assert not any(p.requires_grad for p in Entry(*layers).parameters())
    assert {p.dtype for p in Entry(*layers).parameters()} == {torch.float32}
