"""The alerts that crossings raise of themselves."""

from checkpoint.alerts.kinds import Kind, register
from checkpoint.risk.policy import Tier
from checkpoint.words import lazy

AGAINST_RULES = register(
    Kind("crossed_against_rules", lazy("Let in off line against the rules"), tier=Tier.YELLOW, needs_answer=True)
)
