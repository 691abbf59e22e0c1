"""What a tablet with no network must say of a carried registration; and of ages and clocks, for both."""

from datetime import datetime
from typing import Any

from tests.vectors.vocabulary import (
    BEIJING,
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
    lost_at,
    old_list,
    passed,
    red_pass,
    refused,
    say,
    skewed,
    stale,
    unmeasured,
    yellow_pass,
)


def lists_snapshots_clocks() -> None:
    """The age of the list and of the snapshot, and the tablet's clock: never a silent green."""
    good = answer("admit", VALID)
    ages: list[tuple[str, list[dict[str, Any]]]] = [
        ("list 0 s", []),
        ("list 172799 s", []),
        ("list 172800 s", []),
        ("list 172801 s", [old_list("48")]),
        ("list 178200 s", [old_list("49")]),
        ("list 259200 s", [old_list("72")]),
        ("no list", [say("list_missing", 40)]),
        ("list never confirmed", [say("list_missing", 40)]),
        ("list 24 h", [old_list("47")]),
        ("unknown is cheap", [say("list_missing", 40)]),
        ("aged 0 s", []),
        ("aged 43199 s", []),
        ("aged 43200 s", []),
        ("aged 43201 s", [stale("12")]),
        ("aged 108000 s", [stale("30")]),
        ("snapshot 24 h", []),
        ("snapshot 1 h", [stale("1")]),
        ("aged -900 s", []),
        ("aged -901 s", [skewed("behind", "15")]),
        ("aged -10800 s", [skewed("behind", "180")]),
        ("old and no list", [say("list_missing", 40), stale("30")]),
    ]
    for state, rules in ages:
        passed(state, answer("test", *rules) if rules else good, state)
        passed(f"{state}, no test", answer("test", *(rules or [MISSING])), state, negative_test_at=None)
        passed(f"{state}, yellow", answer("test", yellow_pass(), *rules), state, tier="yellow")
        passed(f"{state}, red", answer("hold", red_pass(), *rules), state, tier="red")
        declared(state, 40 if rules else 0, answer("test", *rules) if rules else good, state)
    clocks: list[tuple[int | None, list[dict[str, Any]]]] = [
        (None, []),
        (0, []),
        (1, []),
        (899, []),
        (900, []),
        (901, [skewed("ahead", "15")]),
        (10800, [skewed("ahead", "180")]),
        (86400, [skewed("ahead", "1440")]),
        (-1, []),
        (-900, []),
        (-901, [skewed("behind", "15")]),
        (-10800, [skewed("behind", "180")]),
    ]
    for skew, rules in clocks:
        shown = T + (skew or 0) * S
        passed(f"clock {skew} s", answer("test", *rules) if rules else good, skew=skew, scanned_at=shown)
        passed(
            f"clock {skew} s, no test",
            answer("test", *(rules or [MISSING])),
            skew=skew,
            scanned_at=shown,
            negative_test_at=None,
        )
        passed(f"clock {skew} s, red", answer("hold", red_pass(), *rules), skew=skew, scanned_at=shown, tier="red")
        declared(
            f"clock {skew} s",
            40 if rules else 0,
            answer("test", *rules) if rules else good,
            skew=skew,
            scanned_at=shown,
        )
    alone = say("snapshot_missing", 40)
    passed("no snapshot, green", unmeasured(answer("test", alone)), "none")
    passed("no snapshot, yellow", unmeasured(answer("test", yellow_pass(), alone)), "none", tier="yellow")
    passed("no snapshot, red", unmeasured(answer("hold", red_pass(), alone)), "none", tier="red")
    passed("no snapshot, counties say nothing", unmeasured(answer("test", alone)), "none", counties=[BEIJING])
    passed(
        "no snapshot, truncated", unmeasured(answer("test", say("places_truncated", 40), alone)), "none", truncated=True
    )
    passed("no snapshot, expired", refused("pass_expired"), "none", expires_at=T)
    everything = answer(
        "test", say("places_truncated", 40), say("list_missing", 40), stale("30"), skewed("ahead", "60")
    )
    passed("everything unknown at once", everything, "old and no list", truncated=True, skew=3600, scanned_at=T + H)


