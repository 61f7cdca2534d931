"""What a closer look may change: each rule against a slow reading."""

import numpy as np
import pytest
import scipy.ndimage as ndimage
import torch

from nuggy_nodes.core.segment.sharper import BODY, NEAR, agreement, attached, sharpened, sharper, undecided


def test_undecided_places_and_what_is_near_them(rng):
    before = np.zeros((90, 100), np.float32)
    before[20:60, 30:70] = 1
    before[20, 30:70], before[70, 90] = 0.5, 0.04
    wanted = ndimage.binary_dilation((before > 0.05) & (before < 0.95), np.ones((2 * NEAR + 1,) * 2))
    got = undecided(torch.from_numpy(before)[None, None])
    assert np.array_equal(got[0, 0].numpy() > 0, wanted) and set(got.unique().tolist()) <= {0.0, 1.0}


def test_nothing_undecided_nothing_changed_and_all_undecided_all_seen(rng):
    before = torch.from_numpy(rng.choice([0.0, 1.0], (1, 1, 64, 64)).astype(np.float32))
    seen = torch.from_numpy(rng.random((1, 1, 64, 64)).astype(np.float32))
    assert torch.equal(sharper(seen, before, undecided(before)), before)
    half = torch.full_like(before, BODY + 0.01)
    torch.testing.assert_close(sharper(seen, half, undecided(half)), seen)


def test_what_floats_free_goes_back(rng):
    """Against scipy's labels: every piece that the look has must hold a pixel of the mask before."""
    found = (ndimage.gaussian_filter(rng.random((120, 140)), 3) > 0.52).astype(np.float32)
    before = found * (ndimage.gaussian_filter(rng.random((120, 140)), 6) > 0.5)
    out = attached(*(torch.from_numpy(a.astype(np.float32))[None, None] for a in (found, before)))[0, 0].numpy()
    labels, count = ndimage.label(found > 0.5, np.ones((3, 3)))
    touching = {n for n in range(1, count + 1) if (before[labels == n] > 0.5).any()}
    assert 0 < len(touching) < count
    for n in range(1, count + 1):
        wanted = found if n in touching else before
        inside = labels == n
        near_loose = ndimage.binary_dilation(
            np.isin(labels, list(set(range(1, count + 1)) - touching)), np.ones((5, 5))
        )
        inside &= ~near_loose if n in touching else inside
        assert np.array_equal(out[inside], wanted[inside])


def test_agreement_is_what_it_says(rng, monkeypatch):
    monkeypatch.setattr("nuggy_nodes.core.segment.sharper.AROUND", 3)
    before = rng.choice([0.0, 0.3, 1.0], (20, 22), p=[0.4, 0.2, 0.4])
    seen = np.clip(before + rng.normal(0, 0.2, before.shape), 0, 1)
    got = agreement(*(torch.from_numpy(a.astype(np.float32))[None, None] for a in (seen, before)))[0, 0]
    for y, x in ((0, 0), (5, 9), (19, 21), (10, 3)):
        part = slice(max(y - 3, 0), y + 4), slice(max(x - 3, 0), x + 4)
        trust = 1.0
        for sure in (before[part] > 0.95, before[part] < 0.05):
            if sure.any():
                wrong = np.abs(seen[part] - before[part])[sure].mean()
                trust = min(trust, float(np.clip((0.3 - wrong) / 0.2, 0, 1)))
        assert got[y, x].item() == pytest.approx(trust, abs=1e-4)


def test_a_wide_faint_area_is_not_raised_and_a_narrow_one_is():
    before = torch.zeros(1, 1, 512, 512)
    found = before.clone()
    for rows, alpha in ((slice(40, 43), 0.2), (slice(100, 160), 0.2), (slice(200, 260), 0.55)):
        before[..., rows, 50:400] = alpha
        found[..., rows, 50:400] = 0.95
    out = sharpened(found, before)
    assert torch.equal(out[..., 40:43, 60:390], found[..., 40:43, 60:390])  # a strand
    assert (out[..., 100:160, 50:400] - 0.2).abs().max() < 1e-6  # another thing
    assert torch.equal(out[..., 200:260, 50:400], found[..., 200:260, 50:400])  # undecided: a look may tell
    torch.testing.assert_close(sharpened(1 - found, 1 - before), 1 - out)  # a body is held as background is
