"""What the pass page says: which state the pass is in, why, what comes next, and the code itself as a picture."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from flask_babel import gettext as _

from checkpoint.registrations.models import Pass, RegistrationState
from checkpoint.registrations.queries import Record, is_standing, pass_path
from checkpoint.risk.policy import PolicyData
from checkpoint.risk.wording import measure_text, reason_text
from checkpoint.web.qr import qr_svg

_SOON = timedelta(hours=24)  # from then on the page asks to renew the code


class Phase(enum.StrEnum):
    """Where a pass stands in its life."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    INSIDE = "inside"
    TURNED_BACK = "turned_back"
    WITHDRAWN = "withdrawn"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class CompanionLine:
    """Somebody of the same trip; `path` only for the one who declared for all."""

    name: str
    tier: str
    withdrawn: bool
    path: str | None


@dataclass(frozen=True, slots=True)
class PassView:
    """A record as its pass page shows it."""

    record: Record
    phase: Phase
    reasons: tuple[str, ...]
    measures: tuple[str, ...]
    steps: tuple[str, ...]
    companions: tuple[CompanionLine, ...]
    valid_through: datetime | None
    standing: bool = False
    ends_soon: bool = False

    @property
    def shows_code(self) -> bool:
        """Whether the code still opens a barrier."""
        return self.record.issued is not None and self.phase in (Phase.VALID, Phase.INSIDE, Phase.TURNED_BACK)

    @property
    def renewal(self) -> str:
        """When and how the code must be renewed, in a sentence; empty where none is needed any more."""
        if self.valid_through is None or self.phase not in (Phase.VALID, Phase.TURNED_BACK):
            return ""
        if self.standing:
            return str(_("It renews itself each morning: open this page with a network before you set out."))
        if self.ends_soon:
            return str(_("It ends soon. If you come later, declare again now: your new code comes at once."))
        return str(_("If you come later than that, declare again on that day."))

    @property
    def is_lead(self) -> bool:
        return self.record.registration.lead_id is None

    @property
    def can_change(self) -> bool:
        """Whether the trip is still ahead, so that it can be changed or withdrawn; a commuter's stands on an approval instead."""
        return not self.standing and self.record.registration.state in (
            RegistrationState.DECLARED,
            RegistrationState.TURNED_BACK,
        )


def view(record: Record, policy: PolicyData, at: datetime) -> PassView:
    """The page of a record at an instant."""
    phase = phase_of(record, at)
    is_lead = record.registration.lead_id is None
    issued = record.issued
    return PassView(
        record=record,
        phase=phase,
        reasons=tuple(reason_text(reason) for reason in record.assessment.reasons),
        measures=tuple(measure_text(measure) for measure in record.assessment.measures),
        steps=steps(phase, record.assessment.tier, policy),
        companions=tuple(
            CompanionLine(
                one.name,
                one.tier,
                one.state == RegistrationState.WITHDRAWN,
                pass_path(one.registration_id) if is_lead else None,
            )
            for one in record.companions
        ),
        valid_through=issued.expires_at - timedelta(seconds=1) if issued else None,
        standing=is_standing(record.registration.id),
        ends_soon=issued is not None and issued.expires_at - at <= _SOON,
    )


def phase_of(record: Record, at: datetime) -> Phase:
    """The state of the registration first, then of the pass."""
    state = record.registration.state
    if state == RegistrationState.WITHDRAWN:
        return Phase.WITHDRAWN
    if state == RegistrationState.LEFT:
        return Phase.LEFT
    if state == RegistrationState.INSIDE:
        return Phase.INSIDE
    if record.issued is None:
        return Phase.REVOKED
    if record.issued.expires_at <= at:
        return Phase.EXPIRED
    return Phase.TURNED_BACK if state == RegistrationState.TURNED_BACK else Phase.VALID


def steps(phase: Phase, tier: str, policy: PolicyData) -> tuple[str, ...]:
    """What to do next, in order, in plain sentences."""
    if phase is Phase.INSIDE:
        return _inside_steps(tier)
    if phase is not Phase.VALID:
        return ()
    show = _("Show this code and your document at the checkpoint.")
    if tier == "red":
        return (
            _("Please call us before you set out: it may be better to wait."),
            show,
            _("Stay in the vehicle and wear a mask. The officers will tell you what happens next."),
        )
    if tier == "yellow":
        return (
            show,
            _("You will be tested at the checkpoint."),
            _("Then go straight to your address. Your village or community will call you."),
        )
    return (
        show,
        _(
            "Bring a negative test of the last %(hours)s hours. Without one you are tested on the spot, "
            "which takes about %(minutes)s minutes.",
            hours=policy.negative_test_hours,
            minutes=policy.antigen_minutes,
        ),
    )


def _inside_steps(tier: str) -> tuple[str, ...]:
    home = _("Your village or community knows that you have come.")
    if tier == "red":
        return (_("Follow the officers' instructions and stay apart from others."), home)
    if tier == "yellow":
        return (_("Go straight to your address and stay there. Please pick up when they call."), home)
    return (home, _("Keep this page: you may be asked to show it."))


def etag_of(issued: Pass) -> str:
    """What changes when the picture does: the serial of the pass, and when its token was signed, since a commuter's is signed anew."""
    return f"{issued.serial.hex()}-{int(issued.issued_at.timestamp() * 1000):x}"


@lru_cache(maxsize=512)
def code_svg(token: str) -> str:
    """The pass as an SVG QR code: black on white with a quiet zone, whatever the theme. Drawn once for each pass."""
    return str(qr_svg(token))
