"""Labelled pairs of people for measuring the matcher, made by rule and the same for the same seed. Nobody in them exists.

A registered person has a valid document, a phone and often a plate, as registrations have. A listed person is either the same one,
written down in one of the ways that lists show (`SAME`), or somebody else who looks alike in one of the ways that families,
namesakes and reused phones do (`OTHERS`). Each way is a kind; its function says by what rule it changes the record. Half of the pairs,
by turns, are for tuning, the other half is held back.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pypinyin import Style, lazy_pinyin, pinyin

from checkpoint.inquiries.documents import check_digit, read_document

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖傅戴萧阎"
)
_COMPOUND = ("欧阳", "司马", "上官", "诸葛")
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华玉梅建国志文辉俊鹏宇浩然欣怡佳琪子轩梓涵雨泽晨曦思远嘉悦诗一诺博雪婷晓东"
    "海燕红波春林峰云飞翔宁凯帆楠成城程琴勤青清金锦进晋民珉鸣名"
)
_TRADITIONAL = str.maketrans(
    "张刘陈杨黄赵吴孙马罗郑谢许韩邓冯肖蒋叶苏吕卢钟谭陆伟丽强军艳杰娟涛超兰刚华国辉俊鹏诗诺晓东红云飞宁凯锦进晋鸣静",
    "張劉陳楊黃趙吳孫馬羅鄭謝許韓鄧馮蕭蔣葉蘇呂盧鍾譚陸偉麗強軍豔傑娟濤超蘭剛華國輝俊鵬詩諾曉東紅雲飛寧凱錦進晉鳴靜",
)
_COUNTIES = ("330482", "330402", "310115", "320583", "110108", "440305", "420106", "510107", "610113", "230102")
_PHONE_HEADS = ("13", "15", "17", "18", "19")


@dataclass(frozen=True, slots=True)
class Record:
    """A person as a list or the registry has it; empty texts are not known."""

    name: str = ""
    document: str = ""
    phone: str = ""
    born: date | None = None
    plate: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A listed and a registered person, whether they are one, how many hold the listed phone, the kind, and the half."""

    kind: str
    listed: Record
    registered: Record
    same: bool
    holders: int = 1
    half: str = "tune"


Maker = Callable[[random.Random, Record], tuple[Record, Record, int]]


def _document(rng: random.Random, born: date, sequence: int | None = None, county: str | None = None) -> str:
    number = rng.randrange(1, 1000) if sequence is None else sequence
    body = f"{county or rng.choice(_COUNTIES)}{born:%Y%m%d}{number:03d}"
    return body + check_digit(body)


def _name(rng: random.Random, surname: str = "") -> str:
    chosen = surname or (rng.choice(_COMPOUND) if rng.random() < 0.01 else rng.choice(_SURNAMES))
    return chosen + "".join(rng.sample(_GIVEN, k=1 if rng.random() < 0.2 else 2))


def _phone(rng: random.Random) -> str:
    return rng.choice(_PHONE_HEADS) + f"{rng.randrange(10**9):09d}"


def _plate(rng: random.Random) -> str:
    return f"{rng.choice('浙沪苏皖')}{rng.choice('ABCDEF')}{rng.randrange(100_000):05d}"


def _person(rng: random.Random) -> Record:
    born = date(1935, 1, 1) + timedelta(days=rng.randrange(30_000))
    return Record(_name(rng), _document(rng, born), _phone(rng), None, _plate(rng) if rng.random() < 0.6 else "")


def _born(record: Record) -> date | None:
    found = read_document(record.document)
    return found.born if found else None


def _surname(name: str) -> str:
    return name[:2] if name[:2] in _COMPOUND else name[:1]


# -- How names are written ----------------------------------------------------


def _traditional(rng: random.Random, name: str) -> str:
    return name.translate(_TRADITIONAL)


def _homophone(rng: random.Random, name: str) -> str:
    """One given-name character replaced by another one that sounds the same; unchanged if there is none."""
    places = list(range(len(_surname(name)), len(name)))
    rng.shuffle(places)
    for at in places:
        sound = lazy_pinyin(name[at])
        others = [other for other in _GIVEN if other != name[at] and lazy_pinyin(other) == sound]
        if others:
            return name[:at] + rng.choice(others) + name[at + 1 :]
    return name


def _to_pinyin(rng: random.Random, name: str) -> str:
    """Letters as systems without characters hold them: tones or none, blanks or none, given name first or last."""
    surname, given = _surname(name), name[len(_surname(name)) :]
    style = Style.TONE if rng.random() < 0.15 else Style.NORMAL
    first = (
        "".join(lazy_pinyin(surname))
        if style is Style.NORMAL
        else "".join(part[0] for part in pinyin(surname, style=style))
    )
    last = "".join(part[0] for part in pinyin(given, style=style))
    words = [first, last] if rng.random() < 0.6 else [last, first]
    text = rng.choice((" ", ""))[:1].join(words)
    return text.upper() if rng.random() < 0.4 else text.title() if rng.random() < 0.5 else text


