"""A division chosen in a form's picker, or typed where no script runs."""

import re

from flask import request
from flask_babel import gettext as _

from checkpoint.errors import FieldError, InvalidInput
from checkpoint.regions import queries as divisions
from checkpoint.regions import service as regions


def chosen_division() -> str:
    """The division of the form: chosen in the picker, or typed as a code or as words that name exactly one place."""
    chosen = request.form.get("division_code", "").strip()
    typed = request.form.get("division_text", "").strip()
    if re.fullmatch(r"\d{12}", chosen):
        return chosen
    if re.fullmatch(r"\d{12}", typed):
        return typed
    resolution = regions.resolve(typed[:200]) if typed else None
    if resolution is None:
        message = _("Choose a place.")
    elif resolution.code is not None and not resolution.conflict:
        return resolution.code
    elif resolution.candidates:
        names = divisions.full_names(resolution.candidates[:3])
        message = _("Several places fit: %(names)s. Write more of the name.", names=_("; ").join(names.values()))
    else:
        message = _("No place of this name was found.")
    raise InvalidInput([FieldError("division", "unknown", message)])
