"""The places that a phone keeps for a form with no network: every county, and the towns and villages of the site."""

from checkpoint.regions.index import RegionIndex
from checkpoint.regions.models import significant
from checkpoint.regions.source import full_name

COUNTY = 3


def pocket_book(index: RegionIndex, site: str) -> list[str]:
    """One line for each place, in the order of the tree: what is left of the code without its zeros, the name, initials.

    `330482 平湖市 phs`: whoever types phs finds it. The name of a place is to be read behind those of the shorter codes that its own
    begins with; a level of the tree that only has a collective name (市辖区) has an empty one. Cities without counties (东莞市) end
    their line there.
    """
    sounds = index.sound_table()
    inside = index.range_of(site) if index.exists(site) else (0, 0)
    lines = []
    for node in range(len(index)):
        if index.levels[node] <= COUNTY or inside[0] <= node < inside[1]:
            shown = full_name([index.name_of(node)])
            lines.append(f"{significant(index.code(node))} {shown} {_initials(shown, sounds)}".rstrip())
    return lines


def _initials(name: str, sounds: dict[str, tuple[str, ...]]) -> str:
    """The first letters of the name's readings; a character with several is taken by its first."""
    return "".join(sounds[one][0][0] for one in name if sounds.get(one))
