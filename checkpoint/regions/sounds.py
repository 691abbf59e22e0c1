"""How characters sound: readings without tones, and the likeness of two characters."""

from collections.abc import Iterable

# Sounds that speakers of many dialects do not keep apart: they cost little more than the same sound.
_MERGED = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("l", "n"), ("f", "h"), ("r", "l"))

SAME, NEAR, UNLIKE = 0.3, 0.45, 0.85


def sound_table(used: Iterable[str]) -> str:
    """The readings of every common character and of those used: one line a reading list, 'readings<TAB>characters'."""
    from pypinyin import Style, pinyin

    chars = sorted(set(used) | {chr(point) for point in range(0x4E00, 0x9FA6)})
    groups: dict[str, list[str]] = {}
    for char in chars:
        if not "\u3400" <= char <= "\U00033479":
            continue
        readings = [
            r for r in pinyin(char, style=Style.NORMAL, heteronym=True, v_to_u=False)[0] if r.isascii() and r.isalpha()
        ]
        if readings:
            groups.setdefault(" ".join(dict.fromkeys(readings)), []).append(char)
    return "\n".join(f"{readings}\t{''.join(group)}" for readings, group in sorted(groups.items()))


def read_table(text: str) -> dict[str, tuple[str, ...]]:
    """Character → its readings, the most frequent first."""
    table: dict[str, tuple[str, ...]] = {}
    for line in text.split("\n"):
        readings, _, chars = line.partition("\t")
        split = tuple(readings.split())
        for char in chars:
            table[char] = split
    return table


def merged(reading: str) -> str:
    """A reading with the pairs that dialects merge written alike: zhang → zan."""
    for full, short in _MERGED[:4]:
        reading = reading.replace(full, short)
    if reading[:1] in "lr":
        return "n" + reading[1:]
    return "h" + reading[1:] if reading[:1] == "f" else reading


Likeness = dict[str, tuple[frozenset[str], frozenset[str]]]


def likeness_table(table: dict[str, tuple[str, ...]]) -> Likeness:
    """Character → its readings as they are, and with merged sounds: two look-ups tell how alike two characters are."""
    made: dict[tuple[str, ...], tuple[frozenset[str], frozenset[str]]] = {}
    likeness: Likeness = {}
    for char, readings in table.items():
        pair = made.get(readings)
        if pair is None:
            pair = made[readings] = (frozenset(readings), frozenset(map(merged, readings)))
        likeness[char] = pair
    return likeness


def likeness_cost(table: Likeness, one: str, other: str) -> float:
    """What it costs to read one character for another: 0 for itself, SAME or NEAR by sound, else UNLIKE."""
    if one == other:
        return 0.0
    first, second = table.get(one), table.get(other)
    if not first or not second:
        return UNLIKE
    if not first[0].isdisjoint(second[0]):
        return SAME
    return UNLIKE if first[1].isdisjoint(second[1]) else NEAR
