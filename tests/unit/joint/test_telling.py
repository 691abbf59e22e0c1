"""What may be told of a person, by the state of the trip and of the village's alert."""

from datetime import UTC, datetime, timedelta

import pytest

from checkpoint.joint.telling import Fact, told_of

NOON = datetime(2022, 4, 12, 4, tzinfo=UTC)
EARLIER, LATER = NOON - timedelta(hours=2), NOON + timedelta(hours=2)


def fact(
    certain: bool | None = True,
    presence: str = "inside",
    alert: str | None = "open",
    found_at: datetime = NOON,
    result: str | None = None,
) -> Fact:
    resolved = LATER if alert == "resolved" else None
    return Fact(certain, found_at, presence, EARLIER, NOON, "330482101000", alert, resolved, result)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "state", "at", "result"),
    [
        ([], "not_found", EARLIER, None),
        ([fact(False)], "not_found", EARLIER, None),
        ([fact()], "found", NOON, None),
        ([fact(alert="acknowledged")], "found", NOON, None),
        ([fact(alert="resolved", result="transferred")], "handled", LATER, "transferred"),
        ([fact(presence="left", alert=None)], "handled", NOON, "not_here"),
        ([fact(presence="withdrawn", alert="retracted")], "handled", NOON, "not_here"),
        ([fact(None), fact()], "found", NOON, None),
        ([fact(alert="resolved", result="handled"), fact(found_at=LATER)], "found", LATER, None),
        ([fact(presence="declared"), fact(found_at=LATER)], "found", LATER, None),
    ],
)
def test_what_is_told(facts: list[Fact], state: str, at: datetime, result: str | None) -> None:
    told = told_of(facts, EARLIER)
    assert told is not None
    assert (told.state, told.at, told.result) == (state, at, result)
    assert (told.town is None) == (state == "not_found")


def test_while_somebody_has_to_look_nothing_is_told() -> None:
    assert told_of([fact(None)], EARLIER) is None
    assert told_of([fact(None), fact(False)], EARLIER) is None
