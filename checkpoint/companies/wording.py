"""What a liaison reads of a member, and what is wrong with a row of a staff list, in the reader's language. Never a reason."""

from collections.abc import Iterable, Iterator, Mapping

from flask_babel.speaklater import LazyString

from checkpoint.companies.models import MemberKind, Standing
from checkpoint.inquiries.wording import harmless
from checkpoint.words import _, lazy

STANDINGS: dict[str, LazyString] = {
    Standing.ABSENT.value: lazy("not registered"),
    Standing.MAY_COME.value: lazy("may come"),
    Standing.NEEDS_TEST.value: lazy("needs a test first"),
    Standing.MAY_NOT_COME.value: lazy("may not come for now"),
}
ADVICE: dict[str, LazyString] = {
    Standing.ABSENT.value: lazy("Ask them to register on the public page before they come."),
    Standing.MAY_COME.value: lazy("Nothing to do."),
    Standing.NEEDS_TEST.value: lazy("By the rules in force a test comes first. Their community arranges it."),
    Standing.MAY_NOT_COME.value: lazy("By the rules in force they stay away for now. Please contact their community."),
}
BAD_ROWS: dict[str, LazyString] = {
    "name_unreadable": lazy("the name is missing or cannot be read"),
    "document_unreadable": lazy("the document number cannot be read"),
    "phone_unreadable": lazy("the phone number cannot be read"),
    "plate_unreadable": lazy("the number plate cannot be read"),
    "nothing_to_match": lazy("neither a document number nor a number plate"),
    "too_long": lazy("a cell is too long"),
}


def notice_text(kind: str, label: str, standing: str) -> str:
    """One notice in a sentence; `label` is the masked name or plate."""
    is_lorry = kind == MemberKind.LORRY.value
    if standing == Standing.MAY_NOT_COME.value:
        if is_lorry:
            return _("Lorry %(plate)s may not come for now, please contact the community", plate=label)
        return _("Employee %(name)s may not come for now, please contact the community", name=label)
    if standing == Standing.NEEDS_TEST.value:
        if is_lorry:
            return _("Lorry %(plate)s may come after a test of its driver", plate=label)
        return _("Employee %(name)s may come after a test", name=label)
    if is_lorry:
        return _("Lorry %(plate)s may come again", plate=label)
    return _("Employee %(name)s may come again", name=label)


def bad_row_text(cause: str) -> str:
    """What is wrong with a row."""
    return str(BAD_ROWS.get(cause, cause))


def bad_row_lines(rows: Iterable[Mapping[str, str]]) -> Iterator[list[str]]:
    """The wrong rows as lines of a table, numbered as in the file; no cell begins as a formula would."""
    yield [_("Row"), _("What is wrong"), _("Name"), _("Document"), _("Phone"), _("Plate")]
    for row in rows:
        cells = (row["name"], row["document"], row["phone"], row["plate"])
        yield [row["row"], bad_row_text(row["cause"]), *map(harmless, cells)]
