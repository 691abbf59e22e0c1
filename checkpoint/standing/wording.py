"""How figures are written, the same on the page, the wall and in reports."""

from checkpoint.words import _


def percent(share: float | None) -> str:
    """A share as people say it: 90 %, or a dash while nothing is due."""
    return "–" if share is None else f"{100 * share:.0f} %"


def seconds(value: float | None) -> str:
    """A time as people say it: 8.4 s, 95 s, 4 min; a dash when nothing was measured."""
    if value is None:
        return "–"
    if value < 100:
        shown = f"{value:.1f}".removesuffix(".0") if value < 20 else f"{value:.0f}"
        return _("%(number)s s", number=shown)
    return _("%(number)s min", number=f"{value / 60:.0f}")
