"""The rows of the access matrix for where a division stands."""

from collections.abc import Iterator

from checkpoint.accounts.permissions import Permission
from tests.factories import TODAY
from tests.factories.divisions import TOWN
from tests.web.access.row import Row, get


def standing() -> Iterator[Row]:
    yield get("board.own", Permission.STANDING_READ)
    yield get("board.screen", Permission.STANDING_READ)
    yield Row("board.place", "GET", Permission.STANDING_READ, TOWN, {"code": TOWN})
    yield Row("board.report", "GET", Permission.STANDING_READ, "", {"day": TODAY.isoformat(), "kind": "xlsx"})
