"""Which areas are listed since when: publishing, taking back, the sample, and a long random history against a plain model."""

import random
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.errors import NotFound
from checkpoint.risk import queries
from checkpoint.risk.importing import WrongRows, import_list, without_wrong_rows
from checkpoint.risk.levels import Level
from checkpoint.risk.lists import Entry, ParsedList, WrongRow
from checkpoint.risk.models import ListState, RiskArea, RiskList, RiskListEntry, RiskListing, RiskState
from checkpoint.risk.publishing import AlreadySuperseded, NotPublished, publish, withdraw
from checkpoint.risk.sample import import_sample
from tests.factories import NOW, people

HOUR = timedelta(hours=1)
Pairs = dict[str, Level]
Span = tuple[str, str, datetime, datetime | None]


def parsed(pairs: Pairs, published_at: datetime | None = NOW) -> ParsedList:
    entries = tuple(
        Entry(level, "上海市", "上海市", "金山区", text, None, row)
        for row, (text, level) in enumerate(sorted(pairs.items()), 1)
    )
    return ParsedList("test.json", published_at, entries)


def stored(pairs: Pairs, published_at: datetime = NOW) -> int:
    return import_list(parsed(pairs, published_at), actor=people.operator(), at=NOW).id


def put(pairs: Pairs, published_at: datetime, at: datetime) -> int:
    list_id = stored(pairs, published_at)
    publish(list_id, actor=people.operator(), at=at)
    return list_id


def spans() -> list[Span]:
    rows = db.session.execute(
        select(RiskArea.text, RiskListing.level, RiskListing.listed_at, RiskListing.delisted_at)
        .join(RiskArea, RiskArea.id == RiskListing.area_id)
        .order_by(RiskArea.text, RiskListing.listed_at, RiskListing.level)
    )
    return [tuple(row) for row in rows]


def state() -> RiskState:
    return db.session.execute(select(RiskState).execution_options(populate_existing=True)).scalar_one()


def state_of(list_id: int) -> str:
    return db.session.execute(select(RiskList.state).where(RiskList.id == list_id)).scalar_one()


def test_added_removed_raised_and_kept() -> None:
    first = put({"东街": Level.HIGH, "西街": Level.LOW, "南街": Level.MIDDLE}, NOW, NOW)
    later = NOW + 5 * HOUR
    second = put({"东街": Level.HIGH, "西街": Level.HIGH, "北街": Level.LOW}, later, later + HOUR)
    assert spans() == [
        ("东街", "high", NOW, None),
        ("北街", "low", later, None),
        ("南街", "middle", NOW, later),
        ("西街", "low", NOW, later),
        ("西街", "high", later, None),
    ]
    assert (state().list_id, state().confirmed_at) == (second, later + HOUR)
    assert (state_of(first), state_of(second)) == (ListState.SUPERSEDED, ListState.PUBLISHED)
    assert queries.open_listings() == {Level.HIGH: 2, Level.MIDDLE: 0, Level.LOW: 1}


def test_every_change_moves_the_version_and_is_audited() -> None:
    first = put({"东街": Level.HIGH}, NOW, NOW)
    version = state().version
    second = put({"西街": Level.HIGH}, NOW + HOUR, NOW + HOUR)
    assert state().version == version + 1
    withdraw(second, actor=people.operator(), at=NOW + 2 * HOUR)
    assert (state().version, state().list_id) == (version + 2, first)
    acts = db.session.scalars(
        select(AuditEntry.act).where(AuditEntry.object_type == "risk_list").order_by(AuditEntry.id)
    ).all()
    assert acts == ["risk_list.import", "risk_list.publish"] * 2 + ["risk_list.withdraw"]


def test_a_list_in_force_is_only_confirmed() -> None:
    list_id = put({"东街": Level.HIGH}, NOW, NOW)
    before = state().version, spans()
    publish(list_id, actor=people.operator(), at=NOW + HOUR)
    assert (state().version, spans()) == before
    assert state().confirmed_at == NOW + HOUR
    publish(list_id, actor=people.operator(), at=NOW)
    assert state().confirmed_at == NOW + HOUR, "an older sight of the list makes it no older"


def test_the_same_content_is_one_version_and_confirms_it() -> None:
    list_id = put({"东街": Level.HIGH, "西街": Level.LOW}, NOW, NOW)
    again = import_list(parsed({"西街": Level.LOW, "东街": Level.HIGH}), actor=people.operator(), at=NOW + 3 * HOUR)
    assert again.id == list_id
    assert db.session.scalar(select(func.count()).select_from(RiskList)) == 1
    assert state().confirmed_at == NOW + 3 * HOUR


def test_versions_share_their_areas() -> None:
    stored({"东街": Level.HIGH, "西街": Level.LOW})
    stored({"东街": Level.LOW, "北街": Level.LOW}, NOW + HOUR)
    assert db.session.scalar(select(func.count()).select_from(RiskArea)) == 3
    assert db.session.scalar(select(func.count()).select_from(RiskListEntry)) == 4


def test_a_place_named_twice_counts_twice_and_is_listed_once() -> None:
    twice = parsed({"东街": Level.HIGH})
    twice = ParsedList(twice.source, NOW, twice.entries * 2)
    version = import_list(twice, actor=people.operator(), at=NOW)
    assert (version.high_count, version.county_count) == (2, 2)
    publish(version.id, actor=people.operator(), at=NOW)
    assert len(spans()) == 1


def test_a_late_list_with_an_earlier_time_gives_no_span_that_ends_before_it_begins() -> None:
    put({"东街": Level.HIGH}, NOW, NOW)
    put({"西街": Level.HIGH}, NOW - 5 * HOUR, NOW + HOUR)
    assert spans() == [("东街", "high", NOW, NOW), ("西街", "high", NOW - 5 * HOUR, None)]


