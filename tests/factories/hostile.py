"""Files as they come and as they are made to do harm: workbooks written by hand, so that what stands in them is known to the byte."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_ODS = "application/vnd.oasis.opendocument.spreadsheet"
_SPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"'
)


def ods(path: Path, rows: str) -> Path:
    """An OpenDocument spreadsheet of one sheet whose rows are given as XML."""
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_SPACES} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="名单">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", _ODS, zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return path


def ods_row(cells: Sequence[str]) -> str:
    """A row of text, dates (`date:1985-03-17`) and formulas (`of:=…|what it shows`)."""
    found = []
    for cell in cells:
        if cell.startswith("date:"):
            day = cell.removeprefix("date:")
            found.append(
                f'<table:table-cell office:value-type="date" office:date-value="{day}"><text:p>{day}</text:p>'
                "</table:table-cell>"
            )
        elif cell.startswith("of:="):
            formula, _, shown = cell.partition("|")
            found.append(
                f'<table:table-cell table:formula="{escape(formula, {chr(34): "&quot;"})}" '
                f'office:value-type="string"><text:p>{escape(shown)}</text:p></table:table-cell>'
            )
        else:
            found.append(
                f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
            )
    return f"<table:table-row>{''.join(found)}</table:table-row>"


def bomb(path: Path, name: str, size: int) -> Path:
    """An archive of a few hundred KB in which a part of a workbook unpacks to `size` bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml" if name.startswith("xl/") else "mimetype", "<workbook/>")
        with archive.open(name, "w", force_zip64=True) as part:
            for _piece in range(size >> 20):
                part.write(bytes(1 << 20))
    return path
