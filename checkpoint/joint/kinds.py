"""The alerts by which command hears that another place asks, and what another place has answered."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app

from checkpoint.accounts.permissions import Permission
from checkpoint.alerts.kinds import Kind, register
from checkpoint.alerts.service import NewAlert
from checkpoint.config import Settings
from checkpoint.joint.models import JointRecord, Peer
from checkpoint.words import _, lazy

SUBJECT = "joint"


def _asked(params: Mapping[str, Any]) -> Sequence[str]:
    return [
        _("%(peer)s asks about %(people)s people, until %(day)s.", peer=params["peer"], people=params["people"], day=params["until"]),
        _("They are being looked for already; the answers go back by themselves."),
    ]  # fmt: skip


def _found(params: Mapping[str, Any]) -> Sequence[str]:
    return [
        _("%(peer)s has found %(people)s of the people we asked about.", peer=params["peer"], people=params["people"])
    ]


def _answered(params: Mapping[str, Any]) -> Sequence[str]:
    told = []
    for name, words in _TOLD.items():
        if params.get(name):
            told.append(words(str(params["peer"]), int(params[name])))
    return told


def _not_found_words(peer: str, people: int) -> str:
    return _("%(peer)s: %(people)s people are not there so far. They go on looking.", peer=peer, people=people)


def _handled_words(peer: str, people: int) -> str:
    return _("%(peer)s has dealt with %(people)s people.", peer=peer, people=people)


def _closed_words(peer: str, _people: int) -> str:
    return _("%(peer)s has closed the joint inquiry.", peer=peer)


_TOLD = {"not_found": _not_found_words, "handled": _handled_words, "closed": _closed_words}

ASKED = register(
    Kind("joint_asked", lazy("Another place asks about people"), permission=Permission.INQUIRIES_JOINT, explain=_asked)
)
FOUND = register(
    Kind("joint_found", lazy("Found in another place"), permission=Permission.INQUIRIES_JOINT, explain=_found)
)
ANSWERED = register(
    Kind(
        "joint_answered",
        lazy("Another place has answered"),
        needs_answer=False,
        permission=Permission.INQUIRIES_JOINT,
        explain=_answered,
    )
)


def alarm(kind: Kind, record: JointRecord, peer: Peer, cause: uuid.UUID, tier: str, **params: Any) -> NewAlert:
    """One alert to command about a record; `cause` is the message that brought it."""
    settings: Settings = current_app.extensions["settings"]
    return NewAlert(
        kind=kind.name,
        cause=f"{kind.name}:{cause.hex}",
        division_code=settings.site_division,
        tier=tier,
        subject_type=SUBJECT,
        subject_id=record.id,
        params={"peer": peer.name, **params},
    )
