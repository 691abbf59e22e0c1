"""What approvals do to a pass: kept, broken in each way, several at once, and when nothing is sure.

T, 10:00 UTC on the 1st of December 2022, is 18:00 on a Thursday (4) at the site.
"""

from datetime import datetime, timedelta
from typing import Any

from tests.vectors.vocabulary import (
    BEIJING,
    FAR,
    HERE,
    MISSING,
    SERIAL,
    VALID,
    D,
    H,
    M,
    S,
    T,
    answer,
    iso,
    passed,
    raised,
    red_pass,
    refused,
    say,
    skewed,
    snapshot,
    stale,
    yellow_pass,
)

Json = dict[str, Any]


def granted(number: str = "A1", since: datetime = T - D, until: datetime = T + D, **terms: Any) -> Json:
    """One approval of the pass; `off_route` where the server found that the trip is another."""
    return {"number": number, "from": since, "until": until, "off_route": terms.pop("off_route", False), "terms": terms}


def approved(name: str, *approvals: Json, **changes: Any) -> str:
    """A snapshot, unless it was made before, in which the pass has approvals."""
    terms: Json = {}
    entries = []
    for one in approvals:
        key = f"t{len(terms)}"
        terms[key] = one["terms"]
        entry = {"number": one["number"], "from": iso(one["from"]), "until": iso(one["until"]), "terms": key}
        entries.append(entry | ({"broken": ["route"]} if one["off_route"] else {}))
    return snapshot(f"approved: {name}", approvals={SERIAL: entries}, terms=terms, **changes)


def kept_rule(number: str = "A1") -> Json:
    return say("approval_granted", 0, None, None, number)


def broken_rule(which: str, points: int = 80, number: str = "A1") -> Json:
    return say("approval_broken", points, None, None, number, which)


def with_rule(said: Json, wanted: Json, verdict: str | None = None) -> Json:
    """An answer with the approval's rule before all others; tier and measures are those of the person."""
    return wanted | {"rules": [said, *wanted["rules"]], "verdict": verdict or wanted["verdict"]}


GREEN, UNTESTED = answer("admit", VALID), answer("test", MISSING)
YELLOW, RED = answer("test", yellow_pass()), answer("hold", red_pass())
TIERS = {"green": GREEN, "yellow": YELLOW, "red": RED}


def kept() -> None:
    """A kept approval is said; only one that covers red changes the verdict, and only of red."""
    for covers in ("green", "yellow", "red"):
        for binding in (False, True):
            words = f"covers {covers}, {'binding' if binding else 'open'}"
            state = approved(words, granted(covers=covers, binding=binding))
            for tier, wanted in TIERS.items():
                verdict = "test" if (tier, covers) == ("red", "red") else None
                passed(f"approved, {tier}, {words}", with_rule(kept_rule(), wanted, verdict), state, tier=tier)
            passed(f"approved, untested, {words}", with_rule(kept_rule(), UNTESTED), state, negative_test_at=None)
    bare = approved("with no terms at all", granted())
    passed("approved with no terms at all", with_rule(kept_rule(), GREEN), bare)
    passed("approved with no terms at all, red", with_rule(kept_rule(), RED), bare, tier="red")
    passed("another pass is approved", RED, "approved: covers red, open", tier="red", serial="ffffffffffffffff")
    covered = approved("raised to red", granted(covers="red"), raised={SERIAL: "red"})
    passed(
        "approved, raised to red since",
        with_rule(kept_rule(), answer("hold", raised("red")), "test"),
        covered,
    )
    listed = approved(
        "red by the list", granted(covers="red"), points={"high_county": 80}, areas={HERE: {"high": "2022-11-25"}}
    )
    high = answer("hold", say("high_county", 80, HERE))
    passed("approved, red by the list", with_rule(kept_rule(), high, "test"), listed, counties=[HERE])
    passed("approved, from far away", with_rule(kept_rule(), answer("admit", VALID, FAR)), bare, counties=[BEIJING])


