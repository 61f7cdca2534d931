"""Files that come with Nuggy: in a clone and in an installed package."""

from __future__ import annotations

import pytest

from nuggy_nodes.core import WeightsError, shipped


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A tree in which the package stands."""
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "nuggy_nodes" / "core" / "shipped.py"))
    return tmp_path


def test_a_clones_weights_come_before_an_installed_packages(root):
    installed, cloned = root / "nuggy_nodes" / "weights" / "a", root / "weights" / "a"
    for path in (installed, cloned):
        path.parent.mkdir(parents=True)
        path.write_text("x")
    assert shipped.shipped("a") == cloned
    cloned.unlink()
    assert shipped.shipped("a") == installed


def test_a_missing_file_is_named_with_what_to_do(root):
    (root / "weights" / "a").mkdir(parents=True)  # a folder is no file
    with pytest.raises(WeightsError, match="default weights a are not in .*weights; reinstall Nuggy"):
        shipped.shipped("a")
