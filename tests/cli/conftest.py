"""What the tests of the command line share."""

from __future__ import annotations

import pytest

from nuggy_nodes.core.network import find


@pytest.fixture(autouse=True, scope="session")
def default_weights_once(own_cache):
    """The default weights are read once for all commands within this process; those with a process of their own read
    them as a user's do."""
    read, had = find.load, {}

    def load(path, *how):
        if path is not None:
            return read(path, *how)
        if how not in had:
            had[how] = read(path, *how)
        return had[how]

    patch = pytest.MonkeyPatch()
    patch.setattr(find, "load", load)
    yield
    patch.undo()
