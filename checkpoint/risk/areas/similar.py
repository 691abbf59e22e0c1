"""When two names of unequal spelling are still one name: a slip of the hand or of the ear, never a sibling.

Neighbouring estates differ by the same single character as a typing error does (东苑 and 西苑, 金桂园 and 银桂园). So a
changed character counts as a slip only if it sounds the same, or if the name is long and the character says nothing; a
digit, a letter, a direction or an ordinal that differs always means another place.
"""

from collections.abc import Iterator
from functools import lru_cache

from rapidfuzz.distance import OSA

_TELLING = frozenset("一二三四五六七八九十百千零甲乙丙丁戊己东西南北中前后左右上下内外新老旧大小高低金银红黄蓝绿白黑")
_TYPE = frozenset("花家园苑城庭府居湾里庄村街路巷道区院楼厦店场郡邸轩阁台岛湖河江山桥门口镇乡社期座栋公酒馆校厂司")
_FIXED = frozenset(
    {"社区", "小区", "街道", "委会", "公寓", "宿舍", "胡同", "大厦", "广场", "酒店", "宾馆", "医院", "超市", "市场"}
)
_SOFT = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))


def _soft(sound: str) -> str:
    for hard, soft in _SOFT:
        sound = sound.replace(hard, soft)
    if sound.startswith("n") and len(sound) > 1:
        sound = "l" + sound[1:]
    return sound


@lru_cache(maxsize=30_000)
def sounds(char: str) -> frozenset[str]:
    """All toneless readings of a character, with sounds that dialects mix made one."""
    from pypinyin import Style, pinyin  # half a second of start-up, needed only once something is compared by sound

    readings = pinyin(char, style=Style.NORMAL, heteronym=True, errors="ignore")
    return frozenset(_soft(sound) for sound in readings[0]) if readings else frozenset()


def same_sound(a: str, b: str) -> bool:
    """Whether two characters may be typed for each other by sound."""
    return not sounds(a).isdisjoint(sounds(b))


def _telling(char: str) -> bool:
    return char in _TELLING or char.isascii() or char.isdigit()


def _substituted(a: str, b: str, size: int, fixed: bool = False) -> bool:
    if a.isascii() or b.isascii():
        return False
    if same_sound(a, b):
        return not (a in _TELLING and b in _TELLING)
    return (size >= 6 or fixed) and not (_telling(a) or _telling(b) or (not fixed and a in _TYPE) or b in _TYPE)


def _in_fixed_word(name: str, at: int) -> bool:
    """Whether a character is half of a word such as 社区, which another character cannot turn into a sibling."""
    return name[at : at + 2] in _FIXED or (at > 0 and name[at - 1 : at + 1] in _FIXED)


def _swapped(a: str, b: str, at: list[int]) -> bool:
    first, second = at
    if second != first + 1 or a[first] != b[second] or a[second] != b[first]:
        return False
    return not (_telling(a[first]) and _telling(a[second]))


def _lengthened(longer: str, shorter: str) -> bool:
    """Whether one character too many, or too few, is only a slip."""
    at = next((i for i, c in enumerate(shorter) if longer[i] != c), len(shorter))
    if longer[at + 1 :] != shorter[at:]:
        return False
    extra = longer[at]
    if at and longer[at - 1] == extra:
        return not extra.isdigit()
    if _telling(extra) or (at == len(shorter) and extra in _TYPE):
        return False
    return len(longer) >= (6 if extra in _TYPE else 4) and at < len(shorter)


def similar(a: str, b: str) -> bool:
    """Whether two different folded names are one name with a slip; symmetric."""
    if len(a) < len(b):
        a, b = b, a
    if len(a) - len(b) > 1 or len(b) < 2 or OSA.distance(a, b, score_cutoff=2) > 2:
        return False
    if len(a) != len(b):
        return _lengthened(a, b)
    at = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if len(at) == 1:
        x, y = a[at[0]], b[at[0]]
        if _in_fixed_word(a, at[0]):
            return _substituted(x, y, 0, fixed=True)
        return _substituted(y, x, len(a), fixed=_in_fixed_word(b, at[0]))
    if len(at) != 2 or len(a) < 3:
        return False
    return _swapped(a, b, at) or (
        len(a) >= 4 and all(same_sound(a[i], b[i]) and _substituted(a[i], b[i], 0) for i in at)
    )


def mistyped(a: str, b: str) -> bool:
    """Whether two names of four characters and more differ in one that says nothing: enough where more agrees behind."""
    if len(a) != len(b) or len(a) < 4:
        return False
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
    return len(pairs) == 1 and not any(_telling(c) for c in pairs[0])


def neighbours(name: str) -> Iterator[str]:
    """The keys under which a name and its misspellings meet: itself, and itself without one character."""
    yield name
    for i in range(len(name)):
        yield name[:i] + name[i + 1 :]
