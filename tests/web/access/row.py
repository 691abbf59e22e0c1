"""What a row of the access matrix says, what follows from it for everybody who asks, and short ways to write one.

Each row says, independently of the code, what permission the route needs, which object its address names and whose that object is;
from this follows what everybody gets. `body` is one that the service takes, so that nobody is turned away for a wrong field alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from checkpoint.accounts.permissions import Permission
from tests.factories.divisions import SITE, VILLAGE
from tests.web.access.asking import Asker, World

Made = Callable[[World], Mapping[str, Any]]
_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint and method. `scope`: whose the object is, see `expected`. `values`: the thing of the world for each part of the address,
    or its text."""

    endpoint: str
    method: str
    needs: Permission | None
    scope: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    body: Made = lambda _world: _EMPTY
    query: str = ""

    @property
    def id(self) -> str:
        return f"{self.method} {self.endpoint}"


def expected(row: Row, asker: Asker) -> str:  # noqa: C901 - one line for each kind of scope
    """What somebody gets: `in`, `forbidden` (they lack the permission) or `absent` (for them the object does not exist), or `sign in`."""
    if row.scope == "signed":
        return "forbidden"
    if row.needs is None:
        if row.scope == "holder":
            return (
                "in"
                if asker.name in HOLDERS or (asker.within(VILLAGE) and Permission.PEOPLE_READ in asker.permissions)
                else (
                    "sign in"
                    if not asker.known
                    else "absent"
                    if Permission.PEOPLE_READ in asker.permissions
                    else "forbidden"
                )
            )
        return "in"
    if not asker.known:
        return "sign in"
    if row.needs not in asker.permissions:
        return "forbidden"
    if row.scope == "site":
        return "in" if asker.within(SITE) else "forbidden"
    if row.scope == "tablet":
        return "in" if asker.role is None else "forbidden"
    if row.scope == "tablet alone":
        return "in" if asker.role is None else "absent"
    if row.scope == "reviewer":
        return "in" if asker.within(SITE) else "forbidden"
    if row.scope == "tablet of the post":
        return "forbidden" if asker.role is not None else "in" if asker.name == "tablet" else "absent"
    if row.scope.startswith("only "):
        return "in" if asker.name == row.scope.removeprefix("only ") else "absent"
    if row.scope:
        return "in" if asker.within(row.scope) else "absent"
    return "in"


HOLDERS = ("traveller",)
"""Who shows the pass of the registration as a bearer token."""


def get(endpoint: str, needs: Permission | None, scope: str = "", /, **values: Any) -> Row:
    return Row(endpoint, "GET", needs, scope, values)


def post(endpoint: str, needs: Permission | None, scope: str = "", body: Made | None = None, /, **values: Any) -> Row:
    return Row(endpoint, "POST", needs, scope, values, body or (lambda _world: {"data": {}}))


def form(**given: Any) -> Made:
    """A form; a value that is callable is given the world."""
    return lambda world: {"data": {key: one(world) if callable(one) else one for key, one in given.items()}}


def body(**given: Any) -> Made:
    """A JSON body; a value that is callable is given the world."""
    return lambda world: {"json": {key: one(world) if callable(one) else one for key, one in given.items()}}


def thing(key: str) -> Callable[[World], str]:
    """The text of something of the world."""
    return lambda world: str(world[key])
