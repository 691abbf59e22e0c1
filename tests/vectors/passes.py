"""What a tablet with no network must say of a pass."""

from datetime import timedelta
from typing import Any

from tests.vectors.vocabulary import (
    BEIJING,
    FAR,
    HERE,
    MISSING,
    NEXT,
    VALID,
    WUHAN,
    D,
    H,
    M,
    S,
    T,
    answer,
    declared,
    passed,
    raised,
    red_pass,
    refused,
    say,
    skewed,
    stale,
    unmeasured,
    yellow_pass,
)


def unreadable_and_unknown() -> None:
    """What cannot be read, and what was signed by a key that this tablet does not know."""
    for state in ("calm", "aged 108000 s", "no list", "none"):
        for problem in ("unreadable", "forged"):
            passed(f"{problem}, {state}", refused(f"pass_{problem}"), state, problem=problem, bare=True)
        passed(f"expired unread, {state}", refused("pass_expired"), state, problem="expired", bare=True)
        passed(f"nothing at all, {state}", refused("pass_unreadable"), state, bare=True)
    unknown = say("pass_key_unknown", 40)
    fresh = ("calm", "aged 0 s", "aged 43199 s", "aged 43200 s", "no list", "list 259200 s", "snapshot 24 h")
    for state in fresh:
        passed(f"other key, {state}", refused("pass_other_key"), state, problem="other_key", bare=True)
    missing = unmeasured(answer("test", unknown, say("snapshot_missing", 40)))
    passed("other key, no snapshot", missing, "none", problem="other_key", bare=True)
    for state, hours in (("aged 43201 s", "12"), ("aged 108000 s", "30"), ("snapshot 1 h", "1")):
        old = answer("test", unknown, say("snapshot_stale", 40, None, None, hours))
        passed(f"other key, {state}", old, state, problem="other_key", bare=True)
    both = answer("test", unknown, say("list_missing", 40), say("snapshot_stale", 40, None, None, "30"))
    passed("other key, old snapshot without a list", both, "old and no list", problem="other_key", bare=True)
    skewed = answer("test", unknown, say("snapshot_missing", 40), say("clock_skew", 40, None, None, "ahead", "180"))
    passed(
        "other key, no snapshot, clock ahead", unmeasured(skewed), "none", problem="other_key", bare=True, skew=10800
    )
    late = answer("refuse", say("pass_other_key", 0))
    passed(
        "other key, clock ahead makes nothing old",
        late,
        problem="other_key",
        bare=True,
        scanned_at=T + 20 * H,
        skew=72000,
    )


def revoked_and_expired() -> None:
    """A pass that no longer holds is refused, whatever else is known."""
    for why in ("withdrawn", "replaced"):
        for tier in ("green", "yellow", "red"):
            for state in (why, f"{why}, old"):
                passed(f"{state}, {tier}", refused(f"pass_{why}"), state, tier=tier)
        passed(f"{why} and expired", refused(f"pass_{why}"), why, expires_at=T - D)
        passed(f"{why}, read as expired", refused(f"pass_{why}"), why, problem="expired", expires_at=T - D)
        passed(f"{why}, clock wrong", refused(f"pass_{why}"), why, skew=9000)
    passed("another pass was withdrawn", answer("admit", VALID), "another withdrawn")
    cases: list[tuple[str, timedelta, dict[str, Any]]] = [
        ("a day ago", -D, refused("pass_expired")),
        ("a second ago", -S, refused("pass_expired")),
        ("this second", 0 * S, refused("pass_expired")),
        ("in a second", S, answer("admit", VALID)),
        ("in a minute", M, answer("admit", VALID)),
        ("in 60 days", 60 * D, answer("admit", VALID)),
    ]
    for words, after, want in cases:
        passed(f"expires {words}", want, expires_at=T + after)
        passed(
            f"expires {words}, old snapshot",
            want if after <= 0 * S else answer("test", stale("30")),
            "aged 108000 s",
            expires_at=T + after,
        )
        passed(
            f"expires {words}, red",
            want if after <= 0 * S else answer("hold", red_pass()),
            expires_at=T + after,
            tier="red",
        )
    ahead, behind = skewed("ahead", "180"), skewed("behind", "180")
    passed(
        "clock 3 h ahead, expired by it alone",
        answer("test", ahead),
        problem="expired",
        expires_at=T + H,
        scanned_at=T + 3 * H,
        skew=10800,
    )
    passed("clock 3 h ahead, expired truly", refused("pass_expired"), expires_at=T, scanned_at=T + 3 * H, skew=10800)
    passed(
        "clock 3 h behind, expired truly", refused("pass_expired"), expires_at=T - H, scanned_at=T - 3 * H, skew=-10800
    )
    passed("clock 3 h behind, not expired", answer("test", behind), expires_at=T + S, scanned_at=T - 3 * H, skew=-10800)
    passed(
        "clock 10 min ahead, expired by it alone",
        answer("admit", VALID),
        problem="expired",
        expires_at=T + M,
        scanned_at=T + 10 * M,
        skew=600,
    )
    passed(
        "clock never measured, expired by it",
        refused("pass_expired"),
        expires_at=T + H,
        scanned_at=T + 3 * H,
        skew=None,
    )