def test_a_superseded_list_cannot_be_published_again_but_a_withdrawn_one_can() -> None:
    first = put({"东街": Level.HIGH}, NOW, NOW)
    second = put({"西街": Level.HIGH}, NOW + HOUR, NOW + HOUR)
    with pytest.raises(AlreadySuperseded):
        publish(first, actor=people.operator(), at=NOW + 2 * HOUR)
    withdraw(second, actor=people.operator(), at=NOW + 2 * HOUR)
    publish(second, actor=people.operator(), at=NOW + 3 * HOUR)
    assert state().list_id == second
    assert state_of(first) == ListState.SUPERSEDED


def test_what_cannot_be_taken_back() -> None:
    draft = stored({"东街": Level.HIGH})
    with pytest.raises(NotPublished):
        withdraw(draft, actor=people.operator(), at=NOW)
    with pytest.raises(NotFound):
        withdraw(99, actor=people.operator(), at=NOW)
    with pytest.raises(NotFound):
        publish(99, actor=people.operator(), at=NOW)


def test_taking_back_the_only_list_leaves_none_in_force() -> None:
    only = put({"东街": Level.HIGH}, NOW, NOW)
    assert withdraw(only, actor=people.operator(), at=NOW + HOUR) is None
    assert (state().list_id, state().confirmed_at, spans()) == (None, None, [])


def test_the_sample_leaves_as_if_it_had_never_been() -> None:
    sample = import_sample(actor=people.operator(), at=NOW)
    assert state().list_id == sample.id
    assert len(spans()) >= 40
    assert import_sample(actor=people.operator(), at=NOW + HOUR).id == sample.id
    real = put({"东街": Level.HIGH}, NOW - HOUR, NOW + HOUR)
    assert spans() == [("东街", "high", NOW - HOUR, None)]
    assert state_of(sample.id) == ListState.WITHDRAWN
    assert import_sample(actor=people.operator(), at=NOW + 2 * HOUR).id == real, (
        "a list is in force: the sample stays away"
    )


def test_preview_says_what_would_change() -> None:
    put({"东街": Level.HIGH, "西街": Level.LOW, "南街": Level.MIDDLE, "北街": Level.HIGH}, NOW, NOW)
    new = stored({"东街": Level.HIGH, "西街": Level.HIGH, "北街": Level.LOW, "中街": Level.LOW}, NOW + HOUR)
    preview = queries.preview(new)
    assert (preview.added, preview.removed, preview.raised, preview.lowered, preview.unresolved) == (1, 1, 1, 1, 0)
    assert (preview.high, preview.middle, preview.low, preview.total, preview.current_total) == (2, 0, 2, 4, 4)
    raised = preview.samples["raised"][0]
    assert (raised.text, raised.before, raised.after) == ("西街", Level.LOW, Level.HIGH)
    assert not preview.collapsed


def test_a_collapsed_list_is_pointed_out() -> None:
    put({f"东街{number}号": Level.HIGH for number in range(200)}, NOW, NOW)
    assert queries.preview(stored({"东街1号": Level.HIGH}, NOW + HOUR)).collapsed


def test_wrong_rows_stop_everything_until_they_are_left_out() -> None:
    good = parsed({"东街": Level.HIGH})
    unknown = Entry(Level.LOW, "上海市", "", "", "西街", "999999000000", 7)
    broken = ParsedList(good.source, NOW, (*good.entries, unknown), (WrongRow(3, "shape"),))
    with pytest.raises(WrongRows) as raised:
        import_list(broken, actor=people.operator(), at=NOW)
    assert [(row.number, row.cause) for row in raised.value.rows] == [(3, "shape"), (7, "code_unknown")]
    assert db.session.scalar(select(func.count()).select_from(RiskArea)) == 0
    assert import_list(without_wrong_rows(broken), actor=people.operator(), at=NOW).total == 1


def model(chain: list[tuple[Pairs, datetime]]) -> list[Span]:
    """What the listings must be, worked out list by list in the plainest way."""
    closed: list[Span] = []
    open_: dict[tuple[str, str], datetime] = {}
    for pairs, published_at in chain:
        named = {(text, level.value) for text, level in pairs.items()}
        for key in list(open_):
            if key not in named:
                since = open_.pop(key)
                closed.append((*key, since, max(since, published_at)))
        for key in named:
            open_.setdefault(key, published_at)
    spans = closed + [(*key, since, None) for key, since in open_.items()]
    return sorted(spans, key=lambda span: (span[0], span[2], span[1]))


@pytest.mark.parametrize("seed", range(3))
def test_any_history_of_publishing_and_taking_back_equals_the_plain_model(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a reproducible history, no secret
    chain: list[tuple[int, Pairs, datetime]] = []
    at = NOW
    for step in range(24):
        at += HOUR
        if chain and chance.random() < 0.35:
            gone = chain.pop(chance.randrange(len(chain)))
            withdraw(gone[0], actor=people.operator(), at=at)
        else:
            texts = chance.sample(["东街", "西街", "南街", "北街", "中街", "前街"], chance.randint(1, 5))
            pairs = {text: chance.choice(list(Level)) for text in texts}
            published_at = NOW + step * HOUR - chance.choice((0, 0, 3)) * HOUR
            chain.append((put(pairs, published_at, at), pairs, published_at))
        got = sorted(spans(), key=lambda span: (span[0], span[2], span[1]))
        assert sorted(got, key=repr) == sorted(model([one[1:] for one in chain]), key=repr), f"step {step}"
        assert state().list_id == (chain[-1][0] if chain else None)