def broken() -> None:
    """Each way in which a crossing breaks its conditions: a binding one holds, another gives nothing. What lacks only a fresh test
    asks for it: of somebody green whom it binds, and of somebody red whom it covers.
    """
    ways: list[tuple[str, str, Json]] = [
        ("not_yet", "begins in a second", granted(since=T + S)),
        ("over", "ended this second", granted(until=T)),
        ("over", "ended yesterday", granted(since=T - 9 * D, until=T - D)),
        ("days", "not on Thursdays", granted(days=[1, 2, 3, 5, 6, 7])),
        ("hours", "mornings only", granted(hours=["06:00", "12:00"])),
        ("checkpoint", "another post", granted(checkpoints=["S7", "S8"])),
        ("route", "another trip", granted(off_route=True)),
        ("test", "a test of nine hours", granted(test_hours=9)),
        ("days", "everything at once", granted(days=[1], hours=["01:00", "02:00"], checkpoints=["S7"], off_route=True)),
        ("hours", "all but the day", granted(days=[4], hours=["01:00", "02:00"], checkpoints=["S7"], off_route=True)),
        ("checkpoint", "post and trip", granted(checkpoints=["S7"], off_route=True, test_hours=1)),
        ("route", "trip and test", granted(off_route=True, test_hours=1)),
    ]
    for which, words, approval in ways:
        binding = {**approval, "terms": approval["terms"] | {"binding": True, "covers": "red"}}
        closed, left_open = approved(f"{words}, binding", binding), approved(words, approval)
        verdict, points = ("test", 40) if which == "test" else ("hold", 80)
        for tier, wanted in TIERS.items():
            passed(
                f"{words}, binding, {tier}", with_rule(broken_rule(which, points), wanted, verdict), closed, tier=tier
            )
            passed(f"{words}, open, {tier}", with_rule(broken_rule(which, 0), wanted), left_open, tier=tier)
    red = approved("open, covers red, off its hours", granted(covers="red", hours=["06:00", "12:00"]))
    passed("open, covers red, off its hours", with_rule(broken_rule("hours", 0), RED), red, tier="red")
    asked = approved("a test of ten hours", granted(test_hours=10, binding=True))
    passed("a test of exactly ten hours", with_rule(kept_rule(), GREEN), asked)
    late = with_rule(broken_rule("test", 40), GREEN, "test")
    passed("a test of ten hours and a second", late, asked, negative_test_at=T - 10 * H - S)
    lacking = with_rule(broken_rule("test", 40), UNTESTED)
    passed("a test from the future", lacking, asked, negative_test_at=T + M)
    passed("no test where one is asked", lacking, asked, negative_test_at=None)
    bound = with_rule(broken_rule("test", 40), RED)
    passed("no test where one is asked, red", bound, asked, tier="red", negative_test_at=None)
    open_red = approved("covers red, a test of ten hours", granted(test_hours=10, covers="red"))
    untested = with_rule(broken_rule("test", 0), RED, "test")
    passed("no test where one is asked, red and covered", untested, open_red, tier="red", negative_test_at=None)
    passed(
        "no test where one is asked, covered and green",
        with_rule(broken_rule("test", 0), GREEN),
        open_red,
        negative_test_at=T - 11 * H,
    )
    here = approved("this post and another", granted(checkpoints=["S7", "G60"], binding=True))
    passed("this post is one of those granted", with_rule(kept_rule(), GREEN), here)
    low = approved("low threshold", granted(days=[1], binding=True), policy={"red_from": 50, "yellow_from": 30})
    passed("a broken one costs what red costs", with_rule(broken_rule("days", 50), GREEN, "hold"), low)


