"""The consensus of views on cases whose answer is known."""

import pytest
import torch

from nuggy_nodes.core import InputError
from nuggy_nodes.core.segment.consensus import METHODS, combine, cut_off, support

N = 128


def disc(x: float = 64, y: float = 64, radius: float = 24) -> torch.Tensor:
    row, column = torch.meshgrid(torch.arange(N), torch.arange(N), indexing="ij")
    return ((column - x) ** 2 + (row - y) ** 2 < radius**2).float()[None, None]


def agree(*views: torch.Tensor, padded: str = "", sizes: tuple[int, ...] = ()) -> torch.Tensor:
    """padded: one letter per view, p for a continued border."""
    return combine(torch.stack(views), "regions", sizes, [p == "p" for p in padded])


@pytest.mark.parametrize("how", METHODS)
def test_full_agreement(how):
    torch.testing.assert_close(combine(disc().expand(4, 1, 1, N, N), how), disc())


@pytest.mark.parametrize("how", METHODS)
def test_one_view_is_itself(how):
    view = torch.rand(1, 2, 1, 32, 40)
    assert torch.equal(combine(view, how), view[0])


def test_mean_and_max():
    views = torch.rand(3, 2, 1, 16, 16)
    assert torch.equal(combine(views, "mean"), views.mean(0))
    assert torch.equal(combine(views, "max"), views.amax(0))


@pytest.mark.parametrize("padded", ["", "-pp", "--p", "p--"])
def test_nothing_stays_nothing(padded):
    empty = torch.full((1, 1, N, N), 0.02)
    torch.testing.assert_close(agree(empty, empty, empty, padded=padded), empty)


def test_a_lone_false_alarm_is_dropped():
    subject, alarm = disc(), disc(104, 20, 14)
    for order in range(3):
        views = [subject, subject, subject]
        views[order] = (subject + alarm).clamp(max=1)
        torch.testing.assert_close(agree(*views), subject)


def test_a_scene_without_agreed_subject_gives_none():
    assert agree(disc(40, 40), disc(90, 40), disc(64, 100, 20)).max() == 0


def test_a_missing_half_is_filled_when_the_rest_agrees():
    whole, half = disc(), disc()
    half[..., :64] = 0
    torch.testing.assert_close(agree(half, whole, whole), whole)
    torch.testing.assert_close(agree(half, half, whole), whole)  # one view suffices: the region is half agreed


def test_an_extra_far_larger_than_the_subject_is_not():
    small, large = disc(64, 64, 10), disc(64, 64, 40)
    torch.testing.assert_close(agree(small, small, large), small)


def test_an_unsure_body_becomes_solid_and_soft_edges_stay_soft():
    body = disc() * 0.7
    assert agree(body, body, body)[0, 0, 64, 64] == 1
    strand = torch.zeros(1, 1, N, N)
    strand[..., 64, 20:100] = 0.7
    torch.testing.assert_close(agree(strand, strand, strand), strand)


def test_the_finest_view_decides_the_edge():
    fine, blurred = disc(radius=24), disc(radius=25)
    torch.testing.assert_close(agree(blurred, blurred, fine, sizes=(640, 768, 1024)), fine)


def test_a_continued_border_counts_where_the_frame_cuts_the_subject_off():
    pot, plant = disc(64, 127, 30), disc(64, 90, 45)
    whole = torch.maximum(pot, plant)
    faint = torch.maximum(pot, 0.05 * plant)  # the frame's views are not sure that there is nothing
    # all but the notches where the two discs meet, narrower than a body
    assert (agree(faint, faint, whole, padded="--p") - whole).abs().sum() < 20
    assert (agree(pot, pot, whole, whole, padded="--pp") - whole).abs().sum() < 20
    # not one alone against all others, nor one of two that the other contradicts
    assert (agree(pot, pot, whole, padded="--p") - pot).abs().sum() < 20
    assert (agree(pot, pot, whole, pot, padded="--pp") - pot).abs().sum() < 20
    assert (agree(pot, pot, whole) - whole).abs().sum() > 1000


def test_a_continued_border_does_not_count_around_a_whole_subject():
    subject = disc()
    torch.testing.assert_close(agree(subject, subject, torch.ones_like(subject), padded="--p"), subject)


