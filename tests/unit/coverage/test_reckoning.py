"""Shares add up, are never rounded up to all, and their seal changes with every number."""

import pytest

from checkpoint.coverage.reckoning import Share, by_town, seal, total

VILLAGE, SECOND, OTHER, SITE = "330482101203", "330482101027", "330482102006", "330482000000"


@pytest.mark.parametrize(
    ("asked", "met", "missing", "percent"),
    [(0, 0, 0, None), (4, 4, 0, 100.0), (3, 0, 3, 0.0), (3, 2, 1, 66.6), (10_000, 9_999, 1, 99.9), (1, 1, 0, 100.0)],
)
def test_a_share(asked: int, met: int, missing: int, percent: float | None) -> None:
    share = Share(asked, met)
    assert (share.missing, share.percent) == (missing, percent)
    assert share.met + share.missing == share.asked


@pytest.mark.parametrize(("asked", "met"), [(1, 2), (0, 1), (3, -1), (-1, -1)])
def test_more_cannot_be_met_than_are_asked_for(asked: int, met: int) -> None:
    with pytest.raises(ValueError, match="of"):
        Share(asked, met)


def test_towns_are_the_sums_of_their_villages_and_the_worst_comes_first() -> None:
    counts = {VILLAGE: Share(4, 4), SECOND: Share(4, 1), OTHER: Share(2, 0), SITE: Share(1, 1)}
    towns = by_town(counts)
    assert list(towns) == ["330482102000", "330482101000", SITE]
    assert towns["330482101000"][0] == Share(8, 5)
    assert list(towns["330482101000"][1]) == [SECOND, VILLAGE]
    assert total(counts) == sum((sum_ for sum_, _villages in towns.values()), Share()) == Share(11, 6)
    assert total({}) == Share()


def test_the_seal_is_of_the_numbers_and_not_of_their_order() -> None:
    counts = {VILLAGE: Share(4, 4), OTHER: Share(2, 0)}
    mark = seal("2022-04-12", "arrival", counts)
    assert mark == seal("2022-04-12", "arrival", dict(reversed(counts.items())))
    others = [
        seal("2022-04-13", "arrival", counts),
        seal("2022-04-12", "test", counts),
        seal("2022-04-12", "arrival", counts | {OTHER: Share(2, 1)}),
        seal("2022-04-12", "arrival", {VILLAGE: Share(4, 4)}),
    ]
    assert len({mark, *others}) == 5
