"""From a valid declaration to the rows that will be stored: places resolved, facts scored, fields sealed, pass signed.

Nothing here writes. One declaration and ten thousand simulated ones take the same way.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from checkpoint.alerts.service import NewAlert
from checkpoint.clock import local_date, start_of_day
from checkpoint.database import new_id
from checkpoint.privacy import Keyring, lookup_hash, seal
from checkpoint.regions import default_index
from checkpoint.regions import resolve as resolve_text
from checkpoint.regions.models import at_level
from checkpoint.regions.service import alias_book
from checkpoint.registrations.declaration import CompanionIn, Declaration, PlaceIn, TestIn
from checkpoint.registrations.kinds import REGISTRATION
from checkpoint.registrations.models import RegistrationState
from checkpoint.registrations.passes import (
    Claims,
    PassKeys,
    document_key,
    document_tag,
    fit_counties,
    new_serial,
    new_short_code,
)
from checkpoint.risk.policy import Tier
from checkpoint.risk.scoring import Result
from checkpoint.risk.service import Place, State, score

COUNTY = 3


@dataclass(frozen=True, slots=True)
class Context:
    """What preparing needs besides the declaration."""

    ring: Keyring
    keys: PassKeys
    state: State
    site_division: str
    timezone: str
    at: datetime


@dataclass(slots=True)
class Prepared:
    """The rows of one person's registration; `traveller` is None once an existing person was found.

    `document` is the keyed hash of the person's document.
    """

    document: bytes
    registration: dict[str, Any]
    traveller: dict[str, Any] | None
    stays: list[dict[str, Any]]
    tests: list[dict[str, Any]]
    assessment: dict[str, Any]
    issued: dict[str, Any]
    alert: NewAlert


def place_of(given: PlaceIn, position: int, since: date, until: date) -> Place:
    """Resolve a place. A code stands as chosen; words are resolved, or left unresolved, never guessed."""
    index = default_index()
    code = given.code
    if code is None and given.text:
        resolution = resolve_text(given.text, aliases=alias_book())
        code = None if resolution.conflict else resolution.code
    if code is None:
        return Place(position, None, "", given.text or "", False, since, until)
    deep_enough = index.level(code) >= COUNTY or not index.children(code)
    return Place(position, code, index.full_name(code), given.text or "", deep_enough, since, until)


def places_of(declaration: Declaration, undated_days: int) -> list[Place]:
    """The origin, which without dates counts as a stay of the days before arrival, and every stay."""
    arriving = declaration.arriving_on
    places = [place_of(declaration.origin, 0, arriving - timedelta(days=undated_days), arriving)]
    places += [place_of(stay, number, stay.since, stay.until) for number, stay in enumerate(declaration.stays, 1)]
    return places


def _traveller_row(context: Context, person: Declaration | CompanionIn) -> dict[str, Any]:
    row_id = new_id()
    ring = context.ring
    phone = person.phone
    return {
        "id": row_id,
        "name_sealed": seal(ring, person.name, "traveller", "name", row_id),
        "id_type": person.id_type,
        "id_number_sealed": seal(ring, person.id_number, "traveller", "id_number", row_id),
        "id_number_hash": lookup_hash(ring, "document", f"{person.id_type}:{person.id_number}"),
        "phone_sealed": seal(ring, phone, "traveller", "phone", row_id) if phone else None,
        "phone_hash": lookup_hash(ring, "phone", phone) if phone else None,
        "created_at": context.at,
    }


def _sealed(context: Context, text: str | None, table: str, column: str, row_id: uuid.UUID) -> bytes | None:
    return seal(context.ring, text, table, column, row_id) if text else None


def stay_rows(context: Context, registration_id: uuid.UUID, places: Sequence[Place]) -> list[dict[str, Any]]:
    """The stays of a registration; `county_code` is what re-assessment looks for."""
    rows = []
    for place in places:
        row_id = new_id()
        rows.append(
            {
                "id": row_id,
                "registration_id": registration_id,
                "position": place.position,
                "is_origin": place.position == 0,
                "code": place.code,
                "county_code": at_level(place.code, COUNTY) if place.code and place.resolved else None,
                "text_sealed": _sealed(context, place.text, "stay", "text", row_id),
                "since": place.since,
                "until": place.until,
            }
        )
    return rows


def doubt_of(reasons: Sequence[Mapping[str, Any]]) -> str | None:
    """Whether an assessment rests on a list that was missing or stale: the next list looks at it again."""
    found = {reason["rule"] for reason in reasons}
    return next((rule for rule in ("list_missing", "list_stale") if rule in found), None)


def assessment_row(
    registration_id: uuid.UUID, result: Result, state: State, cause: str, at: datetime
) -> dict[str, Any]:
    """The columns of an assessment."""
    return {
        "id": new_id(),
        "registration_id": registration_id,
        "list_id": state.list_id,
        "policy_id": state.policy_id,
        "state_version": state.version,
        "cause": cause,
        "tier": result.tier.value,
        "score": result.score,
        "reasons": [reason.as_dict() for reason in result.reasons],
        "measures": [measure.as_dict() for measure in result.measures],
        "made_at": at,
    }


def pass_row(
    context: Context,
    registration_id: uuid.UUID,
    assessment: Mapping[str, Any],
    places: Sequence[Place],
    id_number: str,
    arriving: date,
    negative_test_at: datetime | None,
    *,
    until: datetime | None = None,
    serial: bytes | None = None,
) -> dict[str, Any]:
    """Sign a pass for an assessment. It is valid until the end of the policy's last day after arrival, and not after `until`.

    With the `serial` of a pass there is, another token for the same pass.
    """
    last_day = arriving + timedelta(days=context.state.policy.pass_valid_days + 1)
    expires_at = start_of_day(last_day, context.timezone)
    counties, truncated = fit_counties(counting_codes(context, places, assessment["reasons"]))
    claims = Claims(
        serial=serial or new_serial(),
        expires_at=expires_at if until is None else min(expires_at, until),
        tier=assessment["tier"],
        document=document_tag(document_key(context.ring), id_number),
        counties=counties,
        truncated=truncated,
        unresolved=any(not place.resolved for place in places),
        negative_test_at=negative_test_at,
    )
    return {
        "serial": claims.serial,
        "registration_id": registration_id,
        "assessment_id": assessment["id"],
        "short_code": new_short_code(),
        "token": context.keys.sign(claims),
        "issued_at": context.at,
        "expires_at": claims.expires_at,
    }


def counting_codes(context: Context, places: Sequence[Place], reasons: Sequence[Mapping[str, Any]]) -> list[str]:
    """The codes of the stays that a list to come may still touch, riskiest first; the tier already speaks for the others."""
    policy = context.state.policy
    oldest = local_date(context.at, context.timezone) - timedelta(days=policy.days_before_listing)
    points: dict[int | None, int] = {}
    for reason in reasons:
        points[reason.get("stay")] = max(reason["points"], points.get(reason.get("stay"), 0))
    counting = [place for place in places if place.code and place.resolved and place.until >= oldest]
    counting.sort(key=lambda place: (-points.get(place.position, 0), -place.until.toordinal(), place.position))
    return [place.code for place in counting if place.code]


def newest_negative(tests: Sequence[TestIn], at: datetime) -> datetime | None:
    """When the newest test was taken, if it was negative; a test said to be taken after `at` does not count."""
    newest = max((test for test in tests if test.taken_at <= at), key=lambda test: test.taken_at, default=None)
    return newest.taken_at if newest is not None and newest.result == "negative" else None


def alert_for(registration: Mapping[str, Any], assessment: Mapping[str, Any]) -> NewAlert:
    """What the destination hears of a registration: red and yellow want an answer, green is a notice."""
    return NewAlert(
        kind=REGISTRATION.name,
        cause=f"registration:{registration['id']}:{assessment['id'].hex[-12:]}",
        division_code=registration["destination_code"],
        tier=assessment["tier"],
        needs_answer=assessment["tier"] != Tier.GREEN.value,
        subject_id=registration["id"],
        params={
            "rules": [reason["rule"] for reason in assessment["reasons"]],
            "arriving_on": registration["arriving_on"].isoformat(),
        },
    )


def _positive_on(declaration: Declaration) -> date | None:
    days = [test.taken_at.date() for test in declaration.tests if test.result == "positive"]
    return max(days) if days else None


def _registration_row(
    context: Context, declaration: Declaration, places: Sequence[Place], checkpoint_id: uuid.UUID | None
) -> dict[str, Any]:
    row_id = new_id()
    origin = places[0]
    return {
        "id": row_id,
        "client_id": None,
        "lead_id": None,
        "state": RegistrationState.DECLARED.value,
        "origin_code": origin.code,
        "origin_text_sealed": _sealed(context, origin.text, "registration", "origin_text", row_id),
        "destination_code": declaration.destination.code,
        "address_sealed": _sealed(context, declaration.destination.address, "registration", "address", row_id),
        "arriving_on": declaration.arriving_on,
        "checkpoint_id": checkpoint_id,
        "transport": declaration.transport,
        "plate_sealed": _sealed(context, declaration.plate, "registration", "plate", row_id),
        "plate_hash": lookup_hash(context.ring, "plate", declaration.plate) if declaration.plate else None,
        "created_at": context.at,
        "updated_at": context.at,
    }


def prepare(context: Context, declaration: Declaration, checkpoint_id: uuid.UUID | None) -> list[Prepared]:
    """The rows of the lead and of each companion, lead first. Symptoms and tests are the lead's own; places are everyone's."""
    places = places_of(declaration, context.state.policy.undated_origin_days)
    people: list[Declaration | CompanionIn] = [declaration, *declaration.companions]
    prepared: list[Prepared] = []
    for number, person in enumerate(people):
        is_lead = number == 0
        result = score(
            places,
            symptoms=declaration.symptoms if is_lead else (),
            positive_test_on=_positive_on(declaration) if is_lead else None,
            state=context.state,
            site_division=context.site_division,
            at=context.at,
        )
        traveller = _traveller_row(context, person)
        registration = _registration_row(context, declaration, places, checkpoint_id)
        if is_lead:
            registration["client_id"] = declaration.client_id
        else:
            registration["lead_id"] = prepared[0].registration["id"]
        assessment = assessment_row(registration["id"], result, context.state, "submit", context.at)
        alert = alert_for(registration, assessment)
        registration.update(
            traveller_id=traveller["id"],
            symptoms=list(declaration.symptoms) if is_lead else [],
            tier=assessment["tier"],
            assessment_id=assessment["id"],
            state_version=context.state.version,
            doubt=doubt_of(assessment["reasons"]),
            alert_id=alert.id,
        )
        prepared.append(
            Prepared(
                document=traveller["id_number_hash"],
                registration=registration,
                traveller=traveller,
                stays=stay_rows(context, registration["id"], places),
                tests=test_rows(registration["id"], declaration, "declared") if is_lead else [],
                assessment=assessment,
                issued=pass_row(
                    context,
                    registration["id"],
                    assessment,
                    places,
                    person.id_number,
                    declaration.arriving_on,
                    newest_negative(declaration.tests, context.at) if is_lead else None,
                ),
                alert=alert,
            )
        )
    return prepared


def test_rows(registration_id: uuid.UUID, declaration: Declaration, source: str) -> list[dict[str, Any]]:
    """The declared tests as evidence."""
    return [
        {
            "id": new_id(),
            "registration_id": registration_id,
            "kind": test.kind,
            "taken_at": test.taken_at,
            "result": test.result,
            "source": source,
        }
        for test in declaration.tests
    ]
