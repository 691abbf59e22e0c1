"""Synthetic travellers: plausible, valid and nobody. Pure, and the same for the same seed.

Names are put together from common surnames and given-name characters, documents from a county, a birth date, a random
sequence and the right check digit, phones from random digits: any likeness to a living person is chance.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖"
    "石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万钱严覃武戴莫孔向常"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华玉梅建国志文辉俊鹏宇浩然欣怡佳琪子轩梓涵雨泽晨曦思远嘉悦诗一诺博文雪婷"
    "晓东海燕红波春林峰云飞翔宁凯帆楠"
)
_ROADS = ("人民路", "解放路", "建设路", "新华路", "中山路", "环城路", "文化路", "幸福街", "朝阳街", "工业大道")
_PLATE_LETTERS = "ABCDEFGHJK"
_PROVINCE_PLATES = {
    "11": "京", "12": "津", "13": "冀", "14": "晋", "15": "蒙", "21": "辽", "22": "吉", "23": "黑", "31": "沪", "32": "苏",
    "33": "浙", "34": "皖", "35": "闽", "36": "赣", "37": "鲁", "41": "豫", "42": "鄂", "43": "湘", "44": "粤", "45": "桂",
    "46": "琼", "50": "渝", "51": "川", "52": "贵", "53": "云", "54": "藏", "61": "陕", "62": "甘", "63": "青", "64": "宁",
    "65": "新",
}  # fmt: skip
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


@dataclass(frozen=True, slots=True)
class World:
    """Where people come from and go to: 12-digit codes. `near` are counties close by, which most come from."""

    near: Sequence[str]
    far: Sequence[str]
    destinations: Sequence[str]


def check_character(body: str) -> str:
    """The 18th character of a resident ID (GB 11643, ISO 7064 MOD 11-2) for its first 17 digits."""
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def resident_id(rng: random.Random, county: str) -> str:
    """A valid resident ID of somebody between 5 and 85 years old."""
    born = date(1940, 1, 1) + timedelta(days=rng.randrange(29_000))
    body = f"{county[:6]}{born:%Y%m%d}{rng.randrange(1, 1000):03d}"
    return body + check_character(body)


def name(rng: random.Random) -> str:
    """A surname and one or two given-name characters."""
    return rng.choice(SURNAMES) + "".join(rng.choices(GIVEN, k=1 if rng.random() < 0.2 else 2))


def phone(rng: random.Random) -> str:
    """Eleven digits of a mobile phone."""
    return f"1{rng.choice('3578')}{rng.randrange(10**9):09d}"


def _county(rng: random.Random, world: World) -> str:
    return rng.choice(world.near if rng.random() < 0.7 else world.far)


def _stays(rng: random.Random, world: World, arriving: date) -> list[dict[str, Any]]:
    stays = []
    for _ in range(rng.choices((0, 1, 2, 3), (60, 25, 10, 5))[0]):
        since = arriving - timedelta(days=rng.randrange(1, 12))
        until = min(arriving, since + timedelta(days=rng.randrange(3)))
        stays.append({"code": _county(rng, world), "text": _street(rng), "from": since, "to": until})
    return stays


def _street(rng: random.Random) -> str:
    return f"{rng.choice(_ROADS)}{rng.randrange(1, 300)}号"


def declaration(rng: random.Random, world: World, made_at: datetime, arriving: date) -> dict[str, Any]:
    """The body of one registration, as a phone would send it at `made_at`."""
    home = _county(rng, world)
    transport = rng.choices(("car", "coach", "lorry", "train", "walk"), (55, 10, 20, 12, 3))[0]
    with_plate = transport in ("car", "coach", "lorry")
    tests = []
    if rng.random() < 0.8:
        taken = made_at - timedelta(hours=rng.randrange(1, 72))
        tests.append({"kind": "pcr", "taken_at": taken, "result": "positive" if rng.random() < 0.0005 else "negative"})
    return {
        "client_id": uuid.UUID(int=rng.getrandbits(128), version=4),
        "name": name(rng),
        "id_type": "resident_id",
        "id_number": resident_id(rng, home),
        "phone": phone(rng),
        "origin": {"code": home, "text": _street(rng)},
        "stays": _stays(rng, world, arriving),
        "destination": {"code": rng.choice(world.destinations), "address": f"{_street(rng)}{rng.randrange(1, 20)}幢"},
        "arriving_on": arriving,
        "checkpoint": None,
        "transport": transport,
        "plate": _plate(rng, home) if with_plate else None,
        "companions": [],
        "symptoms": ["cough"] if rng.random() < 0.005 else [],
        "tests": tests,
    }


def _plate(rng: random.Random, home: str) -> str:
    return f"{_PROVINCE_PLATES.get(home[:2], '浙')}{rng.choice(_PLATE_LETTERS)}{rng.randrange(100_000):05d}"