def tests_of_a_pass() -> None:
    """Green is let in with a negative test of at most 48 hours that is not from the future; others need no look at it."""
    good, bad = answer("admit", VALID), answer("test", MISSING)
    table: list[tuple[str, timedelta | None, dict[str, Any]]] = [
        ("none", None, bad),
        ("of this second", 0 * S, good),
        ("of an hour ago", H, good),
        ("47 h 59 min old", 47 * H + 59 * M, good),
        ("47 h 59 min 59 s old", 48 * H - S, good),
        ("48 h old", 48 * H, good),
        ("48 h 1 s old", 48 * H + S, bad),
        ("49 h old", 49 * H, bad),
        ("9 days old", 9 * D, bad),
        ("a second in the future", -S, bad),
        ("an hour in the future", -H, bad),
    ]
    for words, age, want in table:
        taken = None if age is None else T - age
        passed(f"test {words}", want, negative_test_at=taken)
        passed(f"test {words}, yellow", answer("test", yellow_pass()), negative_test_at=taken, tier="yellow")
        passed(f"test {words}, red", answer("hold", red_pass()), negative_test_at=taken, tier="red")
    for hours in (24, 72):
        state = f"test {hours} h"
        passed(f"test exactly {hours} h old under {hours} h", good, state, negative_test_at=T - hours * H)
        passed(f"test {hours} h 1 s old under {hours} h", bad, state, negative_test_at=T - hours * H - S)
    passed("test 48 h old, clock 10 min ahead", good, negative_test_at=T - 48 * H, scanned_at=T + 10 * M, skew=600)
    passed(
        "test 48 h 1 s old, clock 10 min behind", bad, negative_test_at=T - 48 * H - S, scanned_at=T - 10 * M, skew=-600
    )
    passed(
        "test from the clock's future, truly past", good, negative_test_at=T - 5 * M, scanned_at=T - 10 * M, skew=-600
    )


def raised_tiers() -> None:
    """The worse of the pass and of what is known since."""
    own: dict[str, list[dict[str, Any]]] = {"green": [], "yellow": [yellow_pass()], "red": [red_pass()]}
    table = [
        ("green", "green", answer("admit", VALID)),
        ("green", "yellow", answer("test", raised("yellow"))),
        ("green", "red", answer("hold", raised("red"))),
        ("yellow", "green", answer("test", *own["yellow"])),
        ("yellow", "yellow", answer("test", *own["yellow"])),
        ("yellow", "red", answer("hold", raised("red"), *own["yellow"])),
        ("red", "green", answer("hold", *own["red"])),
        ("red", "yellow", answer("hold", *own["red"])),
        ("red", "red", answer("hold", *own["red"])),
    ]
    for issued, now, want in table:
        passed(f"issued {issued}, now {now}", want, f"raised {now}", tier=issued)
    passed(
        "issued green, now yellow, no test", answer("test", raised("yellow")), "raised yellow", negative_test_at=None
    )
    passed("issued green, now green, no test", answer("test", MISSING), "raised green", negative_test_at=None)


def counties_of_a_pass() -> None:
    """A county that is listed now counts, whenever the stay was: the pass does not say. The highest level decides."""
    here = {
        "high": answer("test", say("high_county", 50, HERE)),
        "middle": answer("admit", VALID, say("middle_county", 30, HERE)),
        "low": answer("admit", VALID, say("low_county", 20, HERE)),
        "all": answer("test", say("high_county", 50, HERE)),
        "middle and low": answer("admit", VALID, say("middle_county", 30, HERE)),
    }
    there = {
        "high": answer("test", say("high_county", 50, BEIJING)),
        "middle": answer("admit", VALID, say("middle_county", 30, BEIJING)),
        "low": answer("admit", VALID, say("low_county", 20, BEIJING)),
        "all": answer("test", say("high_county", 50, BEIJING)),
        "middle and low": answer("admit", VALID, say("middle_county", 30, BEIJING)),
    }
    for county, table in ((HERE, here), (BEIJING, there)):
        for level, want in table.items():
            state = f"{level} in {county}"
            passed(state, want, state, counties=[county])
            untested = want if level in ("high", "all") else answer("test", MISSING, *want["rules"][1:])
            passed(f"{state}, no test", untested, state, counties=[county], negative_test_at=None)
            passed(f"{state}, stayed elsewhere", answer("admit", VALID), state, counties=[NEXT])
    quiet: list[tuple[str, list[str], dict[str, Any]]] = [
        ("own province", [HERE], answer("admit", VALID)),
        ("another province", [BEIJING], answer("admit", VALID, FAR)),
        ("two other provinces", [WUHAN, BEIJING], answer("admit", VALID, say("other_province", 10, WUHAN), FAR)),
        ("both", [HERE, BEIJING], answer("admit", VALID, FAR)),
    ]
    for words, codes, want in quiet:
        passed(f"quiet counties, {words}", want, counties=codes)
        passed(
            f"quiet counties, {words}, no test",
            answer("test", MISSING, *want["rules"][1:]),
            counties=codes,
            negative_test_at=None,
        )
    low, middle = say("low_county", 20, HERE), say("middle_county", 30, BEIJING)
    high = say("high_county", 50, WUHAN)
    passed(
        "three counties, strongest first", answer("test", high, middle, low), "many", counties=[HERE, BEIJING, WUHAN]
    )
    passed("three counties, another order", answer("test", high, middle, low), "many", counties=[WUHAN, HERE, BEIJING])
    passed("two counties, green", answer("admit", VALID, middle, low), "many", counties=[HERE, BEIJING])
    six = ["320509", "330402", "330411", HERE, "330481", NEXT]
    suzhou = say("other_province", 10, "320509")
    passed("six counties", answer("admit", VALID, low, suzhou), "many", counties=six)
    passed(
        "yellow pass and a high county",
        answer("test", say("high_county", 50, HERE), yellow_pass()),
        f"high in {HERE}",
        counties=[HERE],
        tier="yellow",
    )
    passed(
        "red pass and a high county",
        answer("hold", red_pass(), say("high_county", 50, HERE)),
        f"high in {HERE}",
        counties=[HERE],
        tier="red",
    )
    passed("listed long ago", answer("test", say("high_county", 50, HERE)), "long listed", counties=[HERE])