def days_and_hours() -> None:
    """Days and hours are the site's own, 8 hours before UTC; a night belongs to the day on which it began."""
    thursday, friday = [4], [5]
    # UTC instants with the site's own time in words
    table: list[tuple[str, Json, datetime, str | None]] = [
        ("Thursday 23:59", {"days": thursday}, T + 5 * H + 59 * M, None),
        ("Friday 00:00", {"days": thursday}, T + 6 * H, "days"),
        ("Friday 00:00, on Fridays", {"days": friday}, T + 6 * H, None),
        ("Sunday", {"days": [7]}, T + 3 * D, None),
        ("Monday", {"days": [7]}, T + 4 * D, "days"),
        ("at the first minute", {"hours": ["18:00", "19:00"]}, T, None),
        ("a second before the first minute", {"hours": ["18:00", "19:00"]}, T - S, "hours"),
        ("in the last second", {"hours": ["17:00", "18:00"]}, T - S, None),
        ("at the end", {"hours": ["17:00", "18:00"]}, T, "hours"),
        ("night, evening before", {"hours": ["22:00", "06:00"]}, T + 4 * H - S, "hours"),
        ("night, at its start", {"hours": ["22:00", "06:00"]}, T + 4 * H, None),
        ("night, at midnight", {"hours": ["22:00", "06:00"]}, T + 6 * H, None),
        ("night, last second", {"hours": ["22:00", "06:00"]}, T + 12 * H - S, None),
        ("night, over", {"hours": ["22:00", "06:00"]}, T + 12 * H, "hours"),
        ("Thursday's night, Thursday 23:00", {"days": thursday, "hours": ["22:00", "06:00"]}, T + 5 * H, None),
        ("Thursday's night, Friday 02:00", {"days": thursday, "hours": ["22:00", "06:00"]}, T + 8 * H, None),
        ("Thursday's night, Thursday 02:00", {"days": thursday, "hours": ["22:00", "06:00"]}, T - 16 * H, "days"),
        ("Thursday's night, Friday 23:00", {"days": thursday, "hours": ["22:00", "06:00"]}, T + 29 * H, "days"),
        ("Sunday's night, Monday 02:00", {"days": [7], "hours": ["22:00", "06:00"]}, T + 3 * D + 8 * H, None),
        ("to midnight", {"hours": ["18:00", "00:00"]}, T + 6 * H - S, None),
        ("to midnight, after it", {"hours": ["18:00", "00:00"]}, T + 6 * H, "hours"),
        ("from midnight", {"hours": ["00:00", "18:00"]}, T - S, None),
        ("from midnight, at its end", {"hours": ["00:00", "18:00"]}, T, "hours"),
    ]
    for words, terms, moment, which in table:
        said = kept_rule() if which is None else broken_rule(which)
        wanted = with_rule(said, GREEN, None if which is None else "hold")
        listed = {"list": {"id": 7, "source": "v", "published_at": iso(moment), "confirmed_at": iso(moment - H)}}
        state = approved(
            words, granted(since=T - 9 * D, until=T + 9 * D, binding=True, **terms), now=iso(moment - M), **listed
        )
        passed(words, wanted, state, scanned_at=moment, negative_test_at=moment - H, expires_at=T + 30 * D)
    for zone, which in (("Asia/Urumqi", None), ("Asia/Kolkata", "hours"), ("Asia/Kathmandu", "hours")):
        site = {"division": "330482000000", "name": "平湖市", "timezone": zone}
        state = approved(
            f"in {zone}", granted(hours=["16:00", "16:01"] if which is None else ["16:00", "16:30"]), site=site
        )
        said = kept_rule() if which is None else broken_rule(which, 0)
        # 10:00 UTC is 16:00 in Ürümqi, 15:30 in Kolkata, 15:45 in Kathmandu
        passed(f"hours in {zone}", with_rule(said, GREEN), state)


def several() -> None:
    """Any one that is kept counts, the one that covers most; else one that binds and lacks a test; else the first that holds."""
    off = {"hours": ["01:00", "02:00"]}
    state = approved("one broken, one kept", granted("A1", binding=True, **off), granted("A2"))
    passed("one broken, one kept", with_rule(kept_rule("A2"), GREEN), state)
    state = approved("kept by number", granted("A3"), granted("A2", binding=True), granted("A4"))
    passed("the first by number of those kept", with_rule(kept_rule("A2"), GREEN), state)
    state = approved(
        "the one that covers most", granted("A1"), granted("A2", covers="yellow"), granted("A3", covers="red")
    )
    passed("the one that covers most", with_rule(kept_rule("A3"), RED, "test"), state, tier="red")
    state = approved("red one broken", granted("A1"), granted("A2", covers="red", **off))
    passed("the one that covers red is broken", with_rule(kept_rule("A1"), RED), state, tier="red")
    state = approved("two broken, the second binds", granted("A1", **off), granted("A2", binding=True, days=[1]))
    passed("the first broken one that binds", with_rule(broken_rule("days", 80, "A2"), GREEN, "hold"), state)
    state = approved("two that bind", granted("A9", binding=True, **off), granted("A2", binding=True, days=[1]))
    passed(
        "two that bind, the first by number",
        with_rule(broken_rule("days", 80, "A2"), YELLOW, "hold"),
        state,
        tier="yellow",
    )
    state = approved(
        "one off its hours, one lacks a test",
        granted("A1", binding=True, **off),
        granted("A2", binding=True, test_hours=1),
    )
    passed("one off its hours, one lacks a test", with_rule(broken_rule("test", 40, "A2"), GREEN, "test"), state)
    state = approved(
        "an open one lacks a test", granted("A1", binding=True, **off), granted("A2", covers="red", test_hours=1)
    )
    passed(
        "one that binds is off its hours, an open one lacks a test",
        with_rule(broken_rule("hours"), RED, "hold"),
        state,
        tier="red",
    )
    state = approved("two open ones", granted("A1", **off), granted("A2", covers="red", test_hours=1))
    passed(
        "of two open ones that which covers", with_rule(broken_rule("test", 0, "A2"), RED, "test"), state, tier="red"
    )
    state = approved("two that do not bind", granted("A9", **off), granted("A2", days=[1]))
    passed("two that do not bind", with_rule(broken_rule("days", 0, "A2"), GREEN), state)
    state = approved(
        "one over, one to come", granted("A1", until=T - H, binding=True), granted("A2", since=T + H, binding=True)
    )
    passed("one over, one to come", with_rule(broken_rule("over"), GREEN, "hold"), state)
    state = approved(
        "one over, its successor runs", granted("A1", until=T, binding=True), granted("A2", since=T, binding=True)
    )
    passed("one over, its successor runs", with_rule(kept_rule("A2"), GREEN), state)


