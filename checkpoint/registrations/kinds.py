"""The alert that a declaration raises."""

from checkpoint.alerts.kinds import Kind, register
from checkpoint.words import lazy

REGISTRATION = register(Kind("registration", lazy("Declared, on the way here")))