def stays_of_a_declaration() -> None:
    """A stay counts from seven days before the listing on, both ends included; the origin is the seven days before arrival."""
    # Listed on 25 November; the window opens on the 18th.
    windows: list[tuple[str, str, bool]] = [
        ("2022-11-10", "2022-11-16", False),
        ("2022-11-10", "2022-11-17", False),
        ("2022-11-10", "2022-11-18", True),
        ("2022-11-18", "2022-11-18", True),
        ("2022-11-19", "2022-11-24", True),
        ("2022-11-25", "2022-11-25", True),
        ("2022-11-26", "2022-12-01", True),
    ]
    counted = {
        HERE: {
            "high": (50, lambda rule: answer("test", rule)),
            "middle": (30, lambda rule: answer("admit", VALID, rule)),
            "low": (20, lambda rule: answer("admit", VALID, rule)),
        },
    }
    counted[BEIJING] = counted[HERE]
    unlisted = {
        HERE: (0, answer("admit", VALID)),
        BEIJING: (10, answer("admit", VALID, say("other_province", 10, BEIJING, 1))),
    }
    for county, levels in counted.items():
        for level, (points, made) in levels.items():
            for since, until, counts in windows:
                rule = say(f"{level}_county", points, county, 1)
                score, want = (points, made(rule)) if counts else unlisted[county]
                declared(
                    f"{level} in {county}, {since} to {until}",
                    score,
                    want,
                    f"{level} in {county}",
                    stays=[(county, since, until)],
                )
    # High since the 25th, middle since the 10th, low since the 1st: the highest level that the stay meets.
    for until, level, points in (("2022-11-18", "high", 50), ("2022-11-17", "middle", 30), ("2022-11-02", "low", 20)):
        rule = say(f"{level}_county", points, HERE, 1)
        want = answer("test", rule) if level == "high" else answer("admit", VALID, rule)
        declared(f"three levels, until {until}", points, want, f"all in {HERE}", stays=[(HERE, "2022-10-20", until)])
    origins: list[tuple[str, bool]] = [
        ("2022-11-17", False),
        ("2022-11-18", True),
        ("2022-11-25", True),
        ("2022-12-01", True),
        ("2022-12-08", True),
    ]
    for arriving, counts in origins:
        want = answer("test", say("high_county", 50, HERE, 0)) if counts else answer("admit", VALID)
        declared(
            f"origin, arriving on {arriving}",
            50 if counts else 0,
            want,
            f"high in {HERE}",
            origin=HERE,
            arriving_on=arriving,
        )
    declared(
        "origin in another province", 10, answer("admit", VALID, say("other_province", 10, BEIJING, 0)), origin=BEIJING
    )
    declared("origin of our own province", 0, answer("admit", VALID), origin=HERE)
    declared(
        "window of 14 days, inside",
        50,
        answer("test", say("high_county", 50, HERE, 1)),
        "window 14 days",
        stays=[(HERE, "2022-11-01", "2022-11-11")],
    )
    declared(
        "window of 14 days, before",
        0,
        answer("admit", VALID),
        "window 14 days",
        stays=[(HERE, "2022-11-01", "2022-11-10")],
    )
    declared("origin of 14 days", 50, answer("test", say("high_county", 50, HERE, 0)), "origin 14 days", origin=HERE)
    declared(
        "listed long ago, still listed",
        50,
        answer("test", say("high_county", 50, HERE, 1)),
        "long listed",
        stays=[(HERE, "2022-11-20", "2022-11-21")],
    )


def places_of_a_declaration() -> None:
    """Places nobody knows, places named twice, several at once."""
    lost = say("place_unresolved", 40, None, 0)
    declared("unknown origin", 40, answer("test", lost), origin=None)
    declared(
        "unknown stay",
        40,
        answer("test", say("place_unresolved", 40, None, 1)),
        stays=[(None, "2022-11-20", "2022-11-21")],
    )
    declared(
        "unknown origin and stays",
        40,
        answer("test", lost, say("place_unresolved", 40, None, 1), say("place_unresolved", 40, None, 2)),
        origin=None,
        stays=[(None, "2022-11-20", "2022-11-21"), (None, "2022-11-22", "2022-11-23")],
    )
    declared(
        "unknown stay of long ago",
        40,
        answer("test", say("place_unresolved", 40, None, 1)),
        stays=[(None, "2022-03-01", "2022-03-02")],
    )
    declared(
        "unknown costs yellow at least",
        40,
        answer("test", say("list_missing", 40), lost),
        "unknown is cheap",
        origin=None,
    )
    declared(
        "unknown may cost red", 90, answer("hold", say("place_unresolved", 90, None, 0)), "unknown is dear", origin=None
    )
    twice = [(HERE, "2022-11-20", "2022-11-21"), (HERE, "2022-11-28", "2022-11-29")]
    declared("one county twice", 50, answer("test", say("high_county", 50, HERE, 1)), f"high in {HERE}", stays=twice)
    half = [(HERE, "2022-11-01", "2022-11-02"), (HERE, "2022-11-28", "2022-11-29")]
    declared(
        "one county, once too early", 50, answer("test", say("high_county", 50, HERE, 2)), f"high in {HERE}", stays=half
    )
    declared(
        "origin and stay in one far county",
        10,
        answer("admit", VALID, say("other_province", 10, BEIJING, 0)),
        origin=BEIJING,
        stays=[(BEIJING, "2022-11-20", "2022-11-21")],
    )
    trip = [
        (WUHAN, "2022-11-20", "2022-11-22"),
        (BEIJING, "2022-11-22", "2022-11-24"),
        (HERE, "2022-11-24", "2022-11-30"),
    ]
    high, middle = say("high_county", 50, WUHAN, 1), say("middle_county", 30, BEIJING, 2)
    low = say("low_county", 20, HERE, 3)
    declared("a journey, strongest first", 50, answer("test", high, middle, low), "many", stays=trip)
    declared(
        "the journey backwards",
        50,
        answer(
            "test",
            say("high_county", 50, WUHAN, 3),
            say("middle_county", 30, BEIJING, 2),
            say("low_county", 20, HERE, 1),
        ),
        "many",
        stays=trip[::-1],
    )
    declared(
        "a journey without the worst",
        30,
        answer("admit", VALID, middle, low),
        "many",
        stays=[(NEXT, "2022-11-20", "2022-11-22"), *trip[1:]],
    )
    declared(
        "far and low",
        20,
        answer("admit", VALID, say("low_county", 20, HERE, 1), say("other_province", 10, BEIJING, 0)),
        f"low in {HERE}",
        origin=BEIJING,
        stays=[(HERE, "2022-11-24", "2022-11-30")],
    )