def doubts() -> None:
    """Where the snapshot is old or the clock wrong nobody red is let in; what is outside of its conditions is held all the same."""
    lenient, strict = granted(covers="red"), granted(binding=True, hours=["06:00", "12:00"])
    for hours, sure in ((11, True), (13, False), (30, False)):
        now = iso(T - timedelta(hours=hours))
        old = [] if sure else [stale(str(hours))]
        state = approved(f"covers red, {hours} h old", lenient, now=now)
        wanted = with_rule(kept_rule(), answer("hold", red_pass(), *old), "test" if sure else None)
        passed(f"covers red, snapshot {hours} h old", wanted, state, tier="red")
        state = approved(f"off its hours, {hours} h old", strict, now=now)
        plain = GREEN if sure else answer("test", stale(str(hours)))
        passed(f"off its hours, snapshot {hours} h old", with_rule(broken_rule("hours"), plain, "hold"), state)
    red = "approved: covers red, 11 h old"
    for words, skew, said in (("ahead", 3 * H, skewed("ahead", "180")), ("behind", -3 * H, skewed("behind", "180"))):
        wanted = with_rule(kept_rule(), answer("hold", red_pass(), said))
        seconds = int(skew.total_seconds())
        passed(f"covers red, clock 3 h {words}", wanted, red, tier="red", scanned_at=T + skew, skew=seconds)
    for minutes in (10, -10):
        passed(
            f"covers red, clock {minutes} min off",
            with_rule(kept_rule(), RED, "test"),
            red,
            tier="red",
            scanned_at=T + minutes * M,
            skew=minutes * 60,
        )
    hours = approved("from six in the evening", granted(binding=True, hours=["18:00", "19:00"]))
    for minutes in (10, -10):
        wanted = with_rule(kept_rule(), GREEN)
        passed(
            f"hours by the right clock, {minutes} min off", wanted, hours, scanned_at=T + minutes * M, skew=minutes * 60
        )
    early = with_rule(broken_rule("hours"), GREEN, "hold")
    passed("a clock that makes it seem within the hours", early, hours, scanned_at=T + 5 * M, skew=600)
    future = approved("covers red, from the future", lenient, now=iso(T + H))
    wanted = with_rule(kept_rule(), answer("hold", red_pass(), skewed("behind", "60")))
    passed("covers red, clock before the snapshot", wanted, future, tier="red")
    unlisted = approved("covers red, no list", lenient, list=None)
    wanted = with_rule(kept_rule(), answer("hold", red_pass(), say("list_missing", 40)), "test")
    passed("covers red, no list", wanted, unlisted, tier="red")


def problems() -> None:
    """A pass that does not hold is refused: no approval mends it."""
    state = approved("and withdrawn", granted(covers="red"), revoked={SERIAL: "withdrawn"})
    passed("approved and withdrawn", refused("pass_withdrawn"), state, tier="red")
    passed("approved and expired", refused("pass_expired"), "approved: covers red, open", expires_at=T - S)
    passed("approved and forged", refused("pass_forged"), "approved: covers red, open", problem="forged", bare=True)
