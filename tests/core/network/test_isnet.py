import pytest
import torch

from nuggy_nodes.core.network.isnet import ISNet, convolutions


@pytest.fixture(scope="module")
def small():
    """A network of random weights, scaled so that signals neither die nor explode."""
    torch.manual_seed(0)
    model = ISNet()
    for _, conv in convolutions(model):
        torch.nn.init.kaiming_normal_(conv.weight)
    return model.eval().requires_grad_(False)


def test_size_of_the_network(small):
    # the authors' network has 44,037,030 parameters with its batch norms' gains; folded, a weight and a bias a layer
    assert len(convolutions(small)) == 119
    assert sum(c.weight.numel() for _, c in convolutions(small)) == 44_003_520
    assert sum(p.numel() for p in small.parameters()) == 44_017_990


def test_convolutions_are_listed_in_the_order_of_the_forward_pass(small):
    order = []
    hooks = [c.register_forward_hook(lambda m, i, o, name=n: order.append(name)) for n, c in convolutions(small)]
    small(torch.zeros(1, 3, 64, 64), sides=True)
    for h in hooks:
        h.remove()
    sides = [n for n in order if n.startswith("side")]
    assert [n for n in order if not n.startswith("side")] + sides == [n for n, _ in convolutions(small)]


@pytest.mark.parametrize("height,width", [(64, 64), (96, 64), (65, 97), (70, 33)])
def test_output_grid_is_half_the_input(small, height, width):
    y = small(torch.rand(2, 3, height, width))
    assert y.shape == (2, 1, (height + 1) // 2, (width + 1) // 2)


def test_sides_and_features(small):
    x = torch.rand(1, 3, 128, 128)
    logits, features = small(x, sides=True)
    assert [f.shape[1] for f in features] == [64, 64, 128, 256, 512, 512]
    assert [s.shape[-1] for s in logits] == [64, 32, 16, 8, 4, 2]
    torch.testing.assert_close(logits[0], small(x))


def test_memory_format_does_not_matter(small):
    x = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(small(x.to(memory_format=torch.channels_last)), small(x), atol=1e-4, rtol=1e-4)


def test_trains(small):
    """The in-place addition of inference must not be used where gradients flow."""
    model = ISNet()
    logits, _ = model(torch.rand(1, 3, 64, 64), sides=True)
    sum(side.mean() for side in logits).backward()
    assert all(p.grad is not None for p in model.parameters())
