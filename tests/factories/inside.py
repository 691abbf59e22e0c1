"""People in the city under a list: registered, let in at the barrier, and the lists that change above their heads."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from checkpoint.crossings import service as crossings
from checkpoint.crossings.service import Scan
from checkpoint.registrations import service as registrations
from checkpoint.registrations.declaration import Declaration
from checkpoint.registrations.models import Registration
from checkpoint.risk.importing import import_list
from checkpoint.risk.lists import Entry, ParsedList
from checkpoint.risk.models import RiskList
from checkpoint.risk.publishing import publish
from checkpoint.surveillance.service import work_all
from tests.factories import NOW, people
from tests.factories.declarations import declaration


def register(number: int = 1, *, at: datetime = NOW, **changes: Any) -> Registration:
    """Somebody on the way here."""
    body = Declaration.model_validate(declaration(number, **changes))
    return registrations.submit(body, actor=people.operator(), at=at).registration


def let_in(
    tablet: people.Tablet, number: int = 1, *, at: datetime = NOW, decision: str = "admitted", **changes: Any
) -> Registration:
    """Somebody who stood at the barrier, and what the officer decided."""
    body = Declaration.model_validate(declaration(number, **changes))
    receipt = registrations.submit(body, actor=people.operator(), at=at)
    scan_id = uuid.uuid4()
    when = at + timedelta(minutes=30)
    crossings.record_scan(Scan(scan_id, receipt.issued.token, when), actor=tablet.actor, at=when)
    crossings.decide(scan_id, decision, "为了测试", actor=tablet.actor, at=when)
    return receipt.registration


def draft(*entries: Entry, at: datetime = NOW, source: str = "test") -> RiskList:
    """A list that nobody has published yet."""
    return import_list(ParsedList(source, at, tuple(entries)), actor=people.operator(), at=at)


def put(*entries: Entry, at: datetime = NOW, source: str = "test") -> RiskList:
    """A list put in force, without what follows for people."""
    return publish(draft(*entries, at=at, source=source).id, actor=people.operator(), at=at)


def follow_up(at: datetime = NOW) -> int:
    """Do what the changes of lists have brought; how many people were looked at again."""
    return work_all(actor=people.operator(), clock=lambda: at)
