"""Objects with the contract of ComfyUI's background removal models."""

from __future__ import annotations

import pytest
import torch

from nuggy_nodes.core import InputError, cutout
from nuggy_nodes.core.network.encoder import EncoderNetwork
from nuggy_nodes.core.segment.predict import predict


class Encoder:
    """ComfyUI core's contract: resizes, rounds to 8 bits, answers at the picture's size."""

    image_size, model_type = 128, "stand-in"

    def encode_image(self, image):
        assert image.shape[1:] == (128, 128, 3)
        x = (image * 255).round() / 255
        return torch.sigmoid(12 * (x.mean(-1) - 0.5))


def test_an_object_with_comfyuis_contract():
    network = EncoderNetwork(Encoder())
    assert network.info.architecture == "stand-in" and network.form.size == 128 and network.form.most == 1
    image = torch.rand(2, 3, 128, 128)
    got = predict(network, image)
    assert torch.equal(got, Encoder().encode_image(image.movedim(1, -1))[:, None])
    assert cutout(image, network, "balanced").alpha.shape == (2, 1, 128, 128)

    class Wrong(Encoder):
        def encode_image(self, image):
            return image

    with pytest.raises(InputError, match="answers a picture of 128x128 with"):
        predict(EncoderNetwork(Wrong()), image)