def flags_of_a_pass() -> None:
    """Too many places to fit, and a place that nobody knows: yellow at least."""
    cut, lost = say("places_truncated", 40), say("place_unresolved", 40)
    for taken in (T - H, None):
        words = "tested" if taken else "not tested"
        passed(f"truncated, {words}", answer("test", cut), truncated=True, negative_test_at=taken)
        passed(f"unresolved, {words}", answer("test", lost), unresolved=True, negative_test_at=taken)
        passed(f"both, {words}", answer("test", cut, lost), truncated=True, unresolved=True, negative_test_at=taken)
    passed("truncated, yellow", answer("test", yellow_pass(), cut), truncated=True, tier="yellow")
    passed("unresolved, yellow", answer("test", yellow_pass(), lost), unresolved=True, tier="yellow")
    passed("truncated, red", answer("hold", red_pass(), cut), truncated=True, tier="red")
    passed("unresolved, red", answer("hold", red_pass(), lost), unresolved=True, tier="red")
    passed(
        "truncated with a high county",
        answer("test", say("high_county", 50, HERE), cut),
        f"high in {HERE}",
        counties=[HERE],
        truncated=True,
    )
    passed("truncated with a far county", answer("test", cut, FAR), counties=[BEIJING], truncated=True)
    passed(
        "unknown is never cheaper than yellow",
        answer("test", lost, say("list_missing", 40)),
        "unknown is cheap",
        unresolved=True,
    )
    passed("unknown may be dearer", answer("hold", say("place_unresolved", 90)), "unknown is dear", unresolved=True)
    passed("truncation has no price of its own", answer("test", cut), "unknown is dear", truncated=True)


def other_policies() -> None:
    """The figures are the policy's, not the program's."""
    passed("high county red by policy", answer("hold", say("high_county", 80, HERE)), "strict", counties=[HERE])
    passed(
        "middle county yellow by policy",
        answer("test", say("middle_county", 40, HERE)),
        "strict middle",
        counties=[HERE],
    )
    passed(
        "high county red by threshold", answer("hold", say("high_county", 50, HERE)), "low thresholds", counties=[HERE]
    )
    passed(
        "middle county yellow by threshold",
        answer("test", say("middle_county", 30, HERE)),
        "low thresholds, middle",
        counties=[HERE],
    )
    passed(
        "red pass under a low threshold",
        answer("hold", say("pass_tier", 50, None, None, "red")),
        "low thresholds",
        tier="red",
    )
    passed(
        "yellow pass under a low threshold",
        answer("test", say("pass_tier", 30, None, None, "yellow")),
        "low thresholds",
        tier="yellow",
    )
    measure = {"kind": "landing_test", "days": 1, "within_hours": 2, "test_days": [1]}
    yellow = answer("test", say("high_county", 50, HERE)) | {"measures": [measure]}
    passed("other measures, yellow", yellow, "other measures", counties=[HERE])
    passed(
        "other measures, green", answer("admit", VALID, FAR) | {"measures": []}, "other measures", counties=[BEIJING]
    )
    passed("other measures, red", answer("hold", red_pass()) | {"measures": []}, "other measures", tier="red")
    declared("high county red by policy", 80, answer("hold", say("high_county", 80, HERE, 0)), "strict", origin=HERE)
    declared(
        "other measures, yellow",
        50,
        answer("test", say("high_county", 50, HERE, 0)) | {"measures": [measure]},
        "other measures",
        origin=HERE,
    )
