"""What something sealed is opened for, and what was opened, in the reader's language."""

from flask_babel.speaklater import LazyString

from checkpoint.accounts.models import Role
from checkpoint.disclosure.purposes import PURPOSES
from checkpoint.web.filters import role_word
from checkpoint.words import _, lazy

WORDS: dict[str, LazyString] = {
    "call": lazy("To call them"),
    "visit": lazy("To visit them"),
    "identify": lazy("To check who they are"),
    "transfer": lazy("To hand them over to another place"),
    "request": lazy("To answer those who asked"),
    "review": lazy("To compare the two"),
    "mend": lazy("To mend the declaration"),
}
FIELDS: dict[str, LazyString] = {
    "name": lazy("Name"),
    "phone": lazy("Phone"),
    "address": lazy("Address"),
    "id_number": lazy("Document"),
    "plate": lazy("Number plate"),
    "picture": lazy("Picture"),
}


def choices_of(object_type: str) -> list[tuple[str, str]]:
    """The purposes for which something of a kind may be opened, for a form."""
    return [(one, str(WORDS[one])) for one in PURPOSES[object_type]]


def purpose_word(purpose: str) -> str:
    """What a stored purpose is called; itself where a later version wrote it."""
    return str(WORDS.get(purpose, purpose))


def purpose_code(written: str) -> str:
    """The code of a purpose that somebody names as it is called; what they wrote where there is none of that name."""
    asked = written.casefold()
    return next((code for code, word in WORDS.items() if asked and asked in str(word).casefold()), written)


def office_word(role: str, place: str) -> str:
    """Whose office somebody works in: their role and where, never their name."""
    word = role_word(role) if role in set(Role) else str(_("a connected system"))
    return f"{word} · {place}" if place else word
