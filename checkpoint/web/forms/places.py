"""A place field of a form: what was typed, what was chosen, and what to ask back when the words are not clear.

A place arrives under five names: `X_text` (the words), `X_code` (chosen in the picker), `X_was` (the code and words that the
page was sent out with), `X_pick` (the answer to a question) and `X_asked` (the words that the question was about).
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from checkpoint.regions import RegionIndex
from checkpoint.regions.models import contains
from checkpoint.regions.service import resolve

COUNTY, TOWN = 3, 4
NONE_OF_THESE = "none"
MAX_CANDIDATES = 8
_CODE = re.compile(r"\d{12}")
_MAX_WORDS = 200


class Doubt(enum.StrEnum):
    """Why a place is asked back."""

    WHICH = "which"  # several places have this name
    CONFLICT = "conflict"  # the words name two places that do not fit together
    WIDE = "wide"  # a province or a city is too much to be judged
    UNKNOWN = "unknown"  # nothing like it in the register
    TOWN = "town"  # the destination must be a town or a village


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask beside a place: the candidates as (code, full name), and whether "none of these" may be answered."""

    doubt: Doubt
    candidates: tuple[tuple[str, str], ...] = ()
    may_be_none: bool = True


@dataclass(slots=True)
class PlaceField:
    """One place of the form. `code` is empty until something was chosen; `agreed` when the same words were asked before."""

    text: str = ""
    code: str = ""
    pick: str = ""
    agreed: bool = False

    @classmethod
    def read(cls, form: Mapping[str, str], name: str) -> "PlaceField":
        """The place that a request carries under `name`.

        Without scripts a code that was sent out with the page comes back even if the words were changed: it is dropped then.
        """
        text = form.get(f"{name}_text", "").strip()[:_MAX_WORDS]
        code = form.get(f"{name}_code", "").strip()
        code_was, _blank, text_was = form.get(f"{name}_was", "").partition(" ")
        if not _CODE.fullmatch(code) or (code == code_was and text != text_was):
            code = ""
        agreed = bool(text) and form.get(f"{name}_asked", "") == text
        pick = form.get(f"{name}_pick", "") if agreed else ""
        if not code and _CODE.fullmatch(pick):
            code = pick
        return cls(text, code, pick, agreed)

    @property
    def empty(self) -> bool:
        return not self.text and not self.code

    @property
    def was(self) -> str:
        """What the page is sent out with, so that a later change of the words is seen."""
        return f"{self.code} {self.text}" if self.code else ""

    def body(self) -> dict[str, str]:
        """The place as a declaration writes it."""
        return {key: value for key, value in (("code", self.code), ("text", self.text)) if value}

    def understood(self, index: RegionIndex) -> str:
        """The official name of the chosen place where it differs from the words, else empty."""
        if not self.code or not index.exists(self.code):
            return ""
        full = index.full_name(self.code)
        return "" if full == self.text else full


def settle(place: PlaceField, index: RegionIndex) -> Question | None:
    """Find the division of an origin or a stay written in words: sets its code, or says what to ask before it is stored.

    A place that nobody knows may be sent after it was asked about once: it is stored as unresolved, which is never green.
    """
    if place.code or not place.text:
        return None
    found = resolve(place.text)
    if found.candidates:
        if place.pick == NONE_OF_THESE:
            return None
        return Question(Doubt.CONFLICT if found.conflict else Doubt.WHICH, _named(found.candidates, index))
    if found.code and not found.conflict and (index.level(found.code) >= COUNTY or not index.children(found.code)):
        place.code = found.code
        return None
    if place.agreed:
        return None
    if found.conflict:
        return Question(Doubt.CONFLICT)
    return Question(Doubt.WIDE if found.code else Doubt.UNKNOWN)


def settle_destination(place: PlaceField, site: str, index: RegionIndex) -> tuple[str, Question | None]:
    """Find the town or village of a destination written in words: sets its code, or says what to ask.

    Returns the words behind the division (road, house), which belong to the address.
    """
    if place.code or not place.text:
        return "", None
    found = resolve(place.text, site)
    inside = tuple(code for code in found.candidates if contains(site, code) and index.level(code) >= TOWN)
    if inside:
        return "", Question(Doubt.WHICH, _named(inside, index), may_be_none=False)
    if found.code is None or found.conflict or not contains(site, found.code) or index.level(found.code) < TOWN:
        towns = (
            tuple((code, index.full_name(code)) for code, _name in index.children(site)) if index.exists(site) else ()
        )
        return "", Question(Doubt.TOWN, towns, may_be_none=False)
    place.code = found.code
    return found.rest.strip(" ,，。.;；、"), None


def _named(codes: tuple[str, ...], index: RegionIndex) -> tuple[tuple[str, str], ...]:
    return tuple((code, index.full_name(code)) for code in codes[:MAX_CANDIDATES])
