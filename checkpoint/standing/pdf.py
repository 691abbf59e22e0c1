"""A report as PDF on A4, with the Chinese font that the PDF standard names: no font file is needed to write it."""

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageTemplate, Paragraph, Spacer, Table

from checkpoint.standing.sheets import Cell, Report, Sheet, shown
from checkpoint.words import _

FONT = "STSong-Light"
_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_INK, _MUTED, _LINE, _ACCENT, _HEAD = (HexColor(one) for one in ("#16212b", "#52606d", "#d3dae0", "#0b5a7d", "#e2f0f6"))
_FIGURES_IN_ROW = 4


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    # wordWrap CJK: Chinese has no spaces to break at.
    given = {"fontName": FONT, "fontSize": size, "leading": size * 1.35, "textColor": _INK, "wordWrap": "CJK"}
    return ParagraphStyle(name, **(given | more))


_TITLE = _style("title", 20)
_SUBTITLE = _style("subtitle", 12, textColor=_MUTED)
_HEADING = _style("heading", 13, spaceBefore=10, spaceAfter=4, textColor=_ACCENT)
_TEXT = _style("text", 9)
_NUMBER = _style("number", 9, alignment=TA_RIGHT)
_SMALL = _style("small", 8, textColor=_MUTED)
_BIG = _style("big", 18)
_LATIN = {
    one.name: ParagraphStyle(f"{one.name}-latin", parent=one, fontName="Helvetica", wordWrap=None)
    for one in (_TITLE, _SUBTITLE, _HEADING, _TEXT, _NUMBER, _SMALL, _BIG)
}


def write(report: Report) -> bytes:
    """The document as a file."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=f"{report.title}  {report.subtitle}",
        author=_("Border Checkpoint"),
        lang="zh-CN",
    )
    frame = Frame(_MARGIN, 18 * mm, _WIDTH, A4[1] - 34 * mm, 0, 0, 0, 0)

    def foot(canvas: Any, _document: Any) -> None:
        canvas.setFont(FONT, 8)
        canvas.setFillColor(_MUTED)
        canvas.drawString(_MARGIN, 10 * mm, f"{report.title}  {report.subtitle}")
        canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, str(canvas.getPageNumber()))

    document.addPageTemplates(PageTemplate("page", [frame], onPage=foot))
    story: list[Flowable] = [
        _paragraph(report.title, _TITLE),
        _paragraph(report.subtitle, _SUBTITLE),
        Spacer(1, 5 * mm),
        _figures(report.key_figures),
        Spacer(1, 3 * mm),
        _paragraph(report.note, _SMALL),
    ]
    for sheet in report.sheets:
        story += _sheet(sheet)
    document.build(story)
    return out.getvalue()


def _paragraph(value: Cell, style: ParagraphStyle) -> Paragraph:
    text = shown(value)
    return Paragraph(escape(text), _LATIN[style.name] if _is_latin(text) else style)


def _is_latin(text: str) -> bool:
    """Whether the standard's Latin font holds every letter: viewers without the Chinese one space Latin letters badly."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _figures(figures: Sequence[tuple[str, Cell, str]]) -> Table:
    """The key figures as a grid of cards."""
    cells = [
        [_paragraph(name, _SMALL), _paragraph(value, _BIG), _paragraph(about, _SMALL)] for name, value, about in figures
    ]
    rows = [cells[start : start + _FIGURES_IN_ROW] for start in range(0, len(cells), _FIGURES_IN_ROW)]
    rows[-1] += [[] for _missing in range(_FIGURES_IN_ROW - len(rows[-1]))]
    grid = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BOX", (0, 0), (-1, -1), 0.5, _LINE),
        ("INNERGRID", (0, 0), (-1, -1), 0.5, _LINE),
        *((side, (0, 0), (-1, -1), 6) for side in ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")),
    ]
    return Table(rows, [_WIDTH / _FIGURES_IN_ROW] * _FIGURES_IN_ROW, style=grid)


def _sheet(sheet: Sheet) -> list[Flowable]:
    """A heading and its table; the heading stays with the first rows, and a table that breaks repeats its head."""
    style = [
        ("BACKGROUND", (0, 0), (-1, 0), _HEAD),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("LINEABOVE", (0, -1), (-1, -1), 0.8, _MUTED),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    wide = _wide(sheet)
    rows = [
        [_paragraph(value, _TEXT if column in wide else _NUMBER) for column, value in enumerate(row)]
        for row in (sheet.columns, *sheet.rows, sheet.total)
    ]
    widths = _widths(sheet, wide)
    if sheet.bars is not None:
        numbers = [value if isinstance(value := row[sheet.bars], int) else 0 for row in sheet.rows]
        top = max(numbers, default=0)
        for row, number in zip(rows[1:-1], numbers, strict=True):
            row.append(_Bar(number / top if top else 0.0, _WIDTH * 0.4 - 12))
        rows[0].append(_paragraph("", _TEXT))
        rows[-1].append(_paragraph("", _TEXT))
        widths = [*(width * 0.6 for width in widths), _WIDTH * 0.4]
    table = Table(rows, widths, repeatRows=1, style=style)
    heading = _paragraph(sheet.title, _HEADING)
    short = len(sheet.rows) <= 30
    return [KeepTogether([heading, table])] if short else [heading, table]


def _wide(sheet: Sheet) -> set[int]:
    """The columns of words: the first, and whatever holds a text."""
    words = {column for row in sheet.rows for column, value in enumerate(row) if isinstance(value, str) and value}
    return {0, *words}


def _widths(sheet: Sheet, wide: set[int]) -> list[float]:
    shares = [(2.0 if column in wide and (column or len(wide) == 1) else 1.0) for column in range(len(sheet.columns))]
    return [_WIDTH * share / sum(shares) for share in shares]


class _Bar(Flowable):  # type: ignore[misc]
    """A bar of a share, 0 to 1, of a width in points."""

    def __init__(self, share: float, width: float) -> None:
        super().__init__()
        self.share, self.width, self.height = share, width, 7

    def draw(self) -> None:
        if not self.share:
            return
        self.canv.setFillColor(_ACCENT)
        self.canv.rect(0, 0, self.width * self.share, self.height, stroke=0, fill=1)
