"""One map for texts and names: width, compatibility forms and traditional characters; separators fall out.

The map is made when an index is built (the conversion tables are large) and is kept in the index.
"""

import sys
import unicodedata
from typing import NamedTuple

# The tables convert these for the meaning they have in words; in names of places they are other characters.
_KEEP = frozenset("乾")
# Forms that the tables leave alone and that people write for a character of a name.
_VARIANTS = {
    "﨑": "崎",
    "塩": "盐",
    "広": "广",
    "関": "关",
    "県": "县",
    "沢": "泽",
    "浜": "滨",
    "甯": "宁",
    "邨": "村",
    "厰": "厂",
    "堃": "坤",
    "峯": "峰",
    "昇": "升",
    "衞": "卫",
    "涌": "涌",
    "祇": "只",
    "〇": "零",
}


class Folded(NamedTuple):
    """A folded text; `offsets[i]` is where its i-th character stood in the original, or None when nothing moved."""

    text: str
    offsets: list[int] | None

    def origin(self, position: int, original_length: int) -> int:
        """The position in the original text that a position of the folded text came from."""
        if self.offsets is None:
            return position
        return self.offsets[position] if position < len(self.offsets) else original_length


def build_fold_map() -> dict[int, str]:
    """Code point → the one character it folds to, or '' for separators and invisible characters; only those that change.

    A character whose compatibility form is longer (㎡) stays, so that a folded text never grows.
    """
    from zhconv import convert

    table: dict[int, str] = {}
    for point in range(sys.maxunicode + 1):
        char = chr(point)
        category = unicodedata.category(char)
        if category in {"Cn", "Cs", "Co"}:
            continue
        if category[0] in "ZCPSM" and char != "#":
            table[point] = ""
            continue
        folded = unicodedata.normalize("NFKC", char).casefold()
        if "\u00c0" <= char <= "\u024f" or "\u1e00" <= char <= "\u1eff":
            folded = unicodedata.normalize("NFKD", folded)[:1]
        if folded[:1] >= "\u3400" and folded not in _KEEP:
            folded = _VARIANTS.get(folded) or str(convert(folded, "zh-cn"))
            folded = _VARIANTS.get(folded, folded)
        folded = "".join(c for c in folded if unicodedata.category(c)[0] in "LN" or c == "#")
        if folded != char and len(folded) < 2:
            table[point] = folded
    return table


def changing_characters(table: dict[int, str]) -> frozenset[str]:
    """The characters that fold to something else."""
    return frozenset(map(chr, table))


def fold(text: str, table: dict[int, str], changes: frozenset[str]) -> Folded:
    """Fold a text by an index's map. Linear in its length; most texts have nothing to fold."""
    if changes.isdisjoint(text):
        return Folded(text, None)
    folded = text.translate(table)
    if len(folded) == len(text):
        return Folded(folded, None)
    return Folded(folded, [position for position, char in enumerate(text) if table.get(ord(char)) != ""])
