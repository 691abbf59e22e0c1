"""Whether a listed person and a registered one are the same: levels of agreement, weighed, and rules on top. Pure.

Each field agrees at a level (names.py, documents.py). Every level has a weight, the natural logarithm of how much more likely it is
to be seen of the same person than of two (Fellegi and Sunter 1969), learned from labelled pairs (learning.py) and kept in weights.json;
a name weighs more the rarer it is. The sum becomes a probability. Rules of the field stand above it:

- a whole valid document always alerts; two valid documents that differ, or birth dates that differ, are two people;
- a phone alone alerts only if one registered person holds it; name with birth date alone never alerts, nor with the county besides,
  nor with a document that is another one;
- an old number of 15 digits has no check digit and needs the name;
- same phone and plate with another name is a household, same phone and birth date with another name a twin; where several hold the
  phone, also with a name that only sounds nearly the same: a person looks.
"""

import enum
import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import exp
from pathlib import Path

from checkpoint.inquiries.documents import (
    Agreement,
    Document,
    DocumentLevel,
    compare_documents,
    compare_phones,
    compare_plates,
    read_document,
    read_phone,
    read_plate,
)
from checkpoint.inquiries.names import LIKE, Name, NameLevel, compare_names, read_name

ALERT_FROM = 0.90
REVIEW_FROM = 0.30
CERTAIN = 0.999
_BELOW_ALERT = 0.89
# What became of pairs that a rule decides, by the labelled set: hardly any are the same.
_HOUSEHOLD, _NAME_ALONE, _RARE_NAME_AND_BIRTH = 0.01, 0.02, 0.35
_RARE = 6.0  # powers of ten: nobody else of the name is to be expected in a city
_UNLIKE = frozenset({NameLevel.DIFFERENT, NameLevel.SURNAME, NameLevel.OTHER_CHARACTER})
_SILENT = frozenset({DocumentLevel.MISSING, DocumentLevel.UNRELATED, DocumentLevel.MASKED_PLACE})
_ANOTHER = frozenset({DocumentLevel.DIFFERENT_OTHER, DocumentLevel.DIFFERENT_WRONG})


class Outcome(enum.StrEnum):
    """What a pair calls for: an alert to the village, a look by a reviewer, or nothing."""

    ALERT = "alert"
    REVIEW = "review"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of somebody, made ready. Any part may be None; `born` is what was given besides the document."""

    name: Name | None = None
    document: Document | None = None
    phone: str | None = None
    born: date | None = None
    plate: str | None = None

    @property
    def birth_date(self) -> date | None:
        return self.born or (self.document.born if self.document else None)


def read_person(
    name: str = "", document: str = "", phone: str = "", born: date | None = None, plate: str = ""
) -> Person:
    """A person from texts as they were typed; empty texts say nothing."""
    return Person(read_name(name), read_document(document), read_phone(phone), born, read_plate(plate))


@dataclass(frozen=True, slots=True)
class Levels:
    """How each field agrees; `rarity` is that of the listed name."""

    name: NameLevel
    document: DocumentLevel
    phone: Agreement
    birth: Agreement
    plate: Agreement
    rarity: float

    def features(self) -> dict[str, float]:
        """What the weights apply to; a field that is missing has none."""
        found = {
            f"{field}:{level}": 1.0
            for field, level in (
                ("name", self.name),
                ("document", self.document),
                ("phone", self.phone),
                ("birth", self.birth),
                ("plate", self.plate),
            )
            if level not in ("missing", "unrelated", "masked_place")
        }
        if self.name in LIKE:
            found["rarity"] = self.rarity - 4.0
        return found


@dataclass(frozen=True, slots=True)
class Evidence:
    """The answer for a pair: a calibrated probability, what to do, the levels, each feature's weight, and the rule that decided."""

    score: float
    outcome: Outcome
    levels: Levels
    weights: tuple[tuple[str, float], ...]
    rule: str | None


def compare(listed: Person, registered: Person) -> Levels:
    """How two people agree. A birth date that stands in two documents which are compared anyway is not counted twice."""
    document = compare_documents(listed.document, registered.document)
    return Levels(
        name=compare_names(listed.name, registered.name),
        document=document,
        phone=compare_phones(listed.phone, registered.phone),
        birth=_births(listed, registered, document),
        plate=compare_plates(listed.plate, registered.plate),
        rarity=listed.name.rarity if listed.name else 4.0,
    )


def _births(listed: Person, registered: Person, document: DocumentLevel) -> Agreement:
    told = listed.born, registered.born
    if document not in (*_SILENT, DocumentLevel.DIFFERENT_OTHER) and None in told:
        return Agreement.MISSING
    one, other = listed.birth_date, registered.birth_date
    if one is None or other is None:
        return Agreement.MISSING
    return Agreement.SAME if one == other else Agreement.DIFFERENT


