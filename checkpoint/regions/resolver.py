"""From a text to a place: pure, deterministic, safe in threads."""

import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from checkpoint.regions.answer import answer
from checkpoint.regions.folding import fold
from checkpoint.regions.index import ROOT, RegionIndex, open_index
from checkpoint.regions.overlay import read_alias
from checkpoint.regions.places import AliasBook, Resolution
from checkpoint.regions.reading import Reading, read
from checkpoint.regions.romanised import is_latin, read_latin

_state: dict[str, Path | RegionIndex] = {}
_lock = Lock()


def configure(path: Path) -> None:
    """Name the index file that `resolve` opens at its first use; an index opened before is let go."""
    with _lock:
        _state.clear()
        _state["path"] = path


def default_index() -> RegionIndex:
    """The configured index, opened once; `$CHECKPOINT_DATA/regions.idx` when nothing was configured.

    Raises IndexUnusable when the file is missing or damaged.
    """
    opened = _state.get("index")
    if isinstance(opened, RegionIndex):
        return opened
    with _lock:
        opened = _state.get("index")
        if isinstance(opened, RegionIndex):
            return opened
        path = _state.get("path")
        if not isinstance(path, Path):
            path = Path(os.environ.get("CHECKPOINT_DATA", "instance")) / "regions.idx"
        opened = open_index(path)
        _state["index"] = opened
        return opened


def resolve(
    text: str, within: str | None = None, *, index: RegionIndex | None = None, aliases: AliasBook | None = None
) -> Resolution:
    """Say which division a text names, at whatever depth it is certain.

    `within` is a code (12 digits, or a prefix of one) that the place is known to lie in; in an unknown one there is nothing.
    """
    return _resolve(text, within, index or default_index(), aliases)


def resolve_many(
    texts: Iterable[str],
    within: str | None = None,
    *,
    index: RegionIndex | None = None,
    aliases: AliasBook | None = None,
) -> list[Resolution]:
    """Resolve texts in order; texts that are equal are looked at once."""
    opened = index or default_index()
    known: dict[str, Resolution] = {}
    answers = []
    for text in texts:
        answer = known.get(text)
        if answer is None:
            answer = known[text] = _resolve(text, within, opened, aliases)
        answers.append(answer)
    return answers


def _resolve(text: str, within: str | None, index: RegionIndex, aliases: AliasBook | None) -> Resolution:
    folded = fold(text, index.fold_map, index.changes)
    above = index.find(within.ljust(12, "0")) if within else ROOT
    if within and above < 0:
        return Resolution(None, None, 0.0, (), False, (), text)
    if is_latin(folded.text):
        chains, folded = read_latin(index, text, above)
        reading = Reading(chains, False, None)
    else:
        reading = (read_alias(index, folded.text, above, aliases) if aliases else None) or read(
            index, folded.text, above
        )
    if not reading.chains:
        return Resolution(None, None, 0.0, (), False, (), text)
    return answer(index, text, folded, reading)
