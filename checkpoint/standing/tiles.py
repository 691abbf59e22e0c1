"""A schematic map without a map server: each town is a tile, where `tiles.json` says. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from checkpoint.standing.figures import Place

_FILE = Path(__file__).parent / "tiles.json"
_COUNTY_CODE = 6


@dataclass(frozen=True, slots=True)
class Tile:
    """A place on the map; column and row count from 1."""

    place: Place
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Map:
    """Tiles by row and column. Where nobody has drawn where places lie (`is_drawn`), they stand in the order of their codes."""

    tiles: Sequence[Tile]
    is_drawn: bool


@lru_cache(maxsize=1)
def _drawn() -> dict[str, dict[str, list[int]]]:
    return {code: one["tiles"] for code, one in json.loads(_FILE.read_text()).items()}


def lay_out(places: Sequence[Place], division: str) -> Map:
    """The map of a division. What its drawn map does not name stands in rows below it, by code."""
    is_city = not division[_COUNTY_CODE:].strip("0")
    drawn = _drawn().get(division[:_COUNTY_CODE], {}) if is_city else {}
    named = [Tile(one, *drawn[one.code]) for one in places if one.code in drawn]
    rest = sorted((one for one in places if one.code not in drawn), key=lambda one: one.code)
    columns = max((tile.column for tile in named), default=1)
    below = max((tile.row for tile in named), default=0)
    more = [Tile(one, number % columns + 1, below + number // columns + 1) for number, one in enumerate(rest)]
    return Map(sorted([*named, *more], key=lambda tile: (tile.row, tile.column)), bool(named))
