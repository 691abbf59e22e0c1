"""The choices of the traveller's form in the reader's language: (value, label) in the order they are shown."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from checkpoint.registrations.problems import field_error
from checkpoint.risk.wording import SYMPTOMS as SYMPTOM_WORDS

Choices = tuple[tuple[str, LazyString], ...]

ID_TYPES: Choices = (
    ("resident_id", _l("Resident ID card")),
    ("passport", _l("Passport")),
    ("hk_macau_permit", _l("Permit for Hong Kong and Macau residents")),
    ("taiwan_permit", _l("Permit for Taiwan residents")),
    ("foreign_permit", _l("Foreigner's permanent residence card")),
)
TRANSPORTS: Choices = (
    ("car", _l("Car")),
    ("coach", _l("Bus or coach")),
    ("lorry", _l("Lorry")),
    ("train", _l("Train")),
    ("ship", _l("Ship")),
    ("walk", _l("On foot or by bicycle")),
    ("other", _l("Another way")),
)
SYMPTOMS: Choices = tuple(SYMPTOM_WORDS.items())
TEST_KINDS: Choices = (("pcr", _l("PCR test")), ("antigen", _l("Antigen test")))
TEST_RESULTS: Choices = (("negative", _l("Negative")), ("positive", _l("Positive")))
WITH_PLATE = frozenset({"car", "coach", "lorry", "other"})


def field_label(name: str) -> str:
    """What a field is called in the error summary: `companions.1.phone` is Companion 2, mobile phone."""
    group, _dot, rest = name.partition(".")
    number, _dot, leaf = rest.partition(".")
    if not number.isdigit():
        return str(_LABELS.get(name, ""))
    row = {
        "stays": _("Place %(number)d", number=int(number) + 1),
        "companions": _("Companion %(number)d", number=int(number) + 1),
        "tests": _("Test %(number)d", number=int(number) + 1),
    }.get(group, "")
    return f"{row} · {_LABELS[leaf]}" if leaf in _LABELS else row


_LABELS: dict[str, LazyString] = {
    "name": _l("Name"),
    "id_type": _l("Kind of document"),
    "id_number": _l("Document number"),
    "phone": _l("Mobile phone"),
    "origin": _l("Where you set out from"),
    "stays": _l("Other places"),
    "from": _l("First day"),
    "to": _l("Last day"),
    "destination": _l("Where you are going"),
    "destination.address": _l("Street, house, room"),
    "arriving_on": _l("Day of arrival"),
    "transport": _l("How you travel"),
    "plate": _l("Number plate"),
    "companions": _l("Companions"),
    "symptoms": _l("Symptoms"),
    "tests": _l("Tests"),
    "kind": _l("Kind of test"),
    "taken_at": _l("When the sample was taken"),
    "result": _l("Result"),
}
_CHECKED_ON_THE_PHONE = (
    "missing", "name", "phone", "check_digit", "birth_date", "document", "place", "dates", "plate", "same_person", "arrival_past",
    "arrival_far", "stay_past", "stay_after_arrival", "test_future", "test_old", "date_parsing", "destination_level",
    "unknown_division", "outside_site", "unknown_checkpoint", "other",
)  # fmt: skip


def offline_words() -> dict[str, str | dict[str, str]]:
    """What the form's scripts say with no network; `wrong` holds the sentences of the server by their codes."""
    return {
        "heading.waiting": _("No network: show this code to the officer"),
        "heading.sent": _("Your declaration has arrived"),
        "code": _("Your declaration as a code"),
        "turn": _("Code {part} of {parts}. They change by themselves: hold still until the tablet has them all."),
        "remove": _("Take this declaration off the phone? The server does not have it yet."),
        "look": _("Some fields need another look"),
        "state.waiting": _("not sent yet"),
        "state.refused": _("needs another look"),
        "state.sent": _("sent"),
        "open.waiting": _("Show my code"),
        "open.refused": _("Look at it"),
        "open.sent": _("Open my pass"),
        "wrong": {code: field_error("", code).message for code in _CHECKED_ON_THE_PHONE},
    }
