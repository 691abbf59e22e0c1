"""From stored things to the bodies of the contract, in the caller's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from checkpoint.alerts.models import Alert
from checkpoint.crossings.batches import Delivered
from checkpoint.crossings.models import Crossing
from checkpoint.crossings.queries import GateView
from checkpoint.registrations import queries
from checkpoint.registrations.models import Pass, Stay, Traveller
from checkpoint.registrations.service import Receipt
from checkpoint.risk.models import RiskList
from checkpoint.risk.queries import Preview
from checkpoint.risk.wording import measure_text, reason_text
from checkpoint.web.api import bodies
from checkpoint.web.approval_line import stored_line


def reasons(stored: Sequence[Mapping[str, Any]]) -> list[bodies.ReasonOut]:
    """Stored reasons with their sentences."""
    return [
        bodies.ReasonOut(
            rule=reason["rule"],
            points=reason["points"],
            text=reason_text(reason),
            note=stored_line(reason["terms"]) if "terms" in reason else None,
            evidence=bodies.Evidence.model_validate(
                {
                    key: reason[key]
                    for key in ("stay", "place", "area", "listed_on", "list_id", "detail")
                    if key in reason
                }
            ),
        )
        for reason in stored
    ]


def measures(stored: Sequence[Mapping[str, Any]]) -> list[bodies.MeasureOut]:
    """Stored measures with their sentences."""
    return [bodies.MeasureOut(text=measure_text(measure), **measure) for measure in stored]


def pass_out(issued: Pass) -> bodies.PassOut:
    """A pass with its address."""
    return bodies.PassOut(
        token=issued.token,
        short_code=issued.short_code,
        url=queries.pass_url(issued.registration_id),
        expires_at=issued.expires_at,
    )


def receipt(given: Receipt, names: Sequence[str]) -> bodies.RegistrationOut:
    """The result of a declaration; `names` are those of the companions, masked."""
    return bodies.RegistrationOut(
        id=given.registration.id,
        tier=given.assessment.tier,  # type: ignore[arg-type]
        score=given.assessment.score,
        reasons=reasons(given.assessment.reasons),
        measures=measures(given.assessment.measures),
        pass_=pass_out(given.issued),
        companions=[
            bodies.CompanionOut(
                id=one.registration.id,
                name=name,
                tier=one.assessment.tier,  # type: ignore[arg-type]
                score=one.assessment.score,
                pass_=pass_out(one.issued),
            )
            for one, name in zip(given.companions, names, strict=True)
        ],
    )


def person(traveller: Traveller) -> bodies.PersonOut:
    """A person, masked."""
    return bodies.PersonOut(**queries.masked(traveller))


def stay(stored: Stay) -> bodies.StayOut:
    """A stay with its official name; what cannot be placed has none."""
    return bodies.StayOut(
        code=stored.code, name=queries.place_name(stored.code), since=stored.since, until=stored.until
    )


def record(found: queries.Record) -> bodies.RecordOut:
    """A registration, masked."""
    registration = found.registration
    return bodies.RecordOut(
        id=registration.id,
        state=registration.state,
        tier=found.assessment.tier,  # type: ignore[arg-type]
        score=found.assessment.score,
        person=person(found.traveller),
        origin=stay(found.stays[0]),
        stays=[stay(one) for one in found.stays[1:]],
        destination_code=registration.destination_code,
        destination_name=queries.place_name(registration.destination_code),
        arriving_on=registration.arriving_on,
        transport=registration.transport,
        plate=queries.masked_plate(registration),
        symptoms=registration.symptoms,
        reasons=reasons(found.assessment.reasons),
        measures=measures(found.assessment.measures),
        pass_=pass_out(found.issued) if found.issued else None,
        created_at=registration.created_at,
        entered_at=registration.entered_at,
    )


def scan(view: GateView) -> bodies.ScanOut:
    """A verdict."""
    crossing = view.crossing
    return bodies.ScanOut.model_validate(
        _crossing(crossing)
        | {
            "reasons": reasons(crossing.reasons),
            "measures": measures(crossing.measures),
            "person": view.person,
            "previous": vars_of(view.previous),
            "conflicts": [vars_of(one) for one in view.conflicts],
            "decided_at": crossing.decided_at,
        }
    )


def batch_item(done: Delivered) -> bodies.BatchItemOut:
    """The short answer to one scan of a batch."""
    if done.crossing is None:
        said: dict[str, Any] = {name: None for name in ("verdict", "tier", "problem", "decision")}
    else:
        said = _crossing(done.crossing)
    said |= {"scan_id": done.scan_id, "error": done.error, "conflicts": [vars_of(one) for one in done.conflicts]}
    return bodies.BatchItemOut.model_validate(said)


def _crossing(crossing: Crossing) -> dict[str, Any]:
    return {
        "scan_id": crossing.id,
        "verdict": crossing.verdict,
        "tier": crossing.tier,
        "problem": crossing.problem,
        "decision": crossing.decision,
    }


def vars_of(value: Any) -> dict[str, Any] | None:
    """The fields of a slotted dataclass."""
    return None if value is None else {name: getattr(value, name) for name in type(value).__slots__}


def alert(stored: Alert, seq: int | None) -> bodies.AlertOut:
    """An alert with the name of its division."""
    return bodies.AlertOut(
        id=stored.id,
        seq=seq,
        kind=stored.kind,
        tier=stored.tier,  # type: ignore[arg-type]
        state=stored.state,  # type: ignore[arg-type]
        subject_type=stored.subject_type,
        subject_id=stored.subject_id,
        division_code=stored.division_code,
        division_name=queries.place_name(stored.division_code),
        responsible_level=stored.responsible_level,
        created_at=stored.created_at,
        acknowledge_by=stored.ack_due,
        resolve_by=stored.resolve_due,
        acknowledged_at=stored.acknowledged_at,
        resolved_at=stored.resolved_at,
        escalated_at=stored.escalated_at,
        result=stored.result,
        params=stored.params,
    )


def risk_list(stored: RiskList) -> dict[str, Any]:
    """The columns of a list version that the contract shows."""
    names = (
        "id source state published_at checksum high_count middle_count low_count county_count town_count "
        "unresolved_count confirmed_at"
    )
    return {name: getattr(stored, name) for name in names.split()}


def preview(counted: Preview) -> bodies.PreviewOut:
    """What publishing would change."""
    return bodies.PreviewOut(
        added=counted.added, removed=counted.removed, raised=counted.raised, lowered=counted.lowered
    )
