from collections import Counter

import pytest
import torch

from nuggy_nodes.core.segment.asking import Asking
from nuggy_nodes.core.segment.consensus import combine
from nuggy_nodes.core.segment.views import parse_view

SIDE = 128
VIEWS = [parse_view(v) for v in "256 256f 128p15 256p15d 256fp15d".replace("128", "288").split()]


def plane(*boxes):
    out = torch.zeros(1, 1, SIDE, SIDE)
    for top, bottom, left, right in boxes:
        out[..., top:bottom, left:right] = 1
    return out


WHOLE, CUT, BESIDE = plane((30, 90, 30, 90)), plane((60, 128, 30, 90)), plane((60, 128, 30, 90), (0, 40, 30, 90))
GRID = max(v.size - 2 * v.margin for v in VIEWS) // 2


def run(pictures, views=VIEWS, how="regions"):
    """pictures: of each, what every view answers. Gives the masks, how often each view was asked, and what was
    skipped."""
    asked, skipped = Counter(), []

    def see(images, numbers):
        which = images[:, 0, 0, 0].long().tolist()
        out = {}
        for i in numbers:
            asked[i] += len(which)
            cells = (views[i].size - 2 * views[i].margin) // 2
            out[i] = torch.nn.functional.interpolate(
                torch.cat([pictures[w][i] for w in which]), size=(cells, cells), mode="nearest"
            )
        return out

    images = torch.arange(len(pictures)).float().view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    return Asking(views, how, see, skipped.append).masks(images), asked, sum(skipped)


def expected(answers, numbers, views=VIEWS):
    cells = [(views[i].size - 2 * views[i].margin) // 2 for i in numbers]
    size = [torch.nn.functional.interpolate(answers[i], size=(c, c), mode="nearest") for i, c in zip(numbers, cells)]
    from nuggy_nodes.core.ops.resample import enlarge

    stack = torch.stack([enlarge(a, GRID, GRID) for a in size])
    return combine(stack, "regions", [2 * c for c in cells], [views[i].margin > 0 for i in numbers])


def test_a_whole_subject_is_asked_for_in_the_whole_frame_alone():
    mask, asked, skipped = run([[WHOLE] * 5])
    assert asked == {0: 1, 1: 1} and skipped == 3
    torch.testing.assert_close(mask, expected([WHOLE] * 5, [0, 1]), rtol=0, atol=0)


def test_a_cut_subject_is_asked_for_beyond_the_frame():
    mask, asked, skipped = run([[CUT] * 5])
    assert asked == {0: 1, 1: 1, 2: 1} and skipped == 2
    torch.testing.assert_close(mask, expected([CUT] * 5, [0, 1, 2]), rtol=0, atol=0)


def test_doubtful_views_settle_a_contradiction():
    answers = [CUT, BESIDE, CUT, BESIDE, BESIDE]
    mask, asked, skipped = run([answers])
    assert asked == dict.fromkeys(range(5), 1) and skipped == 0
    torch.testing.assert_close(mask, expected(answers, range(5)), rtol=0, atol=0)


def test_each_picture_of_a_batch_is_asked_for_as_alone():
    pictures = [[WHOLE] * 5, [CUT, BESIDE, CUT, BESIDE, BESIDE], [CUT] * 5, [WHOLE] * 5]
    mask, asked, skipped = run(pictures)
    alone = [run([p]) for p in pictures]
    assert torch.equal(mask, torch.cat([a[0] for a in alone]))
    assert asked == sum((a[1] for a in alone), Counter()) and skipped == sum(a[2] for a in alone)
    assert sum(asked.values()) + skipped == 5 * len(pictures)


@pytest.mark.parametrize("how", ["mean", "max", "majority"])
def test_other_ways_ask_all_but_the_doubtful(how):
    _, asked, _ = run([[WHOLE] * 5], how=how)
    assert set(asked) == {0, 1, 2}
    _, asked, _ = run([[CUT, BESIDE, CUT, BESIDE, BESIDE]], how=how)
    assert set(asked) == set(range(5))


def test_views_that_are_all_alike_are_all_asked_for():
    for text in ("256p15 288p15", "256d 288d", "256 288"):
        views = [parse_view(v) for v in text.split()]
        _, asked, skipped = run([[WHOLE] * 2], views)
        assert asked == {0: 1, 1: 1} and skipped == 0


def test_a_doubtful_view_of_the_whole_frame_is_asked_for_whole_subjects_too():
    views = [parse_view(v) for v in ["256", "256f", "288p15", "256d"]]
    two = plane((30, 60, 30, 90), (70, 110, 30, 90))
    _, asked, _ = run([[plane((30, 60, 30, 90)), two, two, two]], views)
    assert set(asked) == {0, 1, 3}
