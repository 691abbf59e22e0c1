"""Declarations as a phone sends them (the body of POST /api/v1/registrations), valid unless a test makes them wrong."""

import uuid
from datetime import timedelta
from typing import Any

from tests.factories import NOW, TODAY
from tests.factories.divisions import FAR_AWAY, NEIGHBOUR, SAME_PROVINCE, VILLAGE

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_SURNAMES = "赵钱孙李周吴郑王冯陈"
_GIVEN = ("安", "宁", "清平", "晓岚", "思远", "文", "若水", "一鸣", "可", "春生")


def resident_id(number: int = 1, *, county: str = "330482", born: str = "19850317") -> str:
    """A resident identity number with a right check digit; `number` (0 to 999) tells people apart."""
    body = f"{county}{born}{number:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + _CHECK[total % 11]


def phone(number: int = 1) -> str:
    """A mainland mobile number."""
    return f"1381000{number:04d}"


def name(number: int = 1) -> str:
    """A made-up Chinese name."""
    return _SURNAMES[number % 10] + _GIVEN[number // 10 % 10]


def declaration(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A valid declaration of traveller `number`; each call has a `client_id` of its own unless one is given.

    From Jiashan in the same province, today, by car, no stays elsewhere: green while nothing is listed.
    """
    body: dict[str, Any] = {
        "client_id": str(uuid.uuid4()),
        "name": name(number),
        "id_type": "resident_id",
        "id_number": resident_id(number),
        "phone": phone(number),
        "origin": {"code": SAME_PROVINCE},
        "stays": [],
        "destination": {"code": VILLAGE, "address": "八字村 3 组 12 号"},
        "arriving_on": TODAY.isoformat(),
        "transport": "car",
        "plate": f"浙F{number:05d}",
        "companions": [],
        "symptoms": [],
        "tests": [],
    }
    body.update(changes)
    return body


def stay(
    code: str | None = NEIGHBOUR, *, text: str | None = None, days_ago: int = 3, nights: int = 1
) -> dict[str, Any]:
    """A stay of `nights` that began `days_ago` days before today; by code, by text, or both."""
    since = TODAY - timedelta(days=days_ago)
    place: dict[str, Any] = {"from": since.isoformat(), "to": (since + timedelta(days=nights)).isoformat()}
    if code is not None:
        place["code"] = code
    if text is not None:
        place["text"] = text
    return place


def companion(number: int = 2) -> dict[str, Any]:
    """Somebody who travels along."""
    return {
        "name": name(number),
        "id_type": "resident_id",
        "id_number": resident_id(number),
        "phone": phone(number),
    }


def negative_test(*, hours_ago: int = 12, kind: str = "pcr", result: str = "negative") -> dict[str, Any]:
    """A test taken `hours_ago` hours before tests.factories.NOW."""
    return {"kind": kind, "taken_at": (NOW - timedelta(hours=hours_ago)).isoformat(), "result": result}


def from_far_away(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A declaration from another province."""
    return declaration(number, origin={"code": FAR_AWAY}, **changes)
