"""The list that the project ships, so that a fresh installation has one in force."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from checkpoint.accounts.permissions import Actor
from checkpoint.database import transaction
from checkpoint.risk.importing import import_list
from checkpoint.risk.lists import SAMPLE_SOURCE, ParsedList, parse
from checkpoint.risk.models import RiskList
from checkpoint.risk.publishing import publish
from checkpoint.risk.queries import in_force

SAMPLE_FILE = Path(__file__).parent / "sample-list.csv"


def parse_sample() -> ParsedList:
    """The shipped list, marked as the sample."""
    return replace(parse(SAMPLE_FILE.read_bytes(), SAMPLE_FILE.name), source=SAMPLE_SOURCE)


def import_sample(*, actor: Actor, at: datetime) -> RiskList:
    """Publish the shipped list as of `at`; does nothing and returns the list in force if there is one."""
    current = in_force()
    if current is not None:
        return current
    with transaction():
        return publish(import_list(parse_sample(), actor=actor, at=at).id, actor=actor, at=at)
