"""What the tags of the trail cover: any part of an entry or a seal that is changed shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from checkpoint.audit.chain import FIRST, Entry, SealContent, digest, root_of, seal_hash, stamp, stamp_holds

KEY = bytes(range(32))
ENTRY = Entry(
    at=datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC),
    actor_kind="user",
    actor_id="0198-aa",
    act="people.unmask",
    object_type="registration",
    object_id="0198-bb",
    purpose="call before the visit",
    data={"fields": ["phone"], "count": 1},
)
SEAL = SealContent(number=3, first_id=10, last_id=20, count=9, is_old=False, root=bytes(32))
CHANGES = (
    {"at": ENTRY.at + timedelta(microseconds=1)},
    {"actor_kind": "token"},
    {"actor_id": None},
    {"act": "people.unmas"},
    {"object_type": None},
    {"object_id": "0198-bc"},
    {"purpose": None},
    {"data": {"fields": ["phone"], "count": 2}},
    {"data": None},
)


def test_a_stamp_holds_for_its_entry_whatever_the_time_zone() -> None:
    made = stamp(KEY, ENTRY)
    assert stamp_holds(KEY, ENTRY, made)
    elsewhere = replace(ENTRY, at=ENTRY.at.astimezone(timezone(timedelta(hours=8))))
    assert stamp_holds(KEY, elsewhere, made)


@pytest.mark.parametrize("change", CHANGES)
def test_no_part_of_an_entry_can_change(change: dict[str, object]) -> None:
    made = stamp(KEY, ENTRY)
    other = replace(ENTRY, **change)  # type: ignore[arg-type]
    assert not stamp_holds(KEY, other, made)
    assert digest(7, other, made) != digest(7, ENTRY, made)


def test_a_stamp_of_another_key_or_length_does_not_hold() -> None:
    assert not stamp_holds(bytes(32), ENTRY, stamp(KEY, ENTRY))
    assert not stamp_holds(KEY, ENTRY, stamp(KEY, ENTRY)[:-1])
    assert not stamp_holds(KEY, ENTRY, b"")


def test_two_stamps_of_one_entry_differ() -> None:
    assert stamp(KEY, ENTRY) != stamp(KEY, ENTRY)


def test_fields_cannot_be_shifted_into_each_other() -> None:
    left = replace(ENTRY, object_type="ab", object_id="c")
    right = replace(ENTRY, object_type="a", object_id="bc")
    assert left.canonical() != right.canonical()


@pytest.mark.parametrize(
    "change",
    [{"number": 4}, {"first_id": 9}, {"last_id": 21}, {"count": 8}, {"is_old": True}, {"root": b"\x01" * 32}],
)
def test_no_part_of_a_seal_can_change(change: dict[str, object]) -> None:
    other = replace(SEAL, **change)  # type: ignore[arg-type]
    assert seal_hash(KEY, FIRST, other) != seal_hash(KEY, FIRST, SEAL)


def test_a_seal_depends_on_the_one_before_and_on_the_key() -> None:
    assert seal_hash(KEY, FIRST, SEAL) != seal_hash(KEY, b"\x01" * 32, SEAL)
    assert seal_hash(KEY, FIRST, SEAL) != seal_hash(bytes(32), FIRST, SEAL)


def test_the_order_of_a_batch_counts() -> None:
    one, two = digest(1, ENTRY, None), digest(2, ENTRY, None)
    assert root_of([one, two]) != root_of([two, one])
