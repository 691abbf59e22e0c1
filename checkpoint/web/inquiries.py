"""City command, inquiry lists: upload, say which column is what, watch it being read, see whom it found, fetch wrong rows, take it back."""

import csv
import io
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.config import Settings
from checkpoint.errors import InvalidInput
from checkpoint.inquiries import queries, service
from checkpoint.inquiries.columns import FIELDS
from checkpoint.inquiries.models import ENDED, Inquiry, InquiryState
from checkpoint.inquiries.reading import Unreadable, shape_of
from checkpoint.inquiries.wording import bad_row_lines, unreadable_text
from checkpoint.privacy import mask_document, mask_name, mask_phone
from checkpoint.registrations import queries as registrations
from checkpoint.web.auth import current_actor, optional_actor, requires
from checkpoint.web.inbox import wants_fragment
from checkpoint.web.inbox_cards import people_of, place_names
from checkpoint.web.inbox_words import word
from checkpoint.web.inquiry_words import COLUMNS, DECIDED, OUTCOMES, RULES, STATES

blueprint = Blueprint("inquiries", __name__, url_prefix="/command/inquiries")

Answer = str | Response | BaseResponse
MAX_UPLOAD = 2 << 30
VALID_DAYS = 14
_ROWS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Column:
    """A column on screen: the value of its choice, its header or number, and what stands in it, masked."""

    value: str
    label: str
    examples: tuple[str, ...]


