"""Namesakes: a shared name and birth date alarm nobody; names of two characters neither vanish nor match too much."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from checkpoint.inquiries.blocking import listed_blocks, registered_blocks
from checkpoint.inquiries.documents import check_digit
from checkpoint.inquiries.evidence import Outcome, judge, read_person
from checkpoint.inquiries.names import LIKE, NameLevel, compare_names, read_name

SEEDS = range(5)
COMMON = ("王伟", "李娜", "张敏", "陈静", "王建国", "刘志强", "李小红", "张晓东")
RARE = ("澹台明月", "欧阳锋", "覃鳞", "缪斯", "宓羲和", "司马相如")
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林曾单解仇查任区朴翟覃缪"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰涛明超秀兰霞平刚英华玉一乙"


def document(county: str, born: date, sequence: int) -> str:
    body = f"{county}{born:%Y%m%d}{sequence:03d}"
    return body + check_digit(body)


def namesakes(seed: int) -> Iterator[tuple[str, str, date, str]]:
    """Name, document, birth date and another valid document of the same county and birth date."""
    rng = random.Random(seed)  # noqa: S311 - made-up people, not secrets
    for name in (*COMMON, *RARE):
        for _ in range(20):
            born = date(1935, 1, 1) + timedelta(days=rng.randrange(30_000))
            county = rng.choice(("330482", "310115", "110105", "510107"))
            one, other = rng.sample(range(1, 1000), 2)
            yield name, document(county, born, one), born, document(county, born, other)


LISTED = {
    "birth date": lambda own, born, other: {"born": born},
    "birth date in a mask": lambda own, born, other: {"document": f"******{own[6:14]}****"},
    "birth date and county": lambda own, born, other: {"document": own[:6] + "*" * 12, "born": born},
    "both in a mask": lambda own, born, other: {"document": own[:14] + "****"},
    "both, and twice": lambda own, born, other: {"document": own[:14] + "****", "born": born},
    "one digit of the sequence": lambda own, born, other: {"document": own[:15] + "***"},
    "two digits of the sequence": lambda own, born, other: {"document": own[:16] + "**"},
    "an old number, masked": lambda own, born, other: {"document": own[:6] + own[8:14] + "***", "born": born},
    "a valid document of somebody else": lambda own, born, other: {"document": other, "born": born},
    "a damaged document": lambda own, born, other: {"document": own[:14] + "00" + own[16:17] + "?", "born": born},
    "a passport": lambda own, born, other: {"document": f"E{own[10:18]}".replace("X", "0"), "born": born},
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", LISTED)
def test_a_name_with_a_birth_date_and_a_county_never_alerts(how: str, seed: int) -> None:
    for name, own, born, other in namesakes(seed):
        listed = read_person(name, **LISTED[how](own, born, other))  # type: ignore[no-untyped-call]
        found = judge(listed, read_person(name, own, "13812345678", plate="浙F12345"))
        assert found.outcome is not Outcome.ALERT, (name, how, found)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_passports_and_two_slips_are_looked_at_by_a_person_and_never_alert(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - made-up people, not secrets
    for name, own, born, _other in namesakes(seed):
        one, another = (f"E{rng.randrange(10**8):08d}" for _ in range(2))
        if sum(left != right for left, right in zip(one, another, strict=True)) < 3:
            continue
        found = judge(read_person(name, one, born=born), read_person(name, another, born=born))
        assert (found.outcome, found.rule) == (Outcome.REVIEW, "another_document")
        at, beside = rng.sample(range(14, 17), 2)
        slips = {place: str((int(own[place]) + 1) % 10) for place in (at, beside)}
        wrong = "".join(slips.get(place, character) for place, character in enumerate(own))
        if check_digit(wrong[:17]) == wrong[17]:
            continue  # two slips that make another valid number: somebody else
        found = judge(read_person(name, wrong, born=born), read_person(name, own))
        assert found.outcome is not Outcome.ALERT or found.levels.document == "one_wrong", (name, wrong, own, found)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_end_of_a_document_or_a_phone_besides_does_alert(seed: int) -> None:
    for name, own, _born, _other in namesakes(seed):
        registered = read_person(name, own, "13812345678")
        assert judge(read_person(name, own[:6] + "*" * 8 + own[14:]), registered).outcome is Outcome.ALERT
        listed = read_person(name, own[:14] + "****", "13812345678")
        assert judge(listed, registered).outcome is Outcome.ALERT


@pytest.mark.parametrize("seed", SEEDS)
def test_a_given_name_of_one_character_does_not_vanish(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - made-up people, not secrets
    for surname in SURNAMES:
        name = surname + rng.choice(GIVEN)
        own = document("330482", date(1985, 3, 17) + timedelta(days=rng.randrange(9000)), rng.randrange(1, 1000))
        for written in (name, f"{surname} {name[1:]}", f"{surname}·{name[1:]}", f" {name}　"):
            assert compare_names(read_name(written), read_name(name)) is NameLevel.SAME
            keys = set(registered_blocks(name, own, "+8613812345678", ()))
            assert keys & set(listed_blocks(written, own[:6] + "*" * 8 + own[14:], "", "", ""))
            assert keys & set(listed_blocks(written, "", "138****5678", "", ""))
            found = judge(read_person(written, phone="13812345678"), read_person(name, own, "13812345678"), 3)
            assert found.outcome is Outcome.ALERT, (written, found)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_given_name_of_one_character_does_not_match_too_much(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - made-up people, not secrets
    for surname in SURNAMES:
        one, other, third = rng.sample(GIVEN, 3)
        born = date(1985, 3, 17) + timedelta(days=rng.randrange(9000))
        registered = read_person(surname + one, document("330482", born, rng.randrange(1, 1000)), "13812345678")
        for listed in (surname + other, surname + one + third, surname + third + one):
            level = compare_names(read_name(listed), registered.name)
            if level in LIKE:
                assert level in (NameLevel.HOMOPHONE, NameLevel.NEAR_SOUND), (listed, level)
            assert judge(read_person(listed), registered).outcome is Outcome.NOTHING
            assert judge(read_person(listed, born=born), registered).outcome is not Outcome.ALERT
            assert judge(read_person(listed, phone="13987654321"), registered).outcome is Outcome.NOTHING
        assert compare_names(read_name(surname), registered.name) is NameLevel.MISSING  # a surname is no name
