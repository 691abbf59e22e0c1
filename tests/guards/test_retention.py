"""Whatever holds something of a person, or points to one, has a rule that says when it goes."""

from sqlalchemy import Table

import checkpoint.models  # noqa: F401 - every table
from checkpoint.database import db
from checkpoint.retention.clocks import CLOCKS
from checkpoint.retention.rules import RULES, TRIP_TABLES, Fate
from checkpoint.risk.policy import Retention

POINTERS = {
    "registration_id",
    "traveller_id",
    "subject_id",
    "id_number_hash",
    "phone_hash",
    "plate_hash",
    "person_hash",
}
PEOPLE = {"registration", "traveller"}


def holds_people(table: Table) -> bool:
    """A sealed column, a reference to a trip or a person, or a column by which one is found; what belongs to an account is its owner's."""
    names = {column.name for column in table.c}
    targets = {key.column.table.name for key in table.foreign_keys}
    with_account = "user_account" in targets
    if with_account and not (targets & PEOPLE or names & POINTERS):
        return False
    return bool(targets & PEOPLE or names & POINTERS or any(name.endswith("_sealed") for name in names))


def test_every_table_that_holds_something_of_a_person_has_a_rule() -> None:
    found = {table.name for table in db.metadata.sorted_tables if holds_people(table)}
    assert {"registration", "crossing", "appeal", "approval_holder", "reassess_item"} <= found
    without = sorted(found - set(RULES))
    assert without == [], f"say in checkpoint/retention/rules.py when the rows of {', '.join(without)} go"


def test_every_rule_is_about_a_table_and_a_column_that_are_there() -> None:
    tables = db.metadata.tables
    assert sorted(set(RULES) - set(tables)) == []
    for name, rule in RULES.items():
        if rule.fate is Fate.TRIP:
            assert rule.by in tables[name].c, name
        elif rule.fate is Fate.OWN:
            assert rule.by in Retention.model_fields, name
        elif rule.fate is Fate.KEPT:
            assert rule.why, name


def test_a_part_goes_with_its_parent_by_the_database_itself() -> None:
    for name, rule in RULES.items():
        if rule.fate is Fate.PARENT:
            keys = [key for key in db.metadata.tables[name].foreign_keys if key.column.table.name == rule.by]
            assert [key.ondelete for key in keys] == ["CASCADE"], name


def test_every_clock_of_its_own_is_worked() -> None:
    assert set(CLOCKS) == {name for name, rule in RULES.items() if rule.fate is Fate.OWN}


def test_what_goes_with_a_trip_is_found_by_an_index() -> None:
    """Else a purge would read whole tables for each handful of people."""
    assert len(TRIP_TABLES) > 10
    for name in (*TRIP_TABLES, "alert"):
        table = db.metadata.tables[name]
        firsts = {next(iter(index.columns)).name for index in table.indexes}
        firsts |= {next(iter(one.columns)).name for one in table.constraints if len(one.columns) == 1}
        assert RULES[name].by in firsts, name
