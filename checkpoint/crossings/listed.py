"""Holding whoever stands at a barrier against the inquiry lists in force.

Everybody was held against the lists when they registered, and every list against everybody when it came. What is left for the barrier are
lists that count from a later day than that of the registration, and whatever a damaged or ended process may have left out: nobody who is
named passes a checkpoint unnoticed.
"""

from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import Row

from checkpoint.clock import local_date
from checkpoint.config import Settings
from checkpoint.inquiries.lookup import Arrived, look_up, on_shelf
from checkpoint.privacy import keyring, unseal
from checkpoint.registrations.holders import holders_of
from checkpoint.risk.policy import PolicyData


def hold_against_lists(about: Row[Any], policy: PolicyData, *, at: datetime) -> None:
    """The person of a valid pass, as finding.py found them; joins the transaction under way. Opens nothing when no list is in force."""
    settings: Settings = current_app.extensions["settings"]
    today = local_date(at, settings.timezone)
    if not on_shelf(today):
        return
    look_up([_arrived(about)], lambda one: holders_of(one.phone), policy, today=today, at=at, found_by="crossing")


def _arrived(about: Row[Any]) -> Arrived:
    ring = keyring()

    def opened(sealed: bytes | None, table: str, column: str, row: Any) -> str:
        return unseal(ring, sealed, table, column, row) if sealed else ""

    return Arrived(
        person_hash=about.id_number_hash,
        name=opened(about.name_sealed, "traveller", "name", about.person_id),
        document=opened(about.id_number_sealed, "traveller", "id_number", about.person_id),
        phone=opened(about.phone_sealed, "traveller", "phone", about.person_id),
        plate=opened(about.plate_sealed, "registration", "plate", about.id),
        registration_id=about.id,
        division_code=about.destination_code,
    )
