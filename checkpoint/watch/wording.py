"""The watch rules in words: what each is called and looks for, what its limits mean, and what a finding says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import format_datetime
from flask_babel.speaklater import LazyString

from checkpoint.registrations.queries import place_name
from checkpoint.words import _, lazy

LABELS: dict[str, LazyString] = {
    "not_arrived": lazy("Let in and not arrived"),
    "impossible_travel": lazy("At two checkpoints at once"),
    "one_phone": lazy("One phone for many people"),
    "plate_all_night": lazy("A plate back and forth all night"),
    "silent_checkpoint": lazy("A checkpoint is silent"),
    "county_doubling": lazy("Yellow from one county doubles"),
    "unopened_inbox": lazy("A village has not opened its inbox"),
    "bulk_reading": lazy("Somebody reads very many people"),
}
ABOUT: dict[str, LazyString] = {
    "not_arrived": lazy("Somebody was let in and nobody has confirmed their arrival in time. The town is told."),
    "impossible_travel": lazy("One person was scanned at two checkpoints in a time in which nobody can drive there."),
    "one_phone": lazy("One phone number has declared more people on one day than a family has."),
    "plate_all_night": lazy("One plate passed the border again and again in one night."),
    "silent_checkpoint": lazy("A checkpoint scans nobody for too long in its open hours."),
    "county_doubling": lazy("Yellow people from one county are twice as many as in the hour before."),
    "unopened_inbox": lazy("Alerts stand unseen in a village for hours. The town is told, once a day."),
    "bulk_reading": lazy(
        "An account was shown, or took out, many more people than its work asks for. The auditor alone is told."
    ),
}
LIMITS: dict[tuple[str, str], LazyString] = {
    ("not_arrived", "hours"): lazy("Hours from the barrier to the door"),
    ("impossible_travel", "minutes"): lazy("Minutes between the two scans"),
    ("one_phone", "people"): lazy("More people than this on one day"),
    ("plate_all_night", "times"): lazy("Passages in one night"),
    ("plate_all_night", "from_hour"): lazy("The night begins at (hour)"),
    ("plate_all_night", "to_hour"): lazy("The night ends at (hour)"),
    ("silent_checkpoint", "minutes"): lazy("Minutes without a scan"),
    ("silent_checkpoint", "from_hour"): lazy("Open from (hour)"),
    ("silent_checkpoint", "to_hour"): lazy("Open until (hour)"),
    ("county_doubling", "times"): lazy("Times as many as the hour before"),
    ("county_doubling", "least"): lazy("At least so many people in the hour"),
    ("unopened_inbox", "hours"): lazy("Hours unseen"),
    ("unopened_inbox", "least"): lazy("At least so many alerts"),
    ("bulk_reading", "village"): lazy("People in an hour, village or community"),
    ("bulk_reading", "town"): lazy("People in an hour, town or street"),
    ("bulk_reading", "command"): lazy("People in an hour, command"),
    ("bulk_reading", "integration"): lazy("People in an hour, connected system"),
    ("bulk_reading", "day_times"): lazy("In a day, so many times the hour"),
    ("bulk_reading", "exports"): lazy("Files in an hour"),
}


def _when(raw: object) -> str:
    try:
        return str(format_datetime(datetime.fromisoformat(str(raw)), _("d MMM HH:mm")))
    except ValueError:
        return str(raw)


def explain(rule: str, params: Mapping[str, Any]) -> list[str]:
    """What was found, in one sentence of the reader's language."""
    values = {
        **params,
        "entered": _when(params.get("entered_at", "")),
        "start": _when(params.get("since", "")),
        "place": place_name(str(params.get("village") or params.get("county") or "")),
    }
    sentences = {
        "not_arrived": lambda: _(
            "Let in at %(entered)s; no arrival confirmed in %(place)s after %(hours)s h", **values
        ),
        "impossible_travel": lambda: _("Scanned at %(one)s and at %(two)s within %(minutes)s min", **values),
        "one_phone": lambda: _("One phone declared %(people)s people on %(day)s (limit %(limit)s)", **values),
        "plate_all_night": lambda: _(
            "One plate passed %(times)s times in the night of %(night)s (limit %(limit)s)", **values
        ),
        "silent_checkpoint": lambda: _(
            "%(checkpoint)s has scanned nobody since %(start)s (limit %(minutes)s min)", **values
        ),
        "county_doubling": lambda: _(
            "%(place)s: %(number)s yellow people in an hour, %(before)s in the hour before", **values
        ),
        "unopened_inbox": lambda: _(
            "%(place)s: %(number)s alerts that nobody had looked at after %(hours)s h", **values
        ),
    }
    reading = {
        "hour": lambda: _("%(number)s people shown within an hour (limit %(limit)s)", **values),
        "day": lambda: _("%(number)s people shown within a day (limit %(limit)s)", **values),
        "exports": lambda: _("%(number)s files with people taken out within an hour (limit %(limit)s)", **values),
        "refused": lambda: _("Data of %(number)s people opened within an hour; more was refused", **values),
    }
    make = reading.get(str(params.get("what"))) if rule == "bulk_reading" else sentences.get(rule)
    return [make()] if make is not None else []
