"""Commuters: applied, granted, at the barrier. In an app context."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from checkpoint.accounts.models import Role
from checkpoint.accounts.permissions import Actor, actor_for, traveller_actor
from checkpoint.approvals import commuters, service
from checkpoint.approvals.conditions import Conditions
from checkpoint.approvals.models import Approval
from checkpoint.database import db
from checkpoint.regions.models import at_level
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Pass, Registration
from tests.factories import NOW, people
from tests.factories.declarations import declaration
from tests.factories.divisions import NEIGHBOUR_TOWN, SITE

DAYS = 30
ANYBODY = Actor("traveller", None, None, SITE, frozenset())


def conditions(**changes: Any) -> Conditions:
    """From now for 30 days, every day and hour, at every checkpoint."""
    given = {"from": NOW.isoformat(), "until": (NOW + timedelta(days=DAYS)).isoformat(), "binding": True}
    return Conditions.from_json(given | changes)


def new(number: int = 1, **changes: Any) -> commuters.NewCommuter:
    """What commuter `number` applies for: from 枫泾镇, across the province line, by car."""
    terms = changes.pop("conditions", None) or conditions()
    company_id = changes.pop("company_id", None)
    body = {"origin": {"code": NEIGHBOUR_TOWN, "text": "白牛路151弄12号楼302室"}} | changes
    person = Declaration.model_validate(declaration(number, **body))
    return commuters.NewCommuter(person, "乍浦码头 装卸工", terms, company_id=company_id)


def applied(number: int = 1, at: datetime = NOW, **changes: Any) -> Approval:
    """An application that waits for the village."""
    return commuters.apply(new(number, **changes), actor=ANYBODY, at=at).approval


def grant(approval: Approval, at: datetime = NOW) -> Registration:
    """Village and town say yes; the trip that stands from now on."""
    for role, level in ((Role.VILLAGE, 5), (Role.TOWN, 4)):
        office = actor_for("user", uuid.uuid4(), role, at_level(approval.division_code, level))
        service.approve(approval.id, None, "可以", actor=office, at=at)
    return trip_of(approval)


def grant_from_command(approval: Approval, at: datetime = NOW) -> Registration:
    """Command says yes in place of village and town."""
    service.grant(approval.id, None, "可以", actor=people.operator(), at=at)
    return trip_of(approval)


def granted(number: int = 1, at: datetime = NOW, **changes: Any) -> Registration:
    """The standing trip of somebody whose application was granted."""
    return grant(applied(number, at, **changes), at)


def trip_of(approval: Approval) -> Registration:
    """The standing trip of an application, as the database has it now."""
    db.session.expire_all()
    row = db.session.get_one(Approval, approval.id)
    return db.session.get_one(Registration, row.registration_id)


def approval_of(trip: Registration) -> Approval:
    """The approval of a standing trip, as the database has it now."""
    db.session.expire_all()
    found = commuters.of_trip(trip.id)
    assert found is not None
    return found


def pass_of(trip: Registration) -> Pass:
    """The only pass of a standing trip."""
    db.session.expire_all()
    return db.session.query(Pass).filter_by(registration_id=trip.id).one()


def holder(trip: Registration) -> Actor:
    """Whoever has the link of the pass."""
    return traveller_actor(trip.id, SITE)


def told(trip: Registration, at: datetime, result: str = "negative", *, hours_ago: int = 1) -> dict[str, Any]:
    """The arguments of a test told from the pass page."""
    return {
        "registration_id": trip.id,
        "report_id": uuid.uuid4(),
        "kind": "pcr",
        "result": result,
        "taken_at": at - timedelta(hours=hours_ago),
        "actor": holder(trip),
        "at": at,
    }
