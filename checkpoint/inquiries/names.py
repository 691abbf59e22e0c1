"""How alike two names of people are: a level and how common the name is. Pure.

Lists are typed by hand from forms, heard over the telephone, or exported from systems that hold only pinyin. So a name may come
in traditional characters, with a surname written by its usual variant, by sound, in pinyin with or without blanks, given name first,
or with one character wrong. Each of these is a level of its own, because each is weak or strong evidence to a different degree.
"""

import enum
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from math import log10

import zhconv
from pypinyin import lazy_pinyin
from rapidfuzz.distance import OSA


class NameLevel(enum.StrEnum):
    """From the same to different; `missing` says nothing."""

    SAME = "same"
    VARIANT = "variant"  # traditional characters, a variant of the surname
    SWAPPED = "swapped"  # given name first, or two characters of it exchanged
    HOMOPHONE = "homophone"
    PINYIN = "pinyin"  # one side has letters only
    NEAR_SOUND = "near_sound"  # one syllable differs as dialects and ears confuse them
    SHORTER = "shorter"  # one character is missing
    NEAR_LETTERS = "near_letters"  # letters with one slip
    OTHER_CHARACTER = "other_character"  # one character of three differs: as often a brother as a slip
    SURNAME = "surname"
    DIFFERENT = "different"
    MISSING = "missing"


LIKE = frozenset(
    {NameLevel.SAME, NameLevel.VARIANT, NameLevel.SWAPPED, NameLevel.HOMOPHONE, NameLevel.PINYIN, NameLevel.NEAR_SOUND}
)
"""Levels at which a person would say: the same name, written in another way."""

