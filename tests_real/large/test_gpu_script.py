"""The script that measures a GPU runs from end to end on a CPU, small."""

from tests.benchmarks.test_speed_scripts import run


def test_gpu_script_on_a_cpu():
    said = run("gpu.py", "--device", "cpu", "--megapixels", "0.1", "--views", "256", "256f", "--quick")
    assert "No CUDA device is measured" in said and "| NO |" not in said
    for row in ("components of noise, 8", "network, 1 of 256", "guided filter, radius 64", "islands", "foreground"):
        assert f"| {row}" in said
