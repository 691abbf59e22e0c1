"""The control policy at command: versions, a form over all it holds, what a draft would change and for whom, publishing, taking back."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from checkpoint import clock
from checkpoint.accounts.permissions import Permission
from checkpoint.errors import InvalidInput
from checkpoint.registrations import queries as registrations
from checkpoint.risk import drafts
from checkpoint.risk import policies as versions
from checkpoint.risk.models import Policy
from checkpoint.risk.policy import PolicyData
from checkpoint.risk.policy_form import Group, Leaf, Part, changes, form_of, shown, typed, with_row
from checkpoint.risk.service import current_state
from checkpoint.surveillance.policy_impact import DryRun, dry_run
from checkpoint.web import policy_words as words
from checkpoint.web.auth import current_actor, requires
from checkpoint.web.command import TIERS
from checkpoint.web.inbox_cards import actor_names, people_of, place_names
from checkpoint.words import _

blueprint = Blueprint("policies", __name__, url_prefix="/command/policies")

Answer = str | Response | BaseResponse
MAX_JSON = 100_000


def _page(template: str, **values: Any) -> str:
    return render_template(f"command/{template}.html", words=words, page="policies", **values)


def _data(policy: Policy) -> PolicyData:
    return PolicyData.model_validate(policy.data)


@blueprint.get("", strict_slashes=False)
@requires(Permission.COMMAND_READ)
def index() -> Answer:
    """The versions, and the drafts that nobody has published yet."""
    current_state(clock.now())  # makes the first version at the first use
    found, waiting = versions.policies(), drafts.drafts()
    return _page(
        "policies",
        policies=found,
        drafts=waiting,
        current=versions.policy_in_force(),
        standing=sum(one.withdrawn_at is None for one in found),
        actors=actor_names([one.created_by for one in found] + [one.made_by for one in waiting]),
    )


@blueprint.get("/<int:policy_id>")
@requires(Permission.COMMAND_READ)
def one(policy_id: int) -> Answer:
    """All that a version says, and what it changed against the one before it."""
    policy = versions.policy_version(policy_id)
    earlier = next((other for other in versions.policies() if other.version < policy.version), None)
    return _page(
        "policy_version",
        policy=policy,
        current=versions.policy_in_force(),
        earlier=earlier,
        changes=[words.change_text(one) for one in changes(_data(earlier), _data(policy))] if earlier else [],
        document=shown(_data(policy).model_dump(mode="json")),
        sections=words.sections(form_of()),
        author=actor_names([policy.created_by]).get(policy.created_by or "", ""),
        standing=sum(other.withdrawn_at is None for other in versions.policies()),
    )


@blueprint.get("/<int:policy_id>.json")
@requires(Permission.COMMAND_READ)
def export(policy_id: int) -> Answer:
    """A version as JSON, to be changed elsewhere and brought back."""
    policy = versions.policy_version(policy_id)
    text = json.dumps(_data(policy).model_dump(mode="json"), ensure_ascii=False, indent=2)
    answer = Response(text + "\n", mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="policy-{policy.version}.json"'
    return answer


@blueprint.get("/edit")
@requires(Permission.LISTS_WRITE)
def edit() -> Answer:
    """The form: begun from the version in force, from an older one (`from`), or from a draft (`draft`)."""
    state = current_state(clock.now())
    base_id, data = state.policy_id, state.policy
    if draft_id := request.args.get("draft", type=int):
        draft = drafts.draft_of(draft_id)
        base_id, data = draft.base_id, drafts.data_of(draft)
    elif policy_id := request.args.get("from", type=int):
        data = _data(versions.policy_version(policy_id))
    return _editor(shown(data.model_dump(mode="json")), base_id)


def _editor(document: Mapping[str, Any], base_id: int, errors: dict[str, str] | None = None, text: str = "") -> str:
    return _page(
        "policy_edit",
        sections=words.sections(form_of()),
        document=document,
        base=versions.policy_version(base_id),
        errors=errors or {},
        summary={name: _with_label(name, message) for name, message in (errors or {}).items()},
        text=text,
    )


@blueprint.post("/edit")
@requires(Permission.LISTS_WRITE)
def change() -> Answer:
    """One step with the form: a row more, less or higher, a policy from JSON, or all of it checked and kept as a draft."""
    base_id = request.form.get("base", 0, type=int)
    document = typed(request.form.getlist, list(request.form))
    act, _colon, rest = request.form.get("do", "check").partition(":")
    if act in ("add", "remove", "up"):
        rows, _colon, number = rest.partition(":")
        if rows in {part.name for part in form_of() if not isinstance(part, Leaf | Group)}:
            document = with_row(document, rows, act, int(number) if number.isdigit() else 0)
        return _editor(document, base_id)
    text = request.form.get("json", "").strip()[:MAX_JSON] if act == "import" else ""
    try:
        data = versions.read_policy(text.encode()) if act == "import" else versions.read_form(document)
    except InvalidInput as error:
        found = _problems(error)
        if act == "import":
            found = {"json": _(", ").join(f"{one.field}: {_said(one.field, one.code)}" for one in error.errors)}
        return make_response(_editor(document, base_id, found, text), 422)
    if act == "import":
        flash(_("The form now holds what the JSON says. Nothing is kept yet."), "info")
        return _editor(shown(data.model_dump(mode="json")), base_id)
    draft = drafts.make_draft(data, base_id, actor=current_actor(), at=clock.now())
    return redirect(url_for("policies.draft", draft_id=draft.id), 303)


def _leaf(names: list[str]) -> tuple[Leaf, str] | None:
    """The input of a dotted name, and its own name: what a part of a list is wrong about is said at the list."""
    parts: tuple[Part, ...] = form_of()
    for depth, name in enumerate(names):
        part = next((one for one in parts if one.name == name), None)
        if isinstance(part, Leaf):
            return part, ".".join(names[: depth + 1])
        if part is None and not name.isdigit():
            return None
        if part is not None:
            parts = part.parts if isinstance(part, Group) else part.row.parts
    return None


def _with_label(name: str, message: str) -> str:
    """What is wrong, with the name of the field: for the list at the top of the page."""
    found = _leaf(name.split("."))
    return f"{words.label(found[0].path)}: {message}" if found else message


def _said(field: str, code: str) -> str:
    found = _leaf(field.split("."))
    return words.problem_text(found[0] if found else None, code)


def _problems(error: InvalidInput) -> dict[str, str]:
    """What is wrong, by the names of the inputs that the page shows; the rest without one, with the name that it has."""
    found: dict[str, str] = {}
    for one in error.errors:
        known = _leaf(one.field.split("."))
        if known is None:
            found[""] = " ".join(filter(None, (found.get(""), f"{one.field}: {words.problem_text(None, one.code)}")))
        else:
            found.setdefault(known[1], words.problem_text(known[0], one.code))
    return found


@blueprint.get("/drafts/<int:draft_id>")
@requires(Permission.COMMAND_READ)
def draft(draft_id: int) -> Answer:
    """What a draft would change, and whose colour."""
    return _draft_page(draft_id)


def _draft_page(draft_id: int, errors: dict[str, str] | None = None) -> str:
    at = clock.now()
    found, run = drafts.draft_of(draft_id), dry_run(draft_id, at=at)
    current = versions.policy_in_force()
    if current is None:
        raise LookupError("no policy is in force")
    return _page(
        "policy_draft",
        draft=found,
        author=actor_names([found.made_by]).get(found.made_by, ""),
        current=current,
        moved=current.id != found.base_id,
        changes=[words.change_text(one) for one in changes(_data(current), drafts.data_of(found))],
        run=run,
        towns=_towns(run),
        people=_people(run),
        moves=[(before, after) for before in TIERS for after in TIERS if before != after],
        errors=errors or {},
        reason=request.form.get("reason", ""),
    )


def _towns(run: DryRun) -> list[tuple[str, Mapping[tuple[str, str], int], int]]:
    names = place_names(run.towns)
    rows = [(names[code], counts, sum(counts.values())) for code, counts in run.towns.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def _people(run: DryRun) -> list[tuple[str, str, str, str, str]]:
    """Place, masked name, tiers and the trip of those whose colour would change, for whoever may see people at all."""
    known = people_of(current_actor(), (one.registration_id for one in run.some))
    names = place_names({one.division for one in run.some})
    return [
        (
            names[one.division],
            registrations.masked(known[one.registration_id][1])["name"],
            one.before,
            one.after,
            str(one.registration_id),
        )
        for one in run.some
        if one.registration_id in known
    ]


@blueprint.post("/drafts/<int:draft_id>/publish")
@requires(Permission.LISTS_WRITE)
def publish(draft_id: int) -> Answer:
    """Put a draft in force; everybody is assessed again."""
    try:
        drafts.publish_draft(draft_id, request.form.get("reason", ""), actor=current_actor(), at=clock.now())
    except InvalidInput:
        said = _("Say why, in 1 to %(number)s characters.", number=versions.MOST_REASON)
        return make_response(_draft_page(draft_id, {"reason": said}), 422)
    except versions.PolicyMoved:
        return make_response(_draft_page(draft_id), 409)
    flash(_("The policy is in force. Everybody is being assessed again."), "success")
    return redirect(url_for("work.index"), 303)


@blueprint.post("/drafts/<int:draft_id>/rebase")
@requires(Permission.LISTS_WRITE)
def rebase(draft_id: int) -> Answer:
    """Whoever has seen the differences from the version that came in between goes on from that one."""
    made = drafts.rebase(draft_id, actor=current_actor(), at=clock.now())
    return redirect(url_for("policies.draft", draft_id=made.id), 303)


@blueprint.post("/drafts/<int:draft_id>/discard")
@requires(Permission.LISTS_WRITE)
def discard(draft_id: int) -> Answer:
    """Throw a draft away."""
    drafts.discard(draft_id, actor=current_actor(), at=clock.now())
    flash(_("The draft is thrown away."), "success")
    return redirect(url_for("policies.index"), 303)


@blueprint.get("/<int:policy_id>/withdraw")
@requires(Permission.LISTS_WRITE)
def ask_withdraw(policy_id: int) -> Answer:
    """Ask before a version is taken back."""
    return _page("policy_withdraw", policy=versions.policy_version(policy_id), current=versions.policy_in_force())


@blueprint.post("/<int:policy_id>/withdraw")
@requires(Permission.LISTS_WRITE)
def withdraw(policy_id: int) -> Answer:
    """Take a policy back; what it caused is undone."""
    reason = request.form.get("reason", "").strip()[: versions.MOST_REASON] or None
    now_in_force = versions.withdraw_policy(policy_id, actor=current_actor(), at=clock.now(), reason=reason)
    flash(_("The policy is taken back. In force: version %(number)s.", number=now_in_force.version), "success")
    return redirect(url_for("work.index"), 303)
