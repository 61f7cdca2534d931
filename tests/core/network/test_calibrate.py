"""Steps of maps: of least error, and found by the command line."""

import pytest
import torch
from safetensors import safe_open

from nuggy_nodes.cli import main
from nuggy_nodes.core.network import calibrate as calibration
from nuggy_nodes.core.network import steps as stored
from nuggy_nodes.core.network.weights import default_path


def test_a_step_is_the_one_of_least_error():
    values = torch.rand(3, 500, generator=torch.Generator().manual_seed(2)) ** 6 * torch.tensor([[1.0], [5.0], [0.0]])
    highest = values.amax(1)
    found = calibration._step(values, highest)

    def error(channel, step):
        return sum((min(round(float(v) / step), 255) * step - float(v)) ** 2 for v in values[channel])

    for channel in (0, 1):
        tried = [float(highest[channel]) * share / 255 for share in calibration.SHARES]
        assert error(channel, float(found[channel])) <= min(error(channel, t) for t in tried) * 1.001
    assert found[2] > 0


@pytest.mark.slow
def test_calibrated_by_the_command_line(tmp_path, chelsea):
    from PIL import Image

    path, photographs = tmp_path / "own.safetensors", tmp_path / "photographs"
    path.write_bytes(default_path().read_bytes())
    photographs.mkdir()
    pixels = (chelsea[0] * 255).byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).resize((96, 64)).save(photographs / "a.png")
    assert main(["weights", "calibrate", str(path), "--photographs", str(tmp_path)]) == 1  # none lie there
    assert main(["weights", "calibrate", str(path), "--photographs", str(photographs)]) == 0
    old, new = stored.read_steps(default_path()), stored.read_steps(path)
    assert old.keys() == new.keys() and not torch.equal(old["stage1"], new["stage1"])
    with safe_open(path, "pt") as a, safe_open(default_path(), "pt") as b:
        assert a.metadata() == b.metadata() and set(a.keys()) == set(b.keys())
        name = "stage3.rebnconv2.weight"
        assert torch.equal(a.get_tensor(name), b.get_tensor(name))
