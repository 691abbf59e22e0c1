"""Whoever asks for people asks through their jurisdiction: a list of people is narrowed by `in_reach`, or it is one of those named here.

Reading by a key (an id, a hash) that the caller already holds is left to the access matrix, which asks every route as everybody; what
this looks for is a query that goes through people and forgets whose they are.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import checkpoint

ROOT = Path(checkpoint.__file__).parent
PEOPLE = {
    "Alert", "Appeal", "Approval", "ApprovalHolder", "Assessment", "CarriedRefusal", "CompanyMember", "Crossing", "CrossingDecision",
    "FollowUp", "InquiryHit", "Pass", "Registration", "SpotTest", "Stay", "TestResult", "Traveller", "TravellerReport",
    "VehiclePassenger", "WithdrawalFinding",
}  # fmt: skip
SCOPES = {"in_reach", "scoped", "_scoped", "sees", "visible", "reach"}
BACKGROUND = {
    "benchmarks": "measures an instance that it has made itself",
    "cli": "the operator at the machine",
    "crossmatch": "a list against everybody registered, by the clock; what a reviewer sees goes through `inquiries.reviewing`",
    "retention": "the purge, by the clock; a traveller's request goes by the pass",
    "scheduler": "by the clock",
    "surveillance": "looks at everybody again when a list changes; what a screen sees of it goes through `findings.scoped`",
    "upkeep": "keys and backups know no people",
    "watch": "the watch rules, by the clock; a dry run shows its examples through `people_of`",
}
"""Rooms that look at everybody on nobody's behalf, and why that is right. Their screens are asked by the access matrix."""
_CLOCK = "by the clock, on nobody's behalf"
EXCEPTIONS: dict[str, str] = {
    "alerts.escalation.escalate_overdue": _CLOCK,
    "appeals.tending.remind": _CLOCK,
    "appeals.tending.void_pointless": _CLOCK,
    "approvals.commuters_office.finish": _CLOCK,
    "approvals.service._new_number": "a number that no application anywhere has yet",
    "approvals.tending.close_lapsed": _CLOCK,
    "approvals.tending.remind": _CLOCK,
    "companies.watching._touched": _CLOCK,
    "companies.watching.look": _CLOCK,
    "coverage.questions._alerts": "what is counted for every village; screens narrow counts and lists to the reader",
    "coverage.questions._members": "the same",
    "coverage.questions._work": "the same",
    "coverage.questions.population": "the same",
    "crossings.snapshot._revoked": "what every tablet must refuse: serials, nobody's name",
    "inquiries.hits._known": "by pairs of keys: an inquiry and a person's hash",
    "registrations.listed.follow": "by the hashes of documents whose holders register or cross just now",
}
"""Functions that go through people of every place, and why that is right."""
REACHES = {
    "accounts.scope": "the one condition",
    "web.inbox": "hands the range on to the feed",
    "web.stream": "hands the range on to the feed",
}
"""Where the range of a jurisdiction is used by itself, and why."""


@dataclass(frozen=True, slots=True)
class Query:
    """One `select` of people: in which function, on which line."""

    where: str
    line: int


def _is_key(name: str) -> bool:
    return name == "id" or name.endswith(("_id", "_hash")) or name in ("serial", "short_code", "cause", "group_key")


def _compares_key(node: ast.AST) -> bool:
    """Whether a condition pins a row by a key: `X.id == …`, `X.trip_id.in_(…)`."""
    for one in ast.walk(node):
        if isinstance(one, ast.Compare) and isinstance(one.ops[0], ast.Eq):
            sides = (one.left, *one.comparators)
            keyed = [side for side in sides if isinstance(side, ast.Attribute) and _is_key(side.attr)]
            if keyed and not all(isinstance(side, ast.Attribute) and _is_model(side) for side in sides):
                return True
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "in_":
            column = one.func.value
            if isinstance(column, ast.Attribute) and _is_key(column.attr):
                return True
    return False


def _is_model(side: ast.Attribute) -> bool:
    return isinstance(side.value, ast.Name) and side.value.id[:1].isupper()


def _named(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} | {
        one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)
    }


def _narrowing(functions: Mapping[str, ast.FunctionDef]) -> set[str]:
    """The functions that ask for a jurisdiction, themselves or through another one of their module."""
    names = {name: _named(function) - {name} for name, function in functions.items()}
    known: set[str] = set()
    while True:
        more = {name for name, used in names.items() if used & (SCOPES | known)}
        if more == known:
            return known
        known = more


def unscoped(source: str, module: str) -> Iterator[Query]:
    """The functions of a module that select people neither through a jurisdiction nor by a key."""
    functions = {one.name: one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.FunctionDef)}
    narrowing = _narrowing(functions)
    for name, function in functions.items():
        selects = [
            one
            for one in ast.walk(function)
            if isinstance(one, ast.Call)
            and getattr(one.func, "id", getattr(one.func, "attr", "")) in ("select", "with_only_columns", "query")
            and any(_named(given) & PEOPLE for given in one.args)
        ]
        if selects and name not in narrowing and not _compares_key(function):
            yield Query(f"{module}.{name}", selects[0].lineno)


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] not in BACKGROUND:
            yield ".".join(parts), path


def test_every_list_of_people_is_narrowed_to_a_jurisdiction() -> None:
    found = {query.where for name, path in modules() for query in unscoped(path.read_text("utf-8"), name)}
    assert sorted(found - set(EXCEPTIONS)) == [], "narrow it by `in_reach`, or say here why it need not be"
    assert sorted(set(EXCEPTIONS) - found) == [], "no such function any more"


def test_one_condition_says_what_lies_in_a_jurisdiction() -> None:
    """The range of a jurisdiction stands in SQL once, so that no second way can differ from it."""
    written = {name for name, path in modules() if _reads_range(ast.parse(path.read_text("utf-8")))}
    assert sorted(written - set(REACHES)) == [], "use `accounts.scope.in_reach`"
    assert sorted(set(REACHES) - written) == []


def _reads_range(tree: ast.AST) -> bool:
    reads = (one.value for one in ast.walk(tree) if isinstance(one, ast.Attribute) and one.attr == "reach")
    return any(getattr(base, "id", getattr(base, "attr", "")) in ("actor", "tablet", "reader") for base in reads)


def test_a_query_that_forgets_is_found() -> None:
    forgets = "def all_of_them(at):\n    return select(Registration).where(Registration.tier == 'red')\n"
    narrowed = (
        "def mine(actor):\n    return select(Registration).where(in_reach(actor, Registration.destination_code))\n"
    )
    keyed = "def one(registration_id):\n    return select(Registration).where(Registration.id == registration_id)\n"
    through = "def _mine(actor):\n    return [in_reach(actor, Alert.division_code)]\n"
    through += "def counted(actor):\n    return select(Alert.id).where(*_mine(actor))\n"
    joined = "def pairs():\n    return select(Stay).join(Registration, Registration.id == Stay.registration_id)\n"
    assert [query.where for query in unscoped(forgets + narrowed + keyed + through + joined, "m")] == [
        "m.all_of_them",
        "m.pairs",
    ]