def _turned(rng: random.Random, name: str) -> str:
    surname = _surname(name)
    return name[len(surname) :] + surname


def _near_sound(rng: random.Random, name: str) -> str:
    """One given-name character misheard: 成 for 晨, 林 for 宁."""
    likes = {
        "晨": "城",
        "成": "晨",
        "城": "晨",
        "静": "金",
        "金": "静",
        "林": "宁",
        "宁": "林",
        "英": "琴",
        "民": "明",
        "明": "民",
        "青": "琴",
        "兰": "然",
    }
    for at in range(len(_surname(name)), len(name)):
        if name[at] in likes:
            return name[:at] + likes[name[at]] + name[at + 1 :]
    return _homophone(rng, name)


_WRITINGS: dict[str, Callable[[random.Random, str], str]] = {
    "traditional": _traditional,
    "homophone": _homophone,
    "pinyin": _to_pinyin,
    "swapped": _turned,
    "misheard": _near_sound,
}


# -- How documents and phones are written --------------------------------------


def _one_wrong(rng: random.Random, text: str) -> str:
    at = rng.randrange(6, 17)
    return text[:at] + rng.choice([digit for digit in "0123456789" if digit != text[at]]) + text[at + 1 :]


def _two_exchanged(rng: random.Random, text: str) -> str:
    places = [at for at in range(6, 16) if text[at] != text[at + 1]]
    at = rng.choice(places or [6])
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _short(text: str) -> str:
    return text[:6] + text[8:17]


def _masked(text: str) -> str:
    return text[:6] + "*" * 8 + text[14:]


def _masked_phone(text: str) -> str:
    return text[:3] + "****" + text[7:]


def _wrong_phone(rng: random.Random, text: str) -> str:
    at = rng.randrange(3, 11)
    return text[:at] + str((int(text[at]) + rng.randrange(1, 10)) % 10) + text[at + 1 :]


# -- The same person -----------------------------------------------------------


