"""What the fields of the control policy are called, in which unit they count, and what their values say.

A test names every field that has no words here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel.speaklater import LazyString

from checkpoint.alerts.kinds import LABELS as ALERTS
from checkpoint.risk.policy import APPROVAL_LONGEST_DAYS, APPROVAL_STAGES, UNMASKINGS_PER_HOUR, default_policy
from checkpoint.risk.policy_form import Change, Group, Leaf, Part, Rows
from checkpoint.risk.wording import MEASURES, measure_text
from checkpoint.web.filters import TIERS
from checkpoint.web.retention_words import KINDS as RETENTION
from checkpoint.words import _, lazy

SECTIONS: tuple[tuple[str, LazyString, tuple[str, ...]], ...] = (
    ("colours", lazy("Points and colours"), ("points", "red_from", "yellow_from")),
    (
        "times",
        lazy("Days, hours and tests"),
        (
            "days_before_listing",
            "undated_origin_days",
            "list_stale_hours",
            "snapshot_stale_hours",
            "negative_test_hours",
            "antigen_minutes",
            "arrival_hours",
            "pass_valid_days",
        ),
    ),
    ("measures", lazy("Measures"), ("measures",)),
    ("deadlines", lazy("Deadlines of alerts"), ("deadlines", "kind_deadlines")),
    (
        "approvals",
        lazy("Applications to enter"),
        ("approval_stages", "approval_longest_days", "approval_command_for_red", "commuter_follow_ups"),
    ),
    ("companies", lazy("Staff lists of companies"), ("staff_lists",)),
    ("privacy", lazy("Personal data"), ("retention", "unmaskings_per_hour")),
)
"""Name, heading and fields of each part of the page; what no part names stands in one of its own at the end."""

RULES: dict[str, LazyString] = {
    "positive_test": lazy("Positive test"),
    "high_area": lazy("Stayed in a high-risk area itself"),
    "high_town": lazy("Stayed in a town with a high-risk area"),
    "high_county": lazy("Stayed in a county with a high-risk area"),
    "middle_area": lazy("Stayed in a medium-risk area itself"),
    "middle_town": lazy("Stayed in a town with a medium-risk area"),
    "middle_county": lazy("Stayed in a county with a medium-risk area"),
    "low_county": lazy("Stayed in a county with a low-risk area"),
    "symptoms": lazy("Symptoms"),
    "place_unresolved": lazy("A place could not be found"),
    "list_missing": lazy("No risk list in force"),
    "list_stale": lazy("The risk list is too old"),
    "other_province": lazy("Comes from another province"),
}
STAGES: dict[str, LazyString] = {
    "village": lazy("Village or community"),
    "town": lazy("Town or street"),
    "command": lazy("City command"),
}
APPLICATIONS: dict[str, LazyString] = {
    "person": lazy("A person"),
    "staff": lazy("Staff of a company"),
    "lorry": lazy("A lorry from point to point"),
    "commuter": lazy("A commuter"),
    "company": lazy("Return to work of a company"),
}
LABELS: dict[str, LazyString] = {
    "points": lazy("Points of each rule; the strongest one counts"),
    "red_from": lazy("Red from"),
    "yellow_from": lazy("Yellow from"),
    "days_before_listing": lazy("A stay counts from so many days before the place was listed"),
    "undated_origin_days": lazy("Somebody who gives no dates was at the origin for"),
    "list_stale_hours": lazy("A risk list is too old after"),
    "snapshot_stale_hours": lazy("What a tablet knows off line is too old after"),
    "negative_test_hours": lazy("A negative test counts for"),
    "antigen_minutes": lazy("An antigen test on the spot takes"),
    "arrival_hours": lazy("From the barrier to the door within"),
    "pass_valid_days": lazy("A pass is valid after the day of arrival for"),
    "measures": lazy("Measures; the first one that applies is taken"),
    "measures.tier": lazy("For everybody who is"),
    "measures.any_rule": lazy("or for whom one of these rules counts"),
    "measures.kind": lazy("Measure"),
    "measures.days": lazy("For how long"),
    "measures.within_hours": lazy("First test within"),
    "measures.test_days": lazy("Tests on these days (1 is the day after arrival)"),
    "deadlines": lazy("By colour"),
    "kind_deadlines": lazy("By kind of alert, where the colour's do not fit"),
    "kind_deadlines.key": lazy("Kind of alert"),
    "*.acknowledge_minutes": lazy("Acknowledge within"),
    "*.resolve_minutes": lazy("Deal with it within"),
    "approval_stages": lazy("Who answers an application, the nearest first"),
    "approval_longest_days": lazy("Granted for so long at most"),
    "approval_command_for_red": lazy("Command answers as well whatever lets red people in"),
    "commuter_follow_ups": lazy("Commuters are visited and tested like anybody else"),
    "staff_lists": lazy("How many may be put on a list"),
    "staff_lists.per_day": lazy("In a day"),
    "staff_lists.first_days": lazy("A company is new for"),
    "staff_lists.first_per_day": lazy("In a day, while it is new"),
    "staff_lists.taken_off_same_day": lazy("Put on and taken off on one day before command is told"),
    "retention": lazy("How long personal data is kept"),
    "unmaskings_per_hour": lazy("Of how many people somebody may open names and numbers in an hour"),
    **{f"points.{rule}": label for rule, label in RULES.items()},
    **{f"deadlines.{tier}": label for tier, label in TIERS.items()},
    **{
        f"{name}.{kind}": label
        for name in ("approval_stages", "approval_longest_days")
        for kind, label in APPLICATIONS.items()
    },
    **{f"unmaskings_per_hour.{stage}": label for stage, label in STAGES.items()},
    **{f"retention.{kind}": label for kind, label in RETENTION.items()},
}
_UNITS: dict[str, LazyString] = {
    "points": lazy("points"),
    "days": lazy("days"),
    "hours": lazy("hours"),
    "minutes": lazy("minutes"),
    "people": lazy("people"),
}
_UNIT_OF = {
    "points": "points",
    "red_from": "points",
    "yellow_from": "points",
    "measures.days": "days",
    "staff_lists": "people",
    "staff_lists.first_days": "days",
    "unmaskings_per_hour": "people",
    "retention": "days",
    "approval_longest_days": "days",
    "days_before_listing": "days",
}
_SHIPPED: dict[str, Mapping[Any, Any]] = {
    "approval_stages": APPROVAL_STAGES,
    "approval_longest_days": APPROVAL_LONGEST_DAYS,
    "unmaskings_per_hour": UNMASKINGS_PER_HOUR,
}
PROBLEMS: dict[str, LazyString] = {
    "missing": lazy("Please fill this in."),
    "order": lazy("Red must begin above yellow."),
    "hasty": lazy("The result cannot be due before the acknowledgement."),
    "for_nobody": lazy("Say for whom: a colour, or one rule at least."),
    "twice": lazy("This one stands in another row already."),
    "unknown": lazy("One of these rules is not known."),
    "literal_error": lazy("Please choose one."),
    "enum": lazy("Please choose one."),
    "too_short": lazy("Choose one at least."),
    "extra_forbidden": lazy("This field is not known."),
    "json_invalid": lazy("This is not JSON."),
}
_NUMBERS = frozenset({"int_parsing", "int_type", "int_from_float", "int_parsing_size"})
_BOUNDS = frozenset({"range", "greater_than_equal", "less_than_equal"})


def label_of(path: str) -> LazyString | None:
    """What a field is called; None for one that nobody has given words yet."""
    return LABELS.get(path) or LABELS.get("*." + path.rpartition(".")[2])


def label(path: str) -> str:
    """The same, with the bare name of a field that has no words yet: it can be set before somebody has found a sentence."""
    return str(label_of(path) or path.rpartition(".")[2])


def unit(path: str) -> str:
    """In what a number counts, empty where the label says it."""
    last = path.rpartition("_")[2]
    name = _UNIT_OF.get(path) or _UNIT_OF.get(path.rpartition(".")[0]) or (last if last in _UNITS else "")
    return str(_UNITS[name]) if name else ""


def bounds(leaf: Leaf) -> str:
    """From where to where a number may go."""
    if leaf.low is not None and leaf.high is not None:
        return _("%(low)s to %(high)s", low=leaf.low, high=leaf.high)
    return "" if leaf.low is None else _("%(low)s or more", low=leaf.low)


def options(leaf: Leaf) -> list[tuple[str, str]]:
    """What can be chosen, in words."""
    if leaf.path == "measures.any_rule":
        return [(rule, str(RULES.get(rule, rule))) for rule in default_policy().points]
    if leaf.path == "kind_deadlines.key":
        return sorted(((name, str(words)) for name, words in ALERTS.items()), key=lambda one: one[1])
    words = {"measures.tier": TIERS, "measures.kind": MEASURES}.get(leaf.path, STAGES)
    return [(value, str(words.get(value, value))) for value in leaf.options]


def shipped(path: str) -> Any:
    """What holds where a field is left empty; None where it may not be."""
    name, _dot, key = path.partition(".")
    return _SHIPPED.get(name, {}).get(key)


def value_text(part: Part, value: Any, path: str = "") -> str:
    """A value as people read it."""
    if isinstance(part, Rows):
        return _row_text(part, value)
    if isinstance(part, Group):
        if not value:
            return "–"
        return "; ".join(f"{label(one.path)}: {value_text(one, value.get(one.name))}" for one in part.parts)
    if value is None or (value == [] and part.kind == "many"):
        held = shipped(part.path)
        return _("as shipped: %(value)s", value=value_text(part, _plain(held))) if held is not None else "–"
    if part.kind == "flag":
        return _("yes") if value else _("no")
    if part.kind in ("choice", "many"):
        known = dict(options(part))
        given = value if isinstance(value, list) else [value]
        return _(", ").join(known.get(one, str(one)) for one in given)
    if part.kind == "numbers":
        return _(", ").join(str(one) for one in value) or "–"
    return " ".join(filter(None, (str(value), unit(part.path))))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _row_text(part: Rows, row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    if part.path == "measures":
        rules = _(", ").join(str(RULES.get(rule, rule)) for rule in row.get("any_rule") or ())
        who = str(TIERS[row["tier"]]) if row.get("tier") else rules
        return f"{who} → {measure_text(row)}"
    return "; ".join(
        f"{label(one.path)}: {value_text(one, row[one.name])}"
        for one in part.row.parts
        if row.get(one.name) is not None
    )


def change_text(change: Change) -> tuple[str, str, str]:
    """What would change: the field, its value before and after."""
    words = [label(".".join(change.names[: depth + 1])) for depth in range(len(change.names))]
    if change.number is not None:
        words.append(_("row %(number)s", number=change.number))
    before, after = (value_text(change.part, one) for one in (change.before, change.after))
    return " · ".join(words), before, after


def problem_text(leaf: Leaf | None, code: str) -> str:
    """What is wrong with a field, in a sentence."""
    if code in _NUMBERS:
        return _("Please write a whole number.")
    if code in _BOUNDS and leaf is not None:
        return _("Please write a number: %(bounds)s.", bounds=bounds(leaf))
    if code in _BOUNDS:
        return _("This number is too small or too large.")
    return str(PROBLEMS.get(code, _("This cannot be read.")))


def sections(parts: Sequence[Part]) -> list[tuple[str, str, list[Part]]]:
    """The parts of the page with their fields; a field that no part names stands at the end."""
    known = {part.name: part for part in parts}
    found = [
        (name, str(heading), [known.pop(field) for field in fields if field in known])
        for name, heading, fields in SECTIONS
    ]
    return [*found, ("more", _("Further settings"), list(known.values()))] if known else found
