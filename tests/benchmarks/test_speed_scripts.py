"""The scripts that measure speed run from end to end, small: what they print is not judged here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(script, *args):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "benchmarks" / script), *args]
    done = subprocess.run(command, text=True, capture_output=True, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_stages_script():
    said = run("stages.py", "--only", "islands,guided", "--megapixels", "0.1", "--rounds", "1")
    assert "connectedComponentsWithStats" in said and "cv2.ximgproc" in said
