import pytest
import torch
import torch.nn.functional as F

from nuggy_nodes.core.network.isnet import RSU, RSU4F, ISNet, convolutions


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


def by_hand(block, x, dilations):
    """A block's layers by their names: conv(name, x) with the dilation that the paper's figure 4 gives it."""

    def conv(name, x):
        layer, d = block.get_submodule(f"rebnconv{name}"), dilations.get(name, 1)
        return F.conv2d(x, layer.weight, layer.bias, padding=d, dilation=d).relu()

    return conv


@torch.no_grad()
def test_a_block_of_dilations_against_a_plain_reading():
    torch.manual_seed(0)
    block, x = RSU4F(6, 4, 8), torch.rand(2, 6, 19, 23)
    conv = by_hand(block, x, {"2": 2, "3": 4, "4": 8, "3d": 4, "2d": 2})
    residual = conv("in", x)
    one = conv("1", residual)
    two = conv("2", one)
    three = conv("3", two)
    y = conv("3d", torch.cat((conv("4", three), three), 1))
    y = conv("2d", torch.cat((y, two), 1))
    torch.testing.assert_close(block(x), conv("1d", torch.cat((y, one), 1)) + residual)


@torch.no_grad()
def test_a_block_of_levels_against_a_plain_reading():
    """Odd sides: pooling keeps the last row, the way up is bilinear to the size that was."""
    torch.manual_seed(0)
    block, x = RSU(4, 6, 4, 8), torch.rand(1, 6, 21, 30)
    conv = by_hand(block, x, {"4": 2})

    def half(x):
        padded = F.pad(x, (0, x.shape[-1] % 2, 0, x.shape[-2] % 2), value=-1)
        return padded.unflatten(-1, (-1, 2)).amax(-1).unflatten(-2, (-1, 2)).amax(-2)

    def up(x, like):
        return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)

    residual = conv("in", x)
    one = conv("1", residual)
    two = conv("2", half(one))
    three = conv("3", half(two))
    y = conv("3d", torch.cat((conv("4", three), three), 1))
    y = conv("2d", torch.cat((up(y, two), two), 1))
    torch.testing.assert_close(block(x), conv("1d", torch.cat((up(y, one), one), 1)) + residual)


@torch.inference_mode()
def test_maps_are_what_the_fourth_side_is_read_from(small):
    x = torch.rand(1, 3, 96, 64)
    logits, features = small(x, sides=True)
    maps = small.maps(x)
    assert maps.shape == (1, 256, 6, 4)
    torch.testing.assert_close(maps, features[3])
    torch.testing.assert_close(small.side4(maps), logits[3])
