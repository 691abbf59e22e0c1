"""What happens to inquiries by the clock."""

from flask import current_app

from checkpoint import clock
from checkpoint.accounts.permissions import system_actor
from checkpoint.config import Settings
from checkpoint.crossmatch import reviews
from checkpoint.crossmatch.service import run_waiting, sweep_late
from checkpoint.inquiries.service import expire


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def read_lists() -> int:
    """Read the lists whose columns are confirmed; returns how many came into force."""
    return run_waiting(actor=system_actor(_settings().site_division), clock=clock.now)


def tidy() -> None:
    """End the inquiries whose last day has passed, look once more for who registered while a list came into force, and keep reviews
    from being forgotten."""
    settings, at = _settings(), clock.now()
    expire(clock.local_date(at, settings.timezone), actor=system_actor(settings.site_division), at=at)
    sweep_late(at=at)
    reviews.tend(at=at)
