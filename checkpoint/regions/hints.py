"""The keys under which type-ahead finds a division: its name, the pinyin of it, its initials, and the ends of larger names.

Every key begins with the level's digit, so that a search can go from provinces to villages.
"""

from collections.abc import Iterator, Mapping

from checkpoint.regions import names
from checkpoint.regions.romanised import pinyin_of


def hint_keys(
    name: str, level: int, fold_map: dict[int, str], sounds: Mapping[str, tuple[str, ...]], *, phrases: bool = True
) -> Iterator[str]:
    """The keys of one division. `sounds` gives the readings of a character; with `phrases` large names are read as words too."""
    short = (names.village_short(name) if level == 5 else name).translate(fold_map)
    mark = str(level)
    yield mark + short
    syllables = [sounds[char][0] for char in short if char in sounds]
    yield mark + "".join(syllables)
    yield mark + "".join(syllable[0] for syllable in syllables)
    if phrases and level < 4:
        for latin in pinyin_of(short):
            yield mark + latin
    if level < 5:
        for start in range(1, len(short) - 1):
            yield mark + short[start:]
