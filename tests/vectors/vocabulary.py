"""The words in which the vectors of the gate are written: figures of the policy, rules, answers, rows, snapshots."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

T = datetime(2022, 12, 1, 10, 0, tzinfo=UTC)
S, M, H, D = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HERE, NEXT = "330421", "330482"  # counties of the guarded city's own province
BEIJING, WUHAN = "110101", "420103"  # of others
SERIAL = "00112233445566aa"

POLICY: dict[str, Any] = {
    "points": {
        "positive_test": 100,
        "high_area": 100,
        "high_town": 80,
        "high_county": 50,
        "middle_area": 60,
        "middle_town": 45,
        "middle_county": 30,
        "symptoms": 45,
        "place_unresolved": 40,
        "list_missing": 40,
        "list_stale": 40,
        "low_county": 20,
        "other_province": 10,
    },
    "red_from": 80,
    "yellow_from": 40,
    "days_before_listing": 7,
    "undated_origin_days": 7,
    "list_stale_hours": 48,
    "snapshot_stale_hours": 12,
    "negative_test_hours": 48,
    "antigen_minutes": 15,
    "arrival_hours": 4,
    "pass_valid_days": 7,
    "measures": [
        {"tier": "red", "any_rule": [], "kind": "central_quarantine", "days": 7, "within_hours": None, "test_days": []},
        {
            "tier": "yellow",
            "any_rule": [],
            "kind": "home_observation",
            "days": 7,
            "within_hours": None,
            "test_days": [1, 3, 7],
        },
        {
            "tier": None,
            "any_rule": ["low_county", "other_province"],
            "kind": "landing_test",
            "days": 0,
            "within_hours": 4,
            "test_days": [1, 2, 3],
        },
    ],
    "deadlines": {
        "red": {"acknowledge_minutes": 15, "resolve_minutes": 240},
        "yellow": {"acknowledge_minutes": 60, "resolve_minutes": 1440},
    },
}
QUARANTINE = {"kind": "central_quarantine", "days": 7, "within_hours": None, "test_days": []}
HOME = {"kind": "home_observation", "days": 7, "within_hours": None, "test_days": [1, 3, 7]}
LANDING = {"kind": "landing_test", "days": 0, "within_hours": 4, "test_days": [1, 2, 3]}

snapshots: dict[str, Any] = {"none": None}
rows: list[dict[str, Any]] = []


def iso(instant: datetime) -> str:
    return instant.isoformat()


def snapshot(name: str, **changes: Any) -> str:
    """Add a snapshot: made five minutes ago, list confirmed two hours ago, nothing listed, unless changed."""
    policy = deepcopy(POLICY)
    points = changes.pop("points", {})
    policy |= changes.pop("policy", {})
    policy["points"] |= points
    made: dict[str, Any] = {
        "version": "0",
        "since": None,
        "now": iso(T - 5 * M),
        "site": {"division": "330482000000", "name": "平湖市", "timezone": "Asia/Shanghai"},
        "checkpoint": {"code": "G60", "name": "G60"},
        "keys": [],
        "document_key": "",
        "seal_key": None,
        "policy": {"version": 1, "data": policy},
        "list": {"id": 7, "source": "vectors", "published_at": iso(T - 3 * H), "confirmed_at": iso(T - 2 * H)},
        "areas": {},
        "revoked": {},
        "raised": {},
        "approvals": {},
        "terms": {},
        "aliases": {},
        "counties": {},
    }
    snapshots[name] = made | changes
    return name


def say(rule: str, points: int, county: str | None = None, stay: int | None = None, *detail: str) -> dict[str, Any]:
    """One rule of an answer."""
    said: dict[str, Any] = {"rule": rule, "points": points}
    if county is not None:
        said["county"] = county
    if stay is not None:
        said["stay"] = stay
    if detail:
        said["detail"] = list(detail)
    return said


VALID, MISSING = say("negative_test_valid", 0), say("negative_test_missing", 0)
FAR = say("other_province", 10, BEIJING)


def answer(verdict: str, *rules: dict[str, Any]) -> dict[str, Any]:
    """hold is red and quarantine, test with an unknown or risky thing is yellow and home observation, and so on."""
    named = {rule["rule"] for rule in rules}
    if verdict == "refuse":
        return {"verdict": verdict, "tier": None, "rules": list(rules), "measures": []}
    if verdict == "hold":
        return {"verdict": verdict, "tier": "red", "rules": list(rules), "measures": [QUARANTINE]}
    if not named & {"negative_test_valid", "negative_test_missing"}:
        return {"verdict": verdict, "tier": "yellow", "rules": list(rules), "measures": [HOME]}
    landing = [LANDING] if named & {"low_county", "other_province"} else []
    return {"verdict": verdict, "tier": "green", "rules": list(rules), "measures": landing}


def unmeasured(wanted: dict[str, Any]) -> dict[str, Any]:
    """Without a policy nobody knows the measures."""
    return wanted | {"measures": []}


def claims(**changes: Any) -> dict[str, Any]:
    """A green pass with a test of ten hours ago, valid for another week, that names no county."""
    made: dict[str, Any] = {
        "serial": SERIAL,
        "expires_at": T + 7 * D,
        "tier": "green",
        "document": "01020304",
        "negative_test_at": T - 10 * H,
        "counties": [],
        "truncated": False,
        "unresolved": False,
    }
    made |= changes
    for name in ("expires_at", "negative_test_at"):
        made[name] = None if made[name] is None else iso(made[name])
    return made


def passed(name: str, want: dict[str, Any], snapshot: str = "calm", **given: Any) -> None:
    """A row for a pass. `problem`, `scanned_at`, `skew` as given; everything else changes the claims, unless `bare`."""
    problem, scanned_at, skew = given.pop("problem", None), given.pop("scanned_at", T), given.pop("skew", 0)
    held = None if given.pop("bare", False) else claims(**given)
    rows.append(
        {
            "name": f"pass: {name}",
            "judge": "pass",
            "given": {
                "problem": problem,
                "claims": held,
                "scanned_at": iso(scanned_at),
                "skew_seconds": skew,
                "snapshot": snapshot,
            },
            "want": want,
        }
    )


def declared(name: str, score: int, want: dict[str, Any], snapshot: str = "calm", **given: Any) -> None:
    """A row for a carried registration: from a quiet county of the province, tested ten hours ago, unless changed."""
    scanned_at, skew = given.pop("scanned_at", T), given.pop("skew", 0)
    origin, stays = given.pop("origin", NEXT), given.pop("stays", [])
    tests = given.pop("tests", [(T - 10 * H, "negative")])
    body: dict[str, Any] = {
        "origin": {"county": origin},
        "stays": [{"county": county, "since": since, "until": until} for county, since, until in stays],
        "symptoms": given.pop("symptoms", []),
        "tests": [{"taken_at": iso(taken_at), "result": result} for taken_at, result in tests],
        "arriving_on": given.pop("arriving_on", "2022-12-01"),
        "scanned_at": iso(scanned_at),
        "skew_seconds": skew,
        "snapshot": snapshot,
    }
    assert not given, given
    rows.append(
        {"name": f"declaration: {name}", "judge": "declaration", "given": body, "want": want | {"score": score}}
    )


def refused(rule: str) -> dict[str, Any]:
    return answer("refuse", say(rule, 0))


def stale(hours: str) -> dict[str, Any]:
    return say("snapshot_stale", 40, None, None, hours)


def old_list(hours: str) -> dict[str, Any]:
    return say("list_stale", 40, None, None, hours)


def skewed(direction: str, minutes: str) -> dict[str, Any]:
    return say("clock_skew", 40, None, None, direction, minutes)


def red_pass() -> dict[str, Any]:
    return say("pass_tier", 80, None, None, "red")


def yellow_pass() -> dict[str, Any]:
    return say("pass_tier", 40, None, None, "yellow")


def raised(tier: str) -> dict[str, Any]:
    return say("tier_raised", 80 if tier == "red" else 40, None, None, tier)


def lost_at(stay: int) -> dict[str, Any]:
    return say("place_unresolved", 40, None, stay)


def make_snapshots() -> None:
    """The snapshots that rows name."""
    snapshot("calm")
    for seconds in (-3 * 3600, -901, -900, 0, 43199, 43200, 43201, 30 * 3600):
        snapshot(f"aged {seconds} s", now=iso(T - seconds * S))
    for seconds in (0, 172799, 172800, 172801, 178200, 259200):
        confirmed = {"id": 7, "source": "vectors", "published_at": iso(T - 9 * D), "confirmed_at": iso(T - seconds * S)}
        snapshot(f"list {seconds} s", list=confirmed)
    snapshot("no list", list=None)
    snapshot("list never confirmed", list={"id": 7, "source": "v", "published_at": iso(T), "confirmed_at": None})
    snapshot("old and no list", list=None, now=iso(T - 30 * H))
    for why in ("withdrawn", "replaced"):
        snapshot(why, revoked={SERIAL: why})
        snapshot(f"{why}, old", revoked={SERIAL: why}, now=iso(T - 30 * H))
    snapshot("another withdrawn", revoked={"ffffffffffffffff": "withdrawn"}, raised={"ffffffffffffffff": "red"})
    for tier in ("green", "yellow", "red"):
        snapshot(f"raised {tier}", raised={SERIAL: tier})
    for county in (HERE, BEIJING):
        for level in ("high", "middle", "low"):
            snapshot(f"{level} in {county}", areas={county: {level: "2022-11-25"}})
        snapshot(
            f"all in {county}", areas={county: {"low": "2022-11-01", "middle": "2022-11-10", "high": "2022-11-25"}}
        )
        snapshot(f"middle and low in {county}", areas={county: {"low": "2022-11-01", "middle": "2022-11-25"}})
    snapshot(
        "many", areas={HERE: {"low": "2022-11-25"}, BEIJING: {"middle": "2022-11-25"}, WUHAN: {"high": "2022-11-25"}}
    )
    snapshot("long listed", areas={HERE: {"high": "2022-06-01"}})
    snapshot("strict", points={"high_county": 80, "middle_county": 40}, areas={HERE: {"high": "2022-11-25"}})
    snapshot("strict middle", points={"high_county": 80, "middle_county": 40}, areas={HERE: {"middle": "2022-11-25"}})
    snapshot("low thresholds", policy={"red_from": 50, "yellow_from": 30}, areas={HERE: {"high": "2022-11-25"}})
    snapshot(
        "low thresholds, middle", policy={"red_from": 50, "yellow_from": 30}, areas={HERE: {"middle": "2022-11-25"}}
    )
    snapshot("unknown is cheap", points={"place_unresolved": 5, "list_missing": 5, "list_stale": 5}, list=None)
    snapshot("unknown is dear", points={"place_unresolved": 90, "list_missing": 85})
    snapshot("test 24 h", policy={"negative_test_hours": 24})
    snapshot("test 72 h", policy={"negative_test_hours": 72})
    snapshot("list 24 h", policy={"list_stale_hours": 24}, list=snapshots["list 172799 s"]["list"])
    snapshot("snapshot 24 h", policy={"snapshot_stale_hours": 24}, now=iso(T - 13 * H))
    snapshot("snapshot 1 h", policy={"snapshot_stale_hours": 1}, now=iso(T - 61 * M))
    snapshot("window 14 days", policy={"days_before_listing": 14}, areas={HERE: {"high": "2022-11-25"}})
    snapshot("origin 14 days", policy={"undated_origin_days": 14}, areas={HERE: {"high": "2022-11-25"}})
    week = {"tier": "yellow", "any_rule": [], "kind": "landing_test", "days": 1, "within_hours": 2, "test_days": [1]}
    snapshot("other measures", policy={"measures": [week]}, areas={HERE: {"high": "2022-11-25", "low": "2022-11-01"}})