def people_of_a_declaration() -> None:
    """Symptoms and tests; without a snapshot; many things at once."""
    fever = say("symptoms", 45, None, None, "fever")
    positive = say("positive_test", 100, None, None, "2022-11-29")
    declared("fever", 45, answer("test", fever), symptoms=["fever"])
    declared(
        "symptoms in order",
        45,
        answer("test", say("symptoms", 45, None, None, "cough", "fever")),
        symptoms=["fever", "cough"],
    )
    declared("positive", 100, answer("hold", positive), tests=[(T - 2 * D, "positive")])
    declared(
        "positive, then negative", 100, answer("hold", positive), tests=[(T - 2 * D, "positive"), (T - H, "negative")]
    )
    declared(
        "negative, then positive",
        100,
        answer("hold", positive),
        tests=[(T - 2 * D, "positive"), (T - 3 * D, "negative")],
    )
    declared(
        "two positives, the newer is named",
        100,
        answer("hold", positive),
        tests=[(T - 5 * D, "positive"), (T - 2 * D, "positive")],
    )
    declared(
        "positive and fever", 100, answer("hold", positive, fever), tests=[(T - 2 * D, "positive")], symptoms=["fever"]
    )
    good, bad = answer("admit", VALID), answer("test", MISSING)
    table: list[tuple[str, list[tuple[datetime, str]], dict[str, Any]]] = [
        ("no test", [], bad),
        ("test 47 h 59 min old", [(T - 47 * H - 59 * M, "negative")], good),
        ("test 48 h old", [(T - 48 * H, "negative")], good),
        ("test 48 h 1 s old", [(T - 48 * H - S, "negative")], bad),
        ("test of this second", [(T, "negative")], good),
        ("test a second in the future", [(T + S, "negative")], bad),
        ("a future test and a good one", [(T + H, "negative"), (T - H, "negative")], good),
        ("an old and a new test", [(T - 9 * D, "negative"), (T - H, "negative")], good),
        ("two old tests", [(T - 9 * D, "negative"), (T - 3 * D, "negative")], bad),
    ]
    for words, taken, want in table:
        declared(words, 0, want, tests=taken)
    declared("fever, no test", 45, answer("test", fever), symptoms=["fever"], tests=[])
    declared(
        "fever, high county",
        50,
        answer("test", say("high_county", 50, HERE, 0), fever),
        f"high in {HERE}",
        origin=HERE,
        symptoms=["fever"],
    )
    declared(
        "fever, list old, far away",
        45,
        answer("test", fever, old_list("72"), say("other_province", 10, BEIJING, 0)),
        "list 259200 s",
        origin=BEIJING,
        symptoms=["fever"],
    )
    declared(
        "middle county and snapshot old",
        40,
        answer("test", stale("30"), say("other_province", 10, BEIJING, 0)),
        "aged 108000 s",
        origin=BEIJING,
    )
    alone = say("snapshot_missing", 40)
    declared("no snapshot", 40, unmeasured(answer("test", alone)), "none")
    declared("no snapshot, no place either", 40, unmeasured(answer("test", alone)), "none", origin=None)
    declared(
        "no snapshot, fever",
        40,
        unmeasured(answer("test", say("symptoms", 40, None, None, "fever"), alone)),
        "none",
        symptoms=["fever"],
    )
    declared(
        "no snapshot, positive",
        80,
        unmeasured(answer("hold", say("positive_test", 80, None, None, "2022-11-29"), alone)),
        "none",
        tests=[(T - 2 * D, "positive")],
    )
    declared(
        "everything at once",
        100,
        answer(
            "hold",
            positive,
            fever,
            say("list_missing", 40),
            stale("30"),
            skewed("ahead", "60"),
            lost_at(1),
            say("other_province", 10, BEIJING, 0),
        ),
        "old and no list",
        origin=BEIJING,
        stays=[(None, "2022-11-20", "2022-11-21")],
        symptoms=["fever"],
        tests=[(T - 2 * D, "positive")],
        skew=3600,
        scanned_at=T + H,
    )