_COMPOUND = frozenset(
    {
        "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐",
        "宇文", "长孙", "司徒", "司空", "夏侯", "端木", "南宫",
        "独孤", "轩辕", "赫连", "澹台", "呼延", "拓跋", "闻人",
    }
)  # fmt: skip
# Surnames that the simplification of 1977 and its withdrawal left with two spellings; people carry one and clerks write the other.
_VARIANTS = str.maketrans("付肖闫代兰丘予於歺笵肻锺鐘鍾佘", "傅萧阎戴蓝邱余于餐范肯钟钟钟佘")
# Characters that are read otherwise as surnames.
SURNAME_READINGS = {
    "曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "任": "ren", "盖": "ge", "区": "ou", "朴": "piao", "翟": "zhai",
    "乐": "yue", "覃": "qin", "晁": "chao", "宓": "mi", "缪": "miao", "种": "chong", "秘": "bi", "召": "shao", "黑": "he", "员": "yun",
    "卜": "bu", "冼": "xian", "折": "she", "尉": "wei", "纪": "ji", "华": "hua", "应": "ying", "洗": "xian",
}  # fmt: skip
# Sounds that dialects and ears exchange, each by the one that stands for its group; l, n and r are one group.
_LIKE_SOUNDS = (
    ("zh", "z"),
    ("ch", "c"),
    ("sh", "s"),
    ("ng", "n"),
    ("l", "n"),
    ("r", "n"),
    ("f", "h"),
    ("b", "p"),
    ("d", "t"),
)
_COMMON = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖"
    "石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万钱严覃武戴莫孔向常"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name made ready for comparison.

    `raw` is as typed without blanks and titles, `text` simplified Han, or lower-case letters and blanks on both.
    """

    raw: str
    text: str
    is_han: bool
    syllables: tuple[str, ...]

    @property
    def surname(self) -> str:
        return self.text[:2] if self.text[:2] in _COMPOUND and len(self.text) > 2 else self.text[:1]

    @property
    def rarity(self) -> float:
        """How many powers of ten of people one must ask to meet the name once; 2.5 to 6.5. Shares fall off as 1/rank."""
        if not self.is_han:
            return 4.0
        rank = _COMMON.find(self.text[:1])
        share = 0.075 / (rank + 1) ** 0.75 if rank >= 0 else 0.0004
        return -log10(share) + (1.9 if len(self.text) - len(self.surname) <= 1 else 3.4)


def _is_han(character: str) -> bool:
    return (
        "\u4e00" <= character <= "\u9fff"
        or "\u3400" <= character <= "\u4dbf"
        or "\U00020000" <= character <= "\U0003134f"
    )


@lru_cache(maxsize=65536)
def read_name(raw: str) -> Name | None:
    """A name as it was typed, made ready; None when there is nothing to compare."""
    folded = unicodedata.normalize("NFKC", raw).strip()
    han = "".join(character for character in folded if _is_han(character))
    if len(han) >= 2:
        text = zhconv.convert(han, "zh-hans")
        return Name(han, text, True, _syllables(text))
    letters = unicodedata.normalize("NFD", folded.lower()).replace("ü", "v")
    plain = "".join(
        character if character.isascii() and character.isalpha() else " "
        for character in letters
        if not unicodedata.combining(character)
    )
    words = plain.split()
    if sum(map(len, words)) < 3:
        return None
    return Name(" ".join(words), " ".join(words), False, tuple(words))


def _syllables(text: str) -> tuple[str, ...]:
    sounds = lazy_pinyin(text)
    if text[0] in SURNAME_READINGS and text[:2] not in _COMPOUND:
        sounds[0] = SURNAME_READINGS[text[0]]
    return tuple(sounds)


def compare_names(left: Name | None, right: Name | None) -> NameLevel:
    """The level at which two names agree."""
    if left is None or right is None:
        return NameLevel.MISSING
    if left.is_han and right.is_han:
        return _compare_han(left, right)
    if left.is_han or right.is_han:
        return _compare_mixed(left, right)
    return _compare_letters(left, right)


def _compare_han(left: Name, right: Name) -> NameLevel:
    if left.raw == right.raw:
        return NameLevel.SAME
    if left.text.translate(_VARIANTS) == right.text.translate(_VARIANTS):
        return NameLevel.VARIANT
    if _swapped(left.text, right.text):
        return NameLevel.SWAPPED
    if left.syllables == right.syllables:
        return NameLevel.HOMOPHONE
    if len(left.text) == len(right.text):
        return _one_off(left, right)
    return _of_other_length(left, right)


def _swapped(left: str, right: str) -> bool:
    if len(left) != len(right) or sorted(left) != sorted(right):
        return False
    turned = any(left[cut:] + left[:cut] == right for cut in range(1, len(left)))
    return turned or OSA.distance(left, right) == 1


def _one_off(left: Name, right: Name) -> NameLevel:
    wrong = [at for at, (one, other) in enumerate(zip(left.text, right.text, strict=True)) if one != other]
    if len(wrong) == 1 and len(left.syllables) == len(right.syllables) == len(left.text):
        at = wrong[0]
        if _alike(left.syllables[at], right.syllables[at]):
            return NameLevel.NEAR_SOUND
        if len(left.text) >= 3:
            return NameLevel.OTHER_CHARACTER
    return NameLevel.SURNAME if left.surname == right.surname else NameLevel.DIFFERENT


def _alike(left: str, right: str) -> bool:
    if left == right:
        return True
    for long, short in _LIKE_SOUNDS:
        left, right = left.replace(long, short), right.replace(long, short)
    return left == right


def _of_other_length(left: Name, right: Name) -> NameLevel:
    short, long = sorted((left.text, right.text), key=len)
    dropped = len(long) - len(short) == 1 and any(long[:at] + long[at + 1 :] == short for at in range(1, len(long)))
    if dropped:
        return NameLevel.SHORTER
    return NameLevel.SURNAME if left.surname == right.surname else NameLevel.DIFFERENT


def _compare_mixed(left: Name, right: Name) -> NameLevel:
    han, letters = (left, right) if left.is_han else (right, left)
    given = len(han.surname)
    orders = {"".join(han.syllables), "".join(han.syllables[given:] + han.syllables[:given])}
    joined = letters.text.replace(" ", "")
    if joined in orders:
        return NameLevel.PINYIN
    near = min(OSA.distance(joined, order, score_cutoff=1) for order in orders)
    return NameLevel.NEAR_LETTERS if near == 1 and len(joined) >= 6 else NameLevel.DIFFERENT


def _compare_letters(left: Name, right: Name) -> NameLevel:
    one, other = left.text.replace(" ", ""), right.text.replace(" ", "")
    if one == other:
        return NameLevel.SAME
    if sorted(left.syllables) == sorted(right.syllables) or any(
        one[cut:] + one[:cut] == other for cut in range(2, len(one) - 1)
    ):
        return NameLevel.SWAPPED
    if OSA.distance(one, other, score_cutoff=1) == 1 and len(one) >= 6:
        return NameLevel.NEAR_LETTERS
    return NameLevel.SURNAME if left.syllables[0] == right.syllables[0] else NameLevel.DIFFERENT
