"""Aliases that administrators add: they count at once here, within seconds elsewhere, and need no rebuild."""

from datetime import datetime

import pytest
from sqlalchemy import insert, select

from checkpoint.audit.models import AuditEntry
from checkpoint.database import db, transaction
from checkpoint.errors import InvalidInput, NotFound
from checkpoint.regions import service
from checkpoint.regions.aliases import CHECK_EVERY, AliasCache
from checkpoint.regions.models import DivisionAlias
from tests.factories import divisions, people


def test_an_alias_resolves_and_is_suggested_at_once(at: datetime) -> None:
    assert service.resolve("临港小镇九号门").code is None
    alias = service.add_alias("  临港小镇 ", divisions.TOWN, "开发区", actor=people.commander(), at=at)
    assert service.resolve("临港小镇九号门").code == divisions.TOWN
    assert [place.code for place in service.suggest("临港")] == [divisions.TOWN]
    assert service.suggest("临港", within=divisions.OTHER_TOWN) == []
    assert [(a.text, d.code) for a, d in service.aliases()] == [("临港小镇", divisions.TOWN)]
    service.remove_alias(alias.id, actor=people.operator(), at=at)
    assert service.resolve("临港小镇九号门").code is None
    acts = db.session.scalars(select(AuditEntry.act).where(AuditEntry.object_type == "division_alias")).all()
    assert acts == ["alias.add", "alias.remove"]


@pytest.mark.parametrize(
    ("text", "code", "field", "cause"),
    [
        (" ", divisions.TOWN, "text", "required"),
        ("临" * 65, divisions.TOWN, "text", "too_long"),
        ("临港小镇", "999999999999", "code", "unknown"),
        ("旧名", divisions.TOWN, "text", "taken"),
    ],
)
def test_wrong_aliases_are_refused_by_field(text: str, code: str, field: str, cause: str, at: datetime) -> None:
    actor = people.operator()
    service.add_alias("旧名", divisions.TOWN, actor=actor, at=at)
    with pytest.raises(InvalidInput) as raised:
        service.add_alias(text, code, actor=actor, at=at)
    assert [(error.field, error.code) for error in raised.value.errors] == [(field, cause)]


def test_removing_what_is_not_there(at: datetime) -> None:
    with pytest.raises(NotFound):
        service.remove_alias(7, actor=people.operator(), at=at)


def test_another_process_sees_a_change_after_the_interval_and_asks_no_more_often(at: datetime) -> None:
    clock = [0.0]
    cache = AliasCache(monotonic=lambda: clock[0])
    assert len(cache.book()) == 0
    with transaction() as session:  # as another process does, past this cache
        session.execute(
            insert(DivisionAlias), [{"text": "临港", "code": divisions.TOWN, "note": None, "created_at": at}]
        )
    clock[0] = CHECK_EVERY - 0.1
    assert len(cache.book()) == 0
    clock[0] = CHECK_EVERY + 0.1
    assert list(cache.book()) == [("临港", divisions.TOWN)]


def test_an_id_that_is_used_again_does_not_hide_a_change(at: datetime) -> None:
    clock = [0.0]
    cache = AliasCache(monotonic=lambda: clock[0])
    actor = people.operator()
    first = service.add_alias("旧名", divisions.TOWN, actor=actor, at=at)
    assert list(cache.book()) == [("旧名", divisions.TOWN)]
    service.remove_alias(first.id, actor=actor, at=at)
    service.add_alias("新名", divisions.TOWN, actor=actor, at=at.replace(hour=3))
    clock[0] = CHECK_EVERY + 0.1
    assert list(cache.book()) == [("新名", divisions.TOWN)]


def test_an_unchanged_table_keeps_the_same_book() -> None:
    clock = [0.0]
    cache = AliasCache(monotonic=lambda: clock[0])
    first = cache.book()
    clock[0] = 10 * CHECK_EVERY
    assert cache.book() is first
