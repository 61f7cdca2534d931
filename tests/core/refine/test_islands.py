import cv2
import numpy as np
import pytest
import torch

from nuggy_nodes.core import InputError
from nuggy_nodes.core.refine.islands import IslandReport, remove_islands


def mask(height=400, width=600, body=True):
    m = np.zeros((height, width), np.float32)
    if body:
        cv2.circle(m, (200, 200), 90, 1.0, cv2.FILLED)
    return m


def run(m, **settings):
    out, reports = remove_islands(torch.from_numpy(m)[None, None], **settings)
    return out[0, 0].numpy(), reports[0]


@pytest.mark.parametrize("end", [(520, 390), (350, 100), (590, 10)])
def test_a_detached_strand_one_pixel_wide_survives(end):
    m = mask()
    cv2.line(m, (320, 60), end, 0.8, 1)
    out, report = run(m)
    assert np.array_equal(out, m) and report == IslandReport(2, 0, 0)


def test_a_curved_strand_survives_and_a_speck_goes():
    m = mask()
    cv2.ellipse(m, (450, 200), (60, 60), 0, 0, 300, 0.9, 1)  # open: its outline has no area
    strand = m.copy()
    cv2.circle(m, (40, 40), 3, 1.0, cv2.FILLED)
    cv2.circle(m, (560, 370), 5, 0.9, cv2.FILLED)
    out, report = run(m)
    assert np.array_equal(out, strand) and report == IslandReport(4, 2, 0)


def test_a_compact_speck_of_forty_pixels_goes_from_a_large_picture():
    m = np.zeros((1024, 1024), np.float32)
    cv2.circle(m, (500, 500), 250, 1.0, cv2.FILLED)
    m[20:60, 20:60] = 1
    out, report = run(m)
    assert out[:100, :100].max() == 0 and report.removed == 1


def test_large_part_stays_and_unsure_part_goes():
    m = mask()
    m[300:360, 450:560] = 0.9  # a second subject: 2.75 % of the picture
    m[20:120, 450:560] = 0.3  # a haze that never gets sure
    out, report = run(m)
    assert out[330, 500] == np.float32(0.9) and out[60, 500] == 0 and report.removed == 1