def test_only_continued_borders_count_like_any_views():
    torch.testing.assert_close(agree(disc(), disc(), padded="pp"), disc())


def test_photographs_of_a_batch_do_not_meet():
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(5, 3, 1, 8, 8, generator=generator)
    views = torch.nn.functional.interpolate(coarse.flatten(0, 1), size=(N, N), mode="bilinear").view(5, 3, 1, N, N)
    padded = [False, False, False, True, True]
    together = combine(views, "regions", padded=padded)
    apart = torch.cat([combine(views[:, i : i + 1], "regions", padded=padded) for i in range(3)])
    assert torch.equal(together, apart)
    assert torch.equal(together, combine(views, "regions", padded=padded))
    assert together.min() >= 0 and together.max() <= 1


def test_cut_off_is_a_share_of_the_border():
    assert cut_off(disc(), 1).item() == 0
    assert cut_off(torch.ones(1, 1, N, N), 1).item() == 1
    plane = torch.zeros(1, 1, 10, 10)
    plane[..., 0, 3] = 36 * 0.03
    assert cut_off(plane, 1).item() == pytest.approx(0.5)


def test_support_by_hand():
    union = torch.zeros(1, 1, 8, 8)
    union[..., :2, :2] = union[..., 5:7, :] = 1
    agreed = union.clone()
    agreed[..., 5:7, 3:] = 0  # 6 of 16 pixels: 0.375
    found = support(agreed, union, torch.zeros(1, 1, 1, 1))[0, 0]
    assert found[0, 0] == 1 and found[3, 3] == 0
    assert found[5, 7].item() == pytest.approx((0.375 - 0.3) / 0.2)


@pytest.mark.parametrize(
    ("views", "how", "sizes", "message"),
    [
        (torch.rand(2, 1, 1, 4, 4), "median", (), "mean, max, regions"),
        (torch.rand(2, 1, 4, 4), "mean", (), r"\(2, 1, 4, 4\)"),
        (torch.rand(0, 1, 1, 4, 4), "mean", (), "at least one view"),
        (torch.rand(2, 1, 1, 4, 4), "regions", (1,), "1 entries for 2 views"),
    ],
)
def test_refusals(views, how, sizes, message):
    with pytest.raises(InputError, match=message):
        combine(views, how, sizes)


def test_majority_changes_nothing_but_where_most_views_outvote_the_first():
    """Against a slow reading: on wide areas the median of three; a narrow rim and a tie leave the first view alone."""
    first = torch.zeros(1, 1, 128, 128)
    first[..., 30:90, 30:90] = 0.9
    lost = first.clone()
    lost[..., 60:90, 30:90] = 0.1  # the others see a body that the first lacks
    assert torch.equal(combine(torch.stack([first] * 3), "majority"), first)
    assert torch.equal(combine(torch.stack([lost, first]), "majority"), lost)
    torch.testing.assert_close(combine(torch.stack([lost, first, first]), "majority"), first)
    torch.testing.assert_close(combine(torch.stack([lost, first, first]), "majority"), first)
    torch.testing.assert_close(combine(torch.stack([first, lost, lost]), "majority"), lost)
    rim = first.clone()
    rim[..., 30:90, 90:92] = 0.9
    assert torch.equal(combine(torch.stack([first, rim, rim]), "majority"), first)
    four = torch.stack([lost, first, first, lost])
    assert torch.equal(combine(four, "majority"), lost)


def test_around_a_whole_subject_not_even_what_it_would_carry_comes_from_a_continued_border():
    """Two fifths more, attached: its region would have support enough; nothing of the subject is cut off, so it is no
    candidate. Where the subject reaches the border it is."""
    whole = torch.zeros(1, 1, 64, 64)
    whole[..., 20:50, 14:34] = 1
    more = whole.clone()
    more[..., 20:50, 34:46] = 1
    views = torch.stack([whole, whole, more, more])
    assert torch.equal(combine(views, "regions", [64] * 4, [False, False, True, True]), whole)
    cut = views.roll(-14, -1)
    assert torch.equal(combine(cut, "regions", [64] * 4, [False, False, True, True]), cut[2])
