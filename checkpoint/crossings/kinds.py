"""The alerts that crossings raise of themselves."""

from collections.abc import Mapping
from typing import Any

from checkpoint.alerts.kinds import Kind, register
from checkpoint.risk.policy import Tier
from checkpoint.words import _, lazy

_VERDICTS = {
    "admit": lazy("may pass"),
    "test": lazy("test first"),
    "hold": lazy("hold"),
    "refuse": lazy("pass not accepted"),
}


def _explain(params: Mapping[str, Any]) -> list[str]:
    """What the tablet told the officer, and what the register would have said."""
    sentences = []
    if params.get("shown") in _VERDICTS:
        sentences.append(_("With no network the tablet said: %(verdict)s", verdict=_VERDICTS[params["shown"]]))
    if params.get("verdict") in _VERDICTS:
        sentences.append(_("The register says: %(verdict)s", verdict=_VERDICTS[params["verdict"]]))
    return sentences


AGAINST_RULES = register(
    Kind("crossed_against_rules", lazy("Let in off line against the rules"), tier=Tier.YELLOW, explain=_explain)
)
ARRIVAL = register(Kind("arrival", lazy("Past the checkpoint, arriving")))
SPOT_POSITIVE = register(Kind("spot_positive", lazy("Tested positive at the checkpoint"), tier=Tier.RED))
