"""Translation with types: `_` for a sentence in the reader's language, `lazy` for one that is decided when it is shown."""

import flask_babel
from flask_babel import lazy_gettext as lazy

__all__ = ["_", "lazy", "plural"]


def _(text: str, **variables: object) -> str:
    """The sentence in the reader's language, its `%(name)s` filled in."""
    return str(flask_babel.gettext(text, **variables))


def plural(one: str, many: str, number: int) -> str:
    """The form of a sentence that fits `number`, which stands in it as `%(num)s`."""
    return str(flask_babel.ngettext(one, many, number))