def ghost(main=1.0, faint=0.35, size=(40, 60)):
    """A body of 25 445 pixels; beside it a box that is mostly `faint`, with a core (a tenth of it) of .7."""
    m = mask() * main
    height, width = size
    m[20 : 20 + height, 400 : 400 + width] = faint
    m[20 : 20 + height // 5, 400 : 400 + width // 2] = 0.7
    return m


@pytest.mark.parametrize("drawn,stays", [
    (ghost(), False), (ghost(faint=0.45), False), (ghost(faint=0.49), True), (ghost(main=0.86), False),
    (ghost(main=0.84), True), (ghost(size=(50, 50)), False), (ghost(size=(50, 52)), True)],
    ids=["faint", "under half", "over half", "sure enough", "soft body", "a tenth of it", "and more"])  # fmt: skip
def test_a_faint_part_beside_a_sure_body_goes(drawn, stays):
    out, report = run(drawn)
    assert report == IslandReport(2, int(not stays), 0)
    assert np.array_equal(out, drawn) == stays and np.array_equal(out[:, :350], drawn[:, :350])
    assert np.array_equal(run(drawn, islands="all")[0], drawn), "whoever wants every part gets it"


def test_a_faint_string_stays():
    m = mask()
    m[20:24, 400:590], m[20:24, 480:500] = 0.3, 0.7  # 190 pixels long, 4 wide
    assert np.array_equal(run(m)[0], m)


def test_diagonal_neighbours_are_one_part():
    m = mask(100, 100, body=False)
    np.fill_diagonal(m, 1.0)
    assert run(m)[1].found == 1


def test_soft_edge_under_the_threshold_stays_beside_the_subject_only():
    m = mask()
    m[m == 0] = 0.05
    out, _ = run(m, threshold=0.1)
    assert out[200, 291] == np.float32(0.05) and out[200, 400] == 0


def test_keep_largest_and_all():
    m = mask()
    m[300:360, 450:560] = 0.9
    out, report = run(m, islands="largest")
    assert out[330, 500] == 0 and out[200, 200] == 1 and report.removed == 1
    out, report = run(m, islands="all")
    assert np.array_equal(out, m) and report.removed == 0


def test_holes():
    m = mask()
    m[190:200, 190:200] = 0  # 100 pixels in 240000
    cv2.circle(m, (200, 240), 25, 0.0, cv2.FILLED)  # 1961 pixels
    out, report = run(m, max_hole=0.001)
    assert out[195, 195] == 1 and out[240, 200] == 0 and report.filled == 1
    assert run(m)[0][195, 195] == 0


def test_a_bay_open_to_the_frame_is_no_hole():
    m = np.ones((50, 50), np.float32)
    m[20:30, 0:10] = 0
    assert run(m, max_hole=0.5)[1].filled == 0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_empty_and_full(value):
    m = np.full((37, 53), value, np.float32)
    out, report = run(m, max_hole=0.1)
    assert np.array_equal(out, m) and report.removed == 0


def test_batch_dtype_and_strides(rng):
    m = torch.from_numpy((rng.random((3, 1, 40, 50)) > 0.6).astype(np.float32))
    out, reports = remove_islands(m, min_area=0.01)
    for i in range(3):
        single, report = remove_islands(m[i : i + 1], min_area=0.01)
        assert torch.equal(out[i : i + 1], single) and reports[i] == report[0]
    half, _ = remove_islands(m.half(), min_area=0.01)
    assert half.dtype == torch.float16 and torch.equal(half.float(), out)
    flipped, _ = remove_islands(m.transpose(2, 3), min_area=0.01)
    assert torch.equal(flipped, out.transpose(2, 3))


def test_counts_against_scipy(rng):
    from scipy import ndimage

    m = (rng.random((120, 130)) > 0.59).astype(np.float32)  # about the percolation threshold of 8-connectivity
    labels, count = ndimage.label(m, np.ones((3, 3)))
    sizes = ndimage.sum_labels(m, labels, np.arange(1, count + 1))
    out, report = run(m, min_area=30 / m.size, min_reach=1.0)
    assert report.found == count and report.removed == int((sizes < 30).sum())
    assert np.array_equal(out, np.isin(labels, 1 + np.flatnonzero(sizes >= 30)).astype(np.float32) * m)


@pytest.mark.parametrize(
    "settings", [{"threshold": 1.0}, {"threshold": -0.1}, {"min_area": 2}, {"max_hole": -1}, {"islands": "some"}]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        remove_islands(torch.zeros(1, 1, 4, 4), **settings)


def test_soft_ends_stay_two_pixels_beside_what_stays_and_no_more():
    """Under the threshold: what is within two rows and columns of a kept part, and nothing of a removed one's."""
    m = np.full((60, 80), 0.05, np.float32)
    m[20:40, 20:40], m[50:53, 60:63] = 1.0, 1.0
    out, report = run(m, threshold=0.1, min_area=0.01, min_reach=1.0)
    expected = np.zeros_like(m)
    expected[18:42, 18:42] = 0.05
    expected[20:40, 20:40] = 1.0
    assert np.array_equal(out, expected) and report == IslandReport(2, 1, 0)


def test_a_removed_part_beside_a_kept_one_goes_whole():
    m = np.zeros((40, 40), np.float32)
    m[5:25, 5:25], m[10:12, 26:28] = 1.0, 0.6  # a speck one column away
    out, _ = run(m, min_area=0.01, min_reach=1.0)
    assert out[:, 25:].max() == 0 and out[5:25, 5:25].min() == 1


def test_bounds_are_taken_as_they_are_said():
    """Exactly the least area, exactly the least peak, exactly the least reach of exactly the slenderest."""
    m = np.zeros((100, 100), np.float32)
    m[10:20, 10:20] = 0.5  # 100 pixels, peak 0.5
    assert run(m, min_area=0.01, min_peak=0.5, min_reach=1.0)[1].removed == 0
    assert run(m, min_area=0.0101, min_peak=0.5, min_reach=1.0)[1].removed == 1
    assert run(m, min_area=0.01, min_peak=0.51, min_reach=1.0)[1].removed == 1
    line = np.zeros((30, 40), np.float32)
    line[5, 3:11] = 1.0  # 8 pixels, box 8 by 1: reach^2 is 65, slender from 64 on
    reach = (65 / (30**2 + 40**2)) ** 0.5
    assert run(line, min_area=1.0, min_reach=reach * 0.999)[1].removed == 0
    assert run(line, min_area=1.0, min_reach=reach * 1.001)[1].removed == 1
    line[5, 3] = 0.0  # 7 pixels: reach^2 50 is under 56
    assert run(line, min_area=1.0, min_reach=0.0)[1].removed == 1
