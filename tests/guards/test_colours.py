"""Colours have one home: `tokens.css` gives their values, `tokens-dark.css` those of the night, every other sheet uses the names."""

import re
from pathlib import Path

import pytest

from checkpoint.config import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "checkpoint" / "static" / "css"
DAY, NIGHT = FOLDER / "tokens.css", FOLDER / "tokens-dark.css"
SHEETS = sorted(set(FOLDER.glob("*.css")) - {DAY, NIGHT})
NAMED = "aqua|black|blue|brown|cyan|gold|gr[ae]y|green|lime|magenta|maroon|navy|olive|orange|pink|purple|red|silver|teal|white|yellow"
RAW = re.compile(
    rf"#[0-9a-f]{{3,8}}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\(|(?<![\w.-])(?:{NAMED})(?![\w-])",
    re.IGNORECASE,
)
# What may stand in a value without being a colour of ours: a rule's own names, and what the reader's system chooses.
LENGTH = re.compile(r"var\([^()]*\)|url\([^)]*\)|\"[^\"]*\"")


def values(sheet: Path) -> str:
    """The declarations of a sheet, each as `property: value`, without comments and selectors."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
    return "\n".join(
        f"{name}: {LENGTH.sub('', value)}" for name, value in re.findall(r"([\w-]+)\s*:\s*([^;{}]+)[;}]", text)
    )


def names(sheet: Path) -> dict[str, str]:
    """The custom properties that a sheet gives, with their values."""
    return dict(re.findall(r"(--[\w-]+)\s*:\s*([^;]+);", sheet.read_text("utf-8")))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_no_sheet_has_a_colour_of_its_own(sheet: Path) -> None:
    assert [line for line in values(sheet).splitlines() if RAW.search(line)] == []


def test_the_guard_knows_a_colour() -> None:
    for raw in ("color: #fff", "border: 1px solid rgb(0 0 0 / 8%)", "background: white", "fill: hsl(1 2% 3%)"):
        assert RAW.search(raw)
    for used in ("color: ", "white-space: nowrap", "border: 0", "margin: 0 auto"):
        assert not RAW.search(used)


def test_every_name_that_a_sheet_uses_is_given_somewhere() -> None:
    given = {name for sheet in (DAY, NIGHT, *SHEETS) for name in names(sheet)}
    used = {
        name
        for sheet in (DAY, NIGHT, *SHEETS)
        for name, fallback in re.findall(r"var\((--[\w-]+)(,)?", sheet.read_text("utf-8"))
        if not fallback and not name.startswith("--pico-")
    }
    assert sorted(used - given) == []


def test_the_night_changes_every_colour_that_can_change_and_no_other() -> None:
    by_day = DAY.read_text("utf-8")
    palette = by_day[by_day.index("--page:") : by_day.index("/* The same by day and by night")]
    assert sorted(names(NIGHT)) == sorted(re.findall(r"(--[\w-]+)\s*:", palette))


def test_the_bar_of_the_browser_has_the_colour_of_the_page() -> None:
    base = (PROJECT_ROOT / "templates" / "base.html").read_text("utf-8")
    for scheme, sheet in (("light", DAY), ("dark", NIGHT)):
        assert f'("{scheme}", "{names(sheet)["--page"]}")' in base
