"""What happens to applications by the clock, and opening the names in one."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from checkpoint.alerts import service as alerting
from checkpoint.alerts.models import Alert
from checkpoint.approvals import disclosure, queries, service, tending
from checkpoint.approvals.models import Approval
from checkpoint.audit.models import AuditEntry
from checkpoint.database import db
from checkpoint.errors import InvalidInput, NotFound
from tests.factories import NOW, people
from tests.factories.applications import DAY, DRIVER, applied
from tests.factories.divisions import VILLAGE

HOUR = timedelta(hours=1)


def alerts() -> list[tuple[str, str]]:
    db.session.expire_all()
    query = (
        select(Alert.division_code, Alert.state).where(Alert.kind == "approval").order_by(Alert.created_at, Alert.id)
    )
    return [(code, state) for code, state in db.session.execute(query)]


def test_what_nobody_answered_in_time_is_closed_once() -> None:
    people.village_worker()
    late, asked, granted = applied(), applied(), applied()
    service.ask(asked.id, "几点到？", actor=people.commander(), at=NOW)
    service.grant(granted.id, None, actor=people.commander("second"), at=NOW)
    assert tending.tend(NOW + 3 * DAY - HOUR) == 0
    assert tending.tend(NOW + 3 * DAY) == 2
    assert tending.tend(NOW + 3 * DAY) == 0
    db.session.expire_all()
    states = [db.session.get_one(Approval, one.id).state for one in (late, asked, granted)]
    assert states == ["refused", "refused", "granted"]  # what was granted simply is over
    assert queries.steps(late.id)[-1].data == {"reason": "lapsed"}
    assert {state for _code, state in alerts()} == {"retracted", "resolved"}


def test_an_alert_that_was_closed_by_hand_does_not_hide_the_application() -> None:
    village = people.village_worker()
    asked = applied()
    first = db.session.scalars(select(Alert).where(Alert.kind == "approval")).one()
    alerting.resolve(first.id, "handled", None, actor=village, at=NOW)
    assert tending.tend(NOW + HOUR) == 1
    assert tending.tend(NOW + HOUR) == 0
    assert alerts() == [(VILLAGE, "resolved"), (VILLAGE, "open")]
    assert db.session.get_one(Approval, asked.id).due_at == NOW + HOUR + DAY


def test_opening_names_needs_a_purpose_and_the_jurisdiction() -> None:
    asked = applied()
    opened = disclosure.reveal(asked.id, "call", actor=people.village_worker(), at=NOW)
    assert (opened.contact_name, opened.contact_phone, opened.holders[0].id_number) == (
        "周师傅",
        "+8613900000001",
        DRIVER.id_number,
    )
    with pytest.raises(NotFound):
        disclosure.reveal(asked.id, "call", actor=people.stranger(), at=NOW)
    with pytest.raises(InvalidInput):
        disclosure.reveal(asked.id, "curiosity", actor=people.town_worker(), at=NOW)
    entries = [one for one in db.session.scalars(select(AuditEntry)) if one.act == "people.unmask"]
    assert [(one.purpose, one.object_id) for one in entries] == [("call", str(asked.id))]