@blueprint.url_value_preprocessor
def _allow_large_file(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A list may be larger than any other body; nobody else's upload may."""
    if endpoint == "inquiries.upload":
        actor = optional_actor()
        if actor is not None and actor.may(Permission.LISTS_WRITE):
            request.max_content_length = MAX_UPLOAD


def _today() -> date:
    settings: Settings = current_app.extensions["settings"]
    return clock.local_date(clock.now(), settings.timezone)


@blueprint.get("", strict_slashes=False)
@requires(Permission.COMMAND_READ)
def index() -> Answer:
    """The inquiries, and the form for a new one."""
    return _index_page({}, {})


def _index_page(values: Mapping[str, str], errors: Mapping[str, str]) -> str:
    found = queries.newest()
    given = {
        "valid_from": _today().isoformat(),
        "valid_until": (_today() + timedelta(days=VALID_DAYS)).isoformat(),
        "level": "red",
        **values,
    }
    return render_template(
        "command/inquiries.html",
        inquiries=found,
        tallies=queries.tallies([one.id for one in found]),
        none=queries.Tally(),
        states=STATES,
        values=given,
        errors=errors,
        word=word,
        page="inquiries",
    )


@blueprint.post("", strict_slashes=False)
@requires(Permission.LISTS_WRITE)
def upload() -> Answer:
    """Take a file in; what is wrong with it or with what was typed is said, and nothing kept."""
    values = {name: request.form.get(name, "").strip() for name in ("source", "case", "level", "legal_basis")}
    days = {name: request.form.get(name, "") for name in ("valid_from", "valid_until")}
    file = request.files.get("file")
    if file is None or not file.filename:
        return make_response(_index_page(values | days, {"file": _("Choose a file first.")}), 422)
    try:
        details = service.Details(**values, valid_from=_day(days, "valid_from"), valid_until=_day(days, "valid_until"))
        with tempfile.TemporaryDirectory(dir=service.data_folder()) as folder:
            path = Path(folder) / "list"
            try:
                file.save(path)
            finally:
                file.close()
            inquiry = service.take_in(path, details, actor=current_actor(), at=clock.now())
    except Unreadable as error:
        return make_response(_index_page(values | days, {"file": unreadable_text(error.cause, error.data)}), 422)
    except InvalidInput as error:
        return make_response(_index_page(values | days, {one.field: _said(one.code) for one in error.errors}), 422)
    return redirect(url_for("inquiries.one", inquiry_id=inquiry.id), 303)


def _day(days: Mapping[str, str], field: str) -> date:
    try:
        return date.fromisoformat(days[field])
    except ValueError as error:
        raise InvalidInput.one(field, "date", "not a date") from error


def _said(code: str) -> str:
    words = {
        "missing": _("Please fill this in."),
        "too_long": _("This is too long."),
        "dates": _("The last day is before the first."),
        "date": _("Write a day."),
        "unknown_column": _("This column does not exist."),
        "not_enough": _("Choose a document, a phone, a plate, or a name with a birth date."),
    }
    said: str = words.get(code, _("This is not one of the choices."))
    return said


@blueprint.get("/<uuid:inquiry_id>")
@requires(Permission.COMMAND_READ)
def one(inquiry_id: uuid.UUID) -> Answer:
    """One inquiry: its columns to be confirmed, how far it is read, or whom it found; to the page's script only the progress."""
    if wants_fragment():
        part: str = render_template("command/_inquiry_progress.html", **_progress(queries.get(inquiry_id)))
        return part
    return _page(queries.get(inquiry_id), {})


def _progress(inquiry: Inquiry) -> dict[str, Any]:
    return {
        "inquiry": inquiry,
        "standing": queries.standing(inquiry.id),
        "tally": queries.tallies([inquiry.id]).get(inquiry.id, queries.Tally()),
        "states": STATES,
        "word": word,
    }


def _page(inquiry: Inquiry, errors: Mapping[str, str]) -> str:
    actor = current_actor()
    is_draft = inquiry.state == InquiryState.DRAFT.value
    found = queries.hits(actor, inquiry.id)
    people = people_of(actor, (hit.registration_id for hit in found))
    columns = _columns(inquiry) if is_draft and actor.may(Permission.LISTS_WRITE) else []
    mapped: dict[str, int] = (inquiry.mapping or {}).get("columns", {})
    whole: str = render_template(
        "command/inquiry.html",
        **_progress(inquiry),
        problem=unreadable_text(inquiry.problem, inquiry.problem_data or {}) if inquiry.problem else None,
        columns=columns,
        chosen={field: f"#{column + 1}" for field, column in mapped.items()},
        fields=[(field, COLUMNS[field]) for field in FIELDS],
        hits=found,
        masked={key: registrations.masked(traveller) for key, (_registration, traveller) in people.items()},
        places=place_names(hit.division_code for hit in found),
        rules=RULES,
        outcomes=OUTCOMES,
        decided=DECIDED,
        errors=errors,
        may_withdraw=inquiry.state not in (*ENDED, InquiryState.FAILED.value),
        has_rows=inquiry.key_sealed is not None,
        page="inquiries",
    )
    return whole


def _columns(inquiry: Inquiry) -> Sequence[Column]:
    shape = shape_of(service.table_of(inquiry))
    found = []
    for column in range(shape.width):
        cells = (row[column].strip() for row in shape.sample if len(row) > column)
        examples = tuple(_masked(cell) for cell in [cell for cell in cells if cell][:_ROWS_SHOWN])
        header = shape.header[column].strip() if shape.header and column < len(shape.header) else ""
        found.append(Column(f"#{column + 1}", header or _("Column %(number)s", number=column + 1), examples))
    return found


def _masked(cell: str) -> str:
    """A cell as an example: enough to tell what the column is, not who stands there."""
    digits = sum(ch.isdigit() for ch in cell)
    if digits >= 14:
        return mask_document(cell[:20])
    if digits >= 7:
        return mask_phone(cell[:20])
    return mask_name(cell[:20])


@blueprint.post("/<uuid:inquiry_id>/columns")
@requires(Permission.LISTS_WRITE)
def confirm(inquiry_id: uuid.UUID) -> Answer:
    """Say which column is what; the list is then read by itself."""
    columns = {field: request.form.get(field, "") for field in FIELDS}
    try:
        service.confirm(inquiry_id, columns, actor=current_actor(), at=clock.now())
    except InvalidInput as error:
        problems = {one_wrong.field: _said(one_wrong.code) for one_wrong in error.errors}
        return make_response(_page(queries.get(inquiry_id), problems), 422)
    flash(_("The list is being read. Whom it names is told to their village at once."), "success")
    return redirect(url_for("inquiries.one", inquiry_id=inquiry_id), 303)


@blueprint.get("/<uuid:inquiry_id>/wrong-rows")
@requires(Permission.LISTS_WRITE)
def wrong_rows(inquiry_id: uuid.UUID) -> Answer:
    """The wrong rows as a file, with their number and what is wrong with each."""
    inquiry, rows = service.wrong_rows(inquiry_id, actor=current_actor(), at=clock.now())
    lines = list(bad_row_lines(rows, (inquiry.mapping or {}).get("before", 0)))

    def pieces() -> Iterator[bytes]:
        yield b"\xef\xbb\xbf"  # spreadsheets take a file without it for GBK
        for line in lines:
            buffer = io.StringIO()
            csv.writer(buffer).writerow(line)
            yield buffer.getvalue().encode()

    answer = Response(pieces(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="wrong-rows-{inquiry_id.hex[-8:]}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/<uuid:inquiry_id>/withdraw")
@requires(Permission.LISTS_WRITE)
def ask_withdraw(inquiry_id: uuid.UUID) -> Answer:
    """Ask before an inquiry is taken back."""
    return render_template("command/inquiry_withdraw.html", inquiry=queries.get(inquiry_id), page="inquiries")


@blueprint.post("/<uuid:inquiry_id>/withdraw")
@requires(Permission.LISTS_WRITE)
def withdraw(inquiry_id: uuid.UUID) -> Answer:
    """Take an inquiry back, as if it had never been."""
    service.withdraw(inquiry_id, actor=current_actor(), at=clock.now())
    flash(_("The inquiry is taken back. Its rows are destroyed and its open alerts retracted."), "success")
    return redirect(url_for("inquiries.index"), 303)
