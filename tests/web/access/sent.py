"""What rows of the access matrix send: forms and bodies that the services take."""

import base64
import io
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tests.factories import NOW, patrols
from tests.factories.carried import carried
from tests.factories.declarations import declaration
from tests.factories.divisions import NEIGHBOUR_TOWN, VILLAGE
from tests.web.access.asking import World
from tests.web.access.row import Made, form
from tests.web.access.world import LATER


def fresh_id(_world: World) -> str:
    return str(uuid.uuid4())


def file(name_: str, text: str) -> Callable[[World], tuple[io.BytesIO, str]]:
    return lambda _world: (io.BytesIO(text.encode()), name_)


def declared(number: int) -> Made:
    return lambda _world: {"json": declaration(number)}


def trip(number: int, **more: Any) -> Made:
    given = declaration(number)
    return form(
        client_id=fresh_id, name=given["name"], id_type="resident_id", id_number=given["id_number"], phone=given["phone"],
        transport="car", plate=given["plate"], arriving_on=given["arriving_on"], origin_code=NEIGHBOUR_TOWN, origin_text="",
        destination_code=VILLAGE, act="send", **{"destination.address": "3 组 12 号"}, **more,
    )  # fmt: skip


def carried_body(world: World) -> Mapping[str, Any]:
    with world.app.app_context():
        return {"json": carried(world["carried_key"], declaration(50))}


def scan(world: World) -> dict[str, Any]:
    return {"scan_id": str(uuid.uuid4()), "token": world["fresh_pass"], "scanned_at": NOW.isoformat()}


def batch(world: World) -> Mapping[str, Any]:
    return {"json": {"scans": [scan(world)]}}


def visit(world: World) -> Mapping[str, Any]:
    photo = base64.b64encode(patrols.photo()).decode()
    return {
        "json": {
            "visit_id": str(uuid.uuid4()), "token": world["point_code"], "visited_at": LATER.isoformat(), "found": "closed",
            "photo": photo,
        }
    }  # fmt: skip


def introduction(world: World) -> Mapping[str, Any]:
    return {"data": {"introduction": world["introduction"], "fingerprint": world["fingerprint"]}}


NATIONAL = "风险等级,省,市,区县,地址\n高风险,上海市,上海市,金山区,枫泾镇白牛路151弄12号楼\n"
WHY = form(why="材料不全，请补充")
