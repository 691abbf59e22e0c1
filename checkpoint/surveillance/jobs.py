"""What the scheduler does for this room. Each may run in two schedulers at once."""

from flask import current_app

from checkpoint import clock
from checkpoint.accounts.permissions import Actor, system_actor
from checkpoint.surveillance.feeds import fetch_due
from checkpoint.surveillance.impact import count_waiting
from checkpoint.surveillance.policy_impact import count_waiting_drafts
from checkpoint.surveillance.service import work_all


def _system() -> Actor:
    return system_actor(current_app.extensions["settings"].site_division)


def reassess() -> int:
    """Assess again whom the changes of lists and policy have touched; returns how many people."""
    return work_all(actor=_system(), clock=clock.now)


def fetch_lists() -> int:
    """Fetch the lists whose time has come, and tell of sources that are silent."""
    return fetch_due(clock.now())


def count_impacts() -> int:
    """Count whom the drafts that somebody looks at would touch."""
    at = clock.now()
    return count_waiting(at) + count_waiting_drafts(at)
