"""QR codes as SVG, drawn when shown and never stored."""

from itertools import groupby

import qrcode
from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_M

_QUIET = 4  # modules of white around the code, as the standard asks


def qr_svg(text: str, label: str = "") -> Markup:
    """The code of a text as one <svg> element, as wide as its frame; `label` is what a screen reader says."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=_QUIET)
    code.add_data(text)
    code.make(fit=True)
    size = code.modules_count + 2 * _QUIET
    path = "".join(_row(number + _QUIET, line) for number, line in enumerate(code.modules))
    return Markup(
        '<svg class="qr" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" aria-label="{label}" '
        'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>'
    ).format(size=size, label=label, path=path)


def _row(y: int, modules: list[bool]) -> str:
    """The dark runs of one line as path commands."""
    drawn, x = [], _QUIET
    for dark, run in groupby(modules):
        width = len(list(run))
        if dark:
            drawn.append(f"M{x} {y}h{width}v1h-{width}z")
        x += width
    return "".join(drawn)