@cache
def learned() -> dict[str, float]:
    """Weight of each feature, and `bias`."""
    table: dict[str, float] = json.loads((Path(__file__).parent / "weights.json").read_text())
    return table


def probability(features: dict[str, float], weights: dict[str, float]) -> float:
    """The logistic of the weighted sum."""
    total = weights["bias"] + sum(weights.get(name, 0.0) * value for name, value in features.items())
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, total))))


def weigh(levels: Levels, holders: int = 1) -> Evidence:
    """Score the agreement of a pair. `holders` is how many registered people hold the listed phone."""
    features, weights = levels.features(), learned()
    score = probability(features, weights)
    rule = None
    applying = rules(levels, holders)
    if applying:
        rule, low, high = applying[0]
        score = min(max(score, low), high)
    outcome = Outcome.ALERT if score >= ALERT_FROM else Outcome.REVIEW if score >= REVIEW_FROM else Outcome.NOTHING
    parts = tuple(
        sorted(
            ((key, weights.get(key, 0.0) * value) for key, value in features.items()), key=lambda part: -abs(part[1])
        )
    )
    return Evidence(score, outcome, levels, parts, rule)


def rules(levels: Levels, holders: int) -> list[tuple[str, float, float]]:
    """(rule, lowest, highest score) of the rules that apply, the strongest first."""
    name, document, phone = levels.name, levels.document, levels.phone
    found: list[tuple[str, float, float]] = []
    if document is DocumentLevel.SAME:
        return [("whole_document", CERTAIN, 1.0)]
    if document is DocumentLevel.CONTRADICTS:
        return [("other_document", 0.0, 0.0)]
    if levels.birth is Agreement.DIFFERENT:
        return [("other_birth_date", 0.0, 0.0)]
    if document is DocumentLevel.SAME_15 and name not in LIKE:
        found.append(("short_document_needs_name", 0.0, _BELOW_ALERT if name is NameLevel.MISSING else _HOUSEHOLD))
    if document is DocumentLevel.ONE_WRONG and name is NameLevel.MISSING and phone is not Agreement.SAME:
        found.append(("slip_alone", REVIEW_FROM, _BELOW_ALERT))  # a neighbour's number is one slip away too
    silent = document in _SILENT
    if phone is Agreement.SAME and silent:
        found.extend(_by_phone(levels, holders))
    if (
        (silent or document in _ANOTHER)
        and phone not in (Agreement.SAME, Agreement.ONE_WRONG, Agreement.FITS)
        and levels.plate is not Agreement.SAME
    ):
        found.append(_by_name(levels))
    return found


def _by_name(levels: Levels) -> tuple[str, float, float]:
    like = levels.name in LIKE
    born = levels.birth is Agreement.SAME and like
    if like and levels.document is DocumentLevel.MASKED_PLACE:
        return ("name_birth_date_and_county", REVIEW_FROM, _BELOW_ALERT)
    if levels.document is DocumentLevel.DIFFERENT_WRONG or (born and levels.document is DocumentLevel.DIFFERENT_OTHER):
        return ("another_document", 0.0, _BELOW_ALERT)  # two slips, or a passport renewed: a person looks
    if born and levels.rarity >= _RARE:
        return ("rare_name_and_birth_date", _RARE_NAME_AND_BIRTH, _RARE_NAME_AND_BIRTH)
    return ("name_and_birth_date" if born else "name_alone", 0.0, _NAME_ALONE)


def _by_phone(levels: Levels, holders: int) -> list[tuple[str, float, float]]:
    if levels.name in _UNLIKE:
        return [("household", 0.0, _HOUSEHOLD)]
    if levels.name is NameLevel.NEAR_SOUND and levels.birth is Agreement.SAME and holders > 1:
        return [("twin_of_like_name", REVIEW_FROM, _BELOW_ALERT)]  # parents like names that sound alike
    if levels.name is not NameLevel.MISSING:
        return []
    if levels.birth is Agreement.SAME:
        return [("phone_and_birth_date", CERTAIN if holders == 1 else 0.0, 1.0 if holders == 1 else _BELOW_ALERT)]
    return [("sole_holder", 0.97, 1.0)] if holders == 1 else [("shared_phone", REVIEW_FROM, _BELOW_ALERT)]


def judge(listed: Person, registered: Person, holders: int = 1) -> Evidence:
    """Compare and weigh."""
    return weigh(compare(listed, registered), holders)