def _of(**changes: Callable[[random.Random, Record], object]) -> Maker:
    """A kind whose listed record has only the named parts, each made from the registered one."""

    def make(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
        found = {part: change(rng, person) for part, change in changes.items()}
        return Record(**found), person, 1  # type: ignore[arg-type]

    return make


def _kept(part: str) -> Callable[[random.Random, Record], object]:
    return lambda _rng, person: getattr(person, part)


def _written(how: str) -> Callable[[random.Random, Record], object]:
    return lambda rng, person: _WRITINGS[how](rng, person.name)


def _passport(part: Callable[[random.Random, str], str] | None, *, with_name: bool) -> Maker:
    def make(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
        number = f"{rng.choice('EGP')}{rng.randrange(10**8):08d}"
        holder = replace(person, document=number, born=_born(person))
        listed = Record(
            person.name if with_name else "", part(rng, number) if part else number, "", holder.born if part else None
        )
        return listed, holder, 1

    return make


def _one_digit(rng: random.Random, text: str) -> str:
    at = rng.randrange(1, len(text))
    return text[:at] + str((int(text[at]) + rng.randrange(1, 10)) % 10) + text[at + 1 :]


_NAME, _DOCUMENT, _PHONE, _PLATE = _kept("name"), _kept("document"), _kept("phone"), _kept("plate")


def _doc(change: Callable[[random.Random, str], str]) -> Callable[[random.Random, Record], object]:
    return lambda rng, person: change(rng, person.document)


def _by_plate(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    driver = replace(person, plate=_plate(rng))
    return Record(name=driver.name, plate=driver.plate), driver, 1


SAME: dict[str, Maker] = {
    "document": _of(document=_DOCUMENT),
    "document and name": _of(document=_DOCUMENT, name=_NAME),
    "document, other phone": _of(document=_DOCUMENT, phone=lambda rng, _person: _phone(rng)),
    "phone of one": _of(phone=_PHONE),
    "phone and name": _of(phone=_PHONE, name=_NAME),
    "one wrong digit": _of(document=_doc(_one_wrong), name=_NAME),
    "two digits exchanged": _of(document=_doc(_two_exchanged), name=_NAME),
    "one wrong digit and phone": _of(document=_doc(_one_wrong), phone=_PHONE),
    "one wrong digit, name misheard": _of(document=_doc(_one_wrong), name=_written("misheard")),
    "fifteen digits": _of(document=lambda _rng, person: _short(person.document), name=_NAME),
    "passport": _passport(None, with_name=False),
    "passport, one wrong, name": _passport(_one_digit, with_name=True),
    "traditional": _of(phone=_PHONE, name=_written("traditional")),
    "homophone": _of(phone=_PHONE, name=_written("homophone")),
    "pinyin": _of(phone=_PHONE, name=_written("pinyin")),
    "swapped": _of(phone=_PHONE, name=_written("swapped")),
    "misheard": _of(phone=_PHONE, name=_written("misheard")),
    "masked": _of(
        document=lambda _rng, person: _masked(person.document),
        phone=lambda _rng, person: _masked_phone(person.phone),
        name=_NAME,
    ),
    "masked document": _of(document=lambda _rng, person: _masked(person.document), name=_NAME),
    "phone one wrong, name, born": _of(
        phone=lambda rng, person: _wrong_phone(rng, person.phone), name=_NAME, born=lambda _rng, person: _born(person)
    ),
    "plate and name": _by_plate,
    "phone, plate, name written otherwise": _of(phone=_PHONE, plate=_PLATE, name=_written("homophone")),
    "phone, name, born": _of(phone=_PHONE, name=_written("homophone"), born=lambda _rng, person: _born(person)),
}


# -- Somebody else ---------------------------------------------------------------


def _namesake(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    return replace(_person(rng), name=person.name, plate=""), person, 1


def _namesake_phone(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    return Record(person.name, "", _phone(rng)), person, 1


def _namesake_born(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    return Record(person.name, born=_born(person)), person, 1


def _family(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    other = _name(rng, _surname(person.name) if rng.random() < 0.6 else "")
    return Record(other, "", person.phone), person, rng.randrange(1, 4)


def _family_documents(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    return replace(_person(rng), phone=person.phone, plate=person.plate), person, rng.randrange(1, 4)


def _household(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    owner = replace(person, plate=person.plate or _plate(rng))
    return Record(_name(rng, _surname(person.name)), "", owner.phone, None, owner.plate), owner, 2


def _twin(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    """A twin: the same phone and birth date, a name that differs in one character that sounds otherwise."""
    sounds = lazy_pinyin(person.name[-1])
    other = rng.choice([one for one in _GIVEN if lazy_pinyin(one)[0][0] != sounds[0][0]])
    return Record(person.name[:-1] + other, "", person.phone, _born(person)), person, 2


def _valid_neighbours(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    """Two valid numbers one digit of the sequence apart besides the check digit: neighbours in a register office's book."""
    born = _born(person) or date(1990, 1, 1)
    sequence = int(person.document[14:17])
    other = _document(rng, born, sequence + 1 if sequence < 999 else 1, person.document[:6])
    return Record(_name(rng), other, ""), person, 1


def _other_of_short(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    return Record(_name(rng), _short(person.document)), person, 1


def _wrong_of_other(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    """A slip in one's own number that happens to lie one slip from somebody else's."""
    return Record(_name(rng), _one_wrong(rng, person.document), _phone(rng)), person, 1


def _mask_of_other(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    return Record(_name(rng), _masked(person.document)), person, 1


def _stranger(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    return _person(rng), person, 1


def _shorter_given(rng: random.Random, person: Record) -> tuple[Record, Record, int]:
    """王伟 is not 王伟强: names of one given character, another phone."""
    long = _surname(person.name) + "".join(rng.sample(_GIVEN, k=2))
    return Record(long[:-1], "", _phone(rng)), replace(person, name=long), 1


OTHERS: dict[str, Maker] = {
    "namesake with documents": _namesake,
    "namesake, other phone": _namesake_phone,
    "namesake of one birth date": _namesake_born,
    "family phone": _family,
    "family phone and documents": _family_documents,
    "household": _household,
    "twin": _twin,
    "neighbouring numbers": _valid_neighbours,
    "fifteen digits of another": _other_of_short,
    "slip near another": _wrong_of_other,
    "mask of another": _mask_of_other,
    "shorter given name": _shorter_given,
    "stranger": _stranger,
}
TWINS = ("twin", "namesake with documents", "namesake of one birth date")


def pairs(seed: int, each: int) -> Iterator[Pair]:
    """`each` pairs of every kind, halves by turns."""
    rng = random.Random(seed)  # noqa: S311 - synthetic people, not secrets
    for same, kinds in ((True, SAME), (False, OTHERS)):
        for kind, maker in kinds.items():
            for number in range(each):
                listed, registered, holders = maker(rng, _person(rng))
                yield Pair(kind, listed, registered, same, holders, "tune" if number % 2 else "held")
