"""The words of the pages of inquiry lists."""

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

STATES: dict[str, LazyString] = {
    "draft": _l("Columns to be confirmed"),
    "waiting": _l("About to be read"),
    "matching": _l("Being read"),
    "in_force": _l("In force"),
    "failed": _l("Cannot be read"),
    "expired": _l("Expired"),
    "withdrawn": _l("Taken back"),
}
COLUMNS: dict[str, LazyString] = {
    "name": _l("Name"),
    "document": _l("Document"),
    "phone": _l("Phone"),
    "born": _l("Birth date"),
    "plate": _l("Plate"),
}
OUTCOMES: dict[str, LazyString] = {"alert": _l("Alert"), "review": _l("To be reviewed")}
DECIDED: dict[str, LazyString] = {
    "same": _l("Confirmed by a reviewer"),
    "other": _l("Not the same person"),
}
RULES: dict[str, LazyString] = {
    "whole_document": _l("The same document"),
    "sole_holder": _l("The only holder of the phone number"),
    "shared_phone": _l("One of several holders of the phone number"),
    "slip_alone": _l("A document one slip away, and nothing else"),
    "short_document_needs_name": _l("An old document of 15 digits without a fitting name"),
    "twin_of_like_name": _l("Perhaps a twin: the same phone number and birth date, nearly the same name"),
    "phone_and_birth_date": _l("The same phone number and birth date"),
    "rare_name_and_birth_date": _l("A rare name and the same birth date"),
    "name_birth_date_and_county": _l("The same name, birth date and county, and nothing else"),
    "another_document": _l("A like name with another document number"),
    "reviewed": _l("Confirmed by a reviewer"),
}
