"""How the templates write times, tiers and personal values, in the reader's language and the site's time zone."""

import re
from datetime import date, datetime
from typing import Any

from flask import Flask, current_app
from flask_babel import format_date, format_datetime, format_decimal, format_time, format_timedelta, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from checkpoint import clock
from checkpoint.accounts.models import CheckpointKind, Role
from checkpoint.config import Settings
from checkpoint.database import db
from checkpoint.privacy import mask_document, mask_name, mask_phone, mask_plate
from checkpoint.regions.models import Division

TIERS: dict[str, LazyString] = {"red": _l("Red"), "yellow": _l("Yellow"), "green": _l("Green")}
ROLES: dict[str, LazyString] = {
    Role.OFFICER: _l("Checkpoint officer"),
    Role.VILLAGE: _l("Village or community"),
    Role.TOWN: _l("Town or street"),
    Role.COMMAND: _l("City command"),
    Role.AUDITOR: _l("Auditor"),
    Role.COMPANY: _l("Company"),
    Role.INTEGRATION: _l("Integration"),
}
CHECKPOINT_KINDS: dict[str, LazyString] = {
    CheckpointKind.EXPRESSWAY: _l("Expressway exit"),
    CheckpointKind.NATIONAL_ROAD: _l("National road"),
    CheckpointKind.PROVINCIAL_ROAD: _l("Provincial road"),
    CheckpointKind.COUNTY_ROAD: _l("County road"),
    CheckpointKind.RAIL: _l("Railway station"),
    CheckpointKind.PORT: _l("Port"),
    CheckpointKind.CLOSED: _l("Closed crossing"),
}


# Characters that turn the direction of what follows: with them a name could show another name, or a place another place.
_TURNS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def init_app(app: Flask) -> None:
    """Register the filters and the words that every page may use."""
    app.jinja_env.finalize = straight
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        when=when,
        day=day,
        number=number,
        hour=hour,
        ago=ago,
        iso=iso,
        tier_word=tier_word,
        role_word=role_word,
        kind_word=kind_word,
        place=place,
        mask_name=mask_name,
        mask_document=mask_document,
        mask_phone=mask_phone,
        mask_plate=mask_plate,
    )
    app.context_processor(_site)


def straight(value: object) -> object:
    """What a page prints of a value: a text that somebody wrote, without the characters that turn the line around."""
    if not isinstance(value, str) or value.isascii() or _TURNS.search(value) is None:
        return value
    return type(value)(_TURNS.sub("", value))  # what is marked as escaped stays so


def when(at: datetime | None) -> str:
    """A moment at the site: 4月12日 10:00, 12 Apr 10:00; with the year when it is not this one."""
    if at is None:
        return ""
    chinese = _is_chinese()
    this_year = _is_this_year(at)
    if chinese:
        return str(format_datetime(at, "M月d日 HH:mm" if this_year else "y年M月d日 HH:mm"))
    return str(format_datetime(at, "d MMM HH:mm" if this_year else "d MMM y HH:mm"))


def number(value: int | float | None) -> str:
    """A count as the reader's language groups its digits: 12,430,000."""
    return "–" if value is None else str(format_decimal(value))


def day(value: date | datetime | None) -> str:
    """A calendar date at the site: 4月12日 周二, Tue 12 Apr; with the year when it is not this one."""
    if value is None:
        return ""
    if _is_this_year(value):
        return str(format_date(value, "M月d日 EEE" if _is_chinese() else "EEE d MMM"))
    return str(format_date(value, "y年M月d日 EEE" if _is_chinese() else "EEE d MMM y"))


def hour(at: datetime | None) -> str:
    """The time of day at the site: 10:00."""
    return "" if at is None else str(format_time(at, "HH:mm"))


def ago(at: datetime | None) -> str:
    """How long ago something was, or `never`."""
    if at is None:
        return str(_("never"))
    return str(format_timedelta(at - clock.now(), granularity="minute", add_direction=True))


def iso(at: datetime | date | None) -> str:
    """RFC 3339 for machines: the `datetime` attribute of <time>."""
    return "" if at is None else at.isoformat()


def tier_word(tier: str) -> str:
    """Red, yellow or green as a word."""
    return str(TIERS.get(tier, tier))


def role_word(role: str) -> str:
    """A role as people call it."""
    return str(ROLES.get(role, role))


def kind_word(kind: str) -> str:
    """The kind of a checkpoint as people call it."""
    return str(CHECKPOINT_KINDS.get(kind, kind))


def place(code: str | None) -> str:
    """The full name of a division; its code when the tree does not hold it."""
    if not code:
        return ""
    division = db.session.get(Division, code)
    return code if division is None else division.full_name


def site_name() -> str:
    """The city that is being guarded, as the settings or the tree call it; read once."""
    settings: Settings = current_app.extensions["settings"]
    if settings.site_name:
        return settings.site_name
    known: str | None = current_app.extensions.get("site_name")
    if known is None:
        division = db.session.get(Division, settings.site_division)
        if division is None:  # the tree is not loaded yet: ask again next time
            return ""
        known = current_app.extensions["site_name"] = division.name
    return known


def _site() -> dict[str, Any]:
    settings: Settings = current_app.extensions["settings"]
    return {
        "site_name": site_name,
        "site_phone": settings.site_phone,
        "site_division": settings.site_division,
        "now": clock.now,
    }


def _is_this_year(value: date | datetime) -> bool:
    zone = current_app.extensions["settings"].timezone
    local = clock.local_date(value, zone) if isinstance(value, datetime) else value
    return local.year == clock.local_date(clock.now(), zone).year


def _is_chinese() -> bool:
    locale = get_locale()
    return locale is None or locale.language == "zh"
