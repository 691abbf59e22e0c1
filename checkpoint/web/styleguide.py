"""`/styleguide`: every component in every state, in both languages. It shows made-up matter only, so everybody may look at it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from checkpoint.web.auth import public

blueprint = Blueprint("styleguide", __name__)

MORNING = datetime(2022, 4, 12, 2, 0, tzinfo=UTC)
COLOURS = (
    "page", "surface", "sunken", "line", "line-strong", "text", "muted", "accent", "accent-soft", "red", "red-soft", "yellow",
    "yellow-soft", "yellow-text", "green", "green-soft", "verdict-admit", "verdict-test", "verdict-hold", "verdict-refuse",
)  # fmt: skip
SPACES = tuple(f"space-{step}" for step in range(1, 8))


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the sample timeline."""

    at: datetime
    title: str
    text: str = ""
    tone: str = ""


@blueprint.get("/styleguide")
@public
def index() -> ResponseReturnValue:
    """All of it on one page."""
    steps = [
        Step(MORNING, _("Registered"), _("By the form, for one person.")),
        Step(MORNING.replace(hour=6), _("Admit"), "G60", "green"),
        Step(MORNING.replace(hour=9), _("Test"), _("Test on the spot before they pass."), "yellow"),
        Step(MORNING.replace(hour=12), _("Hold"), "", "red"),
    ]
    verdicts = [("admit", _("Admit")), ("test", _("Test")), ("hold", _("Hold")), ("refuse", _("Refuse"))]
    return render_template(
        "styleguide.html", steps=steps, verdicts=verdicts, colours=COLOURS, spaces=SPACES, sample_time=MORNING
    )
