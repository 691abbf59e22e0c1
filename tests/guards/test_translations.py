"""Chinese is complete: every message of code and templates has a translation, none is fuzzy, and all placeholders agree."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from checkpoint.config import PROJECT_ROOT

CATALOGUE = PROJECT_ROOT / "checkpoint" / "translations" / "zh" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "lazy_gettext", "_l", "lazy")),
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh")


def extracted() -> dict[str, str]:
    """Each message of the code and the templates, with the place where it stands."""
    methods, options = parse_mapping_cfg(io.StringIO((PROJECT_ROOT / "babel.cfg").read_text("utf-8")))
    found = {}
    lines = extract_from_dir(
        str(PROJECT_ROOT),
        methods,
        options,
        keywords=KEYWORDS,
        comment_tags=(),
        directory_filter=lambda folder: Path(folder).relative_to(PROJECT_ROOT).parts[0] in ("checkpoint", "templates"),
    )
    for name, line, message, _comments, _context in lines:
        singular = message[0] if isinstance(message, tuple) else message
        found[singular] = f"{name}:{line}"
    return found


def test_no_message_is_left_in_english(catalogue: Catalog) -> None:
    missing = {text: place for text, place in extracted().items() if not _translated(catalogue, text)}
    assert missing == {}


def test_messages_are_found() -> None:
    """The guard above would pass if nothing were extracted."""
    places = extracted()
    assert any(place.startswith("checkpoint/") for place in places.values())
    assert any(place.startswith("templates/") for place in places.values())


def _translated(catalogue: Catalog, text: str) -> bool:
    message = catalogue.get(text)
    if message is None or message.fuzzy:
        return False
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


def test_none_is_fuzzy_or_empty(catalogue: Catalog) -> None:
    assert [message.id for message in catalogue if message.id and not _translated(catalogue, _key(message.id))] == []


def _key(identity: str | tuple[str, ...]) -> str:
    return identity[0] if isinstance(identity, tuple) else identity


def test_placeholders_agree(catalogue: Catalog) -> None:
    """A name that the translation drops or invents would be an error page."""
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        originals = message.id if isinstance(message.id, tuple) else (message.id,)
        allowed = {name for text in originals for name in _PLACEHOLDER.findall(text)}
        for text in message.string if isinstance(message.string, tuple) else (message.string,):
            used = set(_PLACEHOLDER.findall(text))
            if not used <= allowed or (len(originals) == 1 and used != allowed):
                wrong.append(f"{_key(message.id)!r} → {text!r}")
    assert wrong == []


def test_the_compiled_catalogue_is_up_to_date(catalogue: Catalog) -> None:
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)
    for message in catalogue:
        if message.id:
            assert compiled.get(_key(message.id)) is not None, f"{message.id!r} is not compiled: run scripts/install"
