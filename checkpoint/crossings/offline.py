"""The verdict of a tablet with no network. Pure; `static/js/gate/rules.js` says the same; `tests/vectors/gate.json` binds both.

Everything comes and goes as JSON has it: instants are RFC 3339, dates `YYYY-MM-DD`, counties 6 digits; `snapshot` is the body of
`GET /api/v1/gate/snapshot`, whose `now` is the server's time when it was last confirmed, or None when the tablet has none.
`skew_seconds` is how far the tablet's clock is ahead of the server's, or None when it was never measured; every age is counted
from the corrected time, so that a wrong clock never turns a good pass away.

A verdict is the tier of its strongest rule: each rule has points, and the policy's thresholds make them a tier. What a tablet does
not know costs at least the points of yellow. Rules stand strongest first, the negative test before them, an approval before all.
An approval says nothing of the person's risk: it holds a pass or lets one be tested, and leaves tier and measures as they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from checkpoint.approvals.conditions import Conditions, Passage
from checkpoint.approvals.standing import Settled, Standing, settle
from checkpoint.crossings.verdict import MAX_SKEW, PROBLEM_RULES, Verdict, with_approval
from checkpoint.risk.policy import PolicyData, Tier
from checkpoint.risk.scoring import Reason, measures_for, overlaps, tier_of

Json = Mapping[str, Any]
LEVELS = ("high", "middle", "low")
# With no snapshot there is no policy either: what is unknown is yellow, what a pass itself says stands.
_POINTS_WITHOUT_POLICY = {"red": 80, "yellow": 40}
_RANK = {"green": 1, "yellow": 2, "red": 3}
_VERDICTS = {"red": Verdict.HOLD, "yellow": Verdict.TEST}
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """Why: a rule, its points, and what it is about: a county, a stay (0 is the origin), or further words such as hours."""

    rule: str
    points: int
    county: str | None = None
    stay: int | None = None
    detail: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The form that is shown, stored and sent, without what is empty."""
        said: dict[str, Any] = {"rule": self.rule, "points": self.points}
        said |= {name: value for name, value in (("county", self.county), ("stay", self.stay)) if value is not None}
        return said | ({"detail": list(self.detail)} if self.detail else {})


class _Circumstances:
    """The snapshot, the policy and the corrected time of one scan."""

    def __init__(self, given: Json) -> None:
        self.snapshot: Json | None = given["snapshot"]
        self.policy = None if self.snapshot is None else PolicyData.model_validate(self.snapshot["policy"]["data"])
        self.skew = timedelta(seconds=given["skew_seconds"] or 0)
        self.moment = _instant(given["scanned_at"]) - self.skew

    def points(self, tier: str) -> int:
        """The least points that make a tier."""
        if self.policy is None:
            return _POINTS_WITHOUT_POLICY[tier]
        return self.policy.red_from if tier == "red" else self.policy.yellow_from

    def unknown(self, rule: str) -> int:
        """What something unknown costs: what the policy says, and never less than yellow."""
        known = 0 if self.policy is None else self.policy.points.get(rule, 0)
        return max(known, self.points("yellow"))

    def snapshot_age(self) -> timedelta | None:
        """How long ago the server confirmed the snapshot; None without one."""
        return None if self.snapshot is None else self.moment - _instant(self.snapshot["now"])

    def snapshot_is_old(self) -> bool:
        """Whether there is no snapshot that may be relied on."""
        age = self.snapshot_age()
        return self.policy is None or age is None or age > self.policy.snapshot_stale_hours * _HOUR

    def rules(self) -> Iterable[Rule]:
        """What speaks against trusting anything: the list, the snapshot, the clock."""
        if self.snapshot is None or self.policy is None:
            yield Rule("snapshot_missing", self.unknown("snapshot_missing"))
        else:
            listed = self.snapshot["list"]
            if listed is None or listed["confirmed_at"] is None:
                yield Rule("list_missing", self.unknown("list_missing"))
            else:
                age = self.moment - _instant(listed["confirmed_at"])
                if age > self.policy.list_stale_hours * _HOUR:
                    yield Rule("list_stale", self.unknown("list_stale"), detail=(str(age // _HOUR),))
            if self.snapshot_is_old():
                hours = (self.snapshot_age() or timedelta()) // _HOUR
                yield Rule("snapshot_stale", self.unknown("snapshot_stale"), detail=(str(hours),))
        yield from self.clock_rules()

    def clock_rules(self) -> Iterable[Rule]:
        """A clock known to be wrong, or one that stands before the time at which the server made the snapshot."""
        wrong = self.skew
        if abs(wrong) <= MAX_SKEW:
            age = self.snapshot_age()
            if age is None or -age <= MAX_SKEW:
                return
            wrong = age
        direction = "ahead" if wrong > timedelta() else "behind"
        minutes = abs(wrong) // timedelta(minutes=1)
        yield Rule("clock_skew", self.unknown("clock_skew"), detail=(direction, str(minutes)))

    def county_rule(self, county: str, stay: int | None, counting: Sequence[str]) -> Rule | None:
        """What the list says of a county, by the highest level that counts; what comes from elsewhere without one."""
        if self.snapshot is None or self.policy is None:
            return None
        for level in counting:
            rule = f"{level}_county"
            return Rule(rule, self.policy.points[rule], county, stay)
        if county[:2] != self.snapshot["site"]["division"][:2]:
            return Rule("other_province", self.policy.points["other_province"], county, stay)
        return None

    def listed(self, county: str) -> Mapping[str, str]:
        """Level → first listed date of what is listed in a county now."""
        found: Mapping[str, str] = {} if self.snapshot is None else self.snapshot["areas"].get(county, {})
        return found

    def has_negative(self, taken_at: datetime | None) -> bool:
        """Whether a negative test is young enough, and not from the future."""
        if taken_at is None or self.policy is None:
            return False
        return timedelta() <= self.moment - taken_at <= self.policy.negative_test_hours * _HOUR


def judge_pass(given: Json) -> dict[str, Any]:
    """The verdict on a pass: `{problem, claims, scanned_at, skew_seconds, snapshot}` → `{verdict, tier, rules, measures}`.

    `problem` is what reading the token found (unreadable, other_key, forged, expired) or None; `claims`, when it could be
    read, `{serial, expires_at, tier, negative_test_at, counties, truncated, unresolved}`.
    """
    around = _Circumstances(given)
    claims: Json | None = given["claims"]
    problem = _problem(given["problem"], claims, around)
    if problem == "other_key" and around.snapshot_is_old():
        # The key may be newer than what this tablet knows: nobody can say that the pass is bad.
        return _judged([Rule("pass_key_unknown", around.unknown("pass_key_unknown")), *around.rules()], None, around)
    if problem is not None or claims is None:
        return _refused(PROBLEM_RULES[problem or "unreadable"])
    test = None if claims["negative_test_at"] is None else _instant(claims["negative_test_at"])
    judged = _judged([*_pass_rules(claims, around), *around.rules()], test, around)
    return _approved(judged, _settled(claims["serial"], test, around), around)


def _problem(read: str | None, claims: Json | None, around: _Circumstances) -> str | None:
    """Why a pass is refused: claims tell whether it has expired by the corrected time, the snapshot whether it was revoked."""
    if claims is None or read not in (None, "expired"):
        return read
    if around.snapshot is not None and claims["serial"] in around.snapshot["revoked"]:
        return str(around.snapshot["revoked"][claims["serial"]])
    return "expired" if _instant(claims["expires_at"]) <= around.moment else None


def _pass_rules(claims: Json, around: _Circumstances) -> Iterable[Rule]:
    tier = claims["tier"]
    if tier != Tier.GREEN:
        yield Rule("pass_tier", around.points(tier), detail=(tier,))
    raised = "green" if around.snapshot is None else around.snapshot["raised"].get(claims["serial"], "green")
    if _RANK[raised] > _RANK[tier]:
        yield Rule("tier_raised", around.points(raised), detail=(raised,))
    for county in claims["counties"]:
        listed = around.listed(county)
        rule = around.county_rule(county, None, [level for level in LEVELS if level in listed])
        if rule is not None:
            yield rule
    if claims["truncated"]:
        yield Rule("places_truncated", around.unknown("places_truncated"))
    if claims["unresolved"]:
        yield Rule("place_unresolved", around.unknown("place_unresolved"))


def _settled(serial: str, negative_at: datetime | None, around: _Circumstances) -> Settled | None:
    """What the approvals that the snapshot names for a pass come to."""
    if around.snapshot is None or not around.snapshot["approvals"].get(serial):
        return None
    passage = Passage(
        around.moment,
        around.snapshot["checkpoint"]["code"],
        negative_at,
        ZoneInfo(around.snapshot["site"]["timezone"]),
    )
    return settle((_standing(one, around.snapshot["terms"]) for one in around.snapshot["approvals"][serial]), passage)


def _standing(one: Json, terms: Json) -> Standing:
    conditions = Conditions.from_json({"from": one["from"], "until": one["until"], **terms[one["terms"]]})
    return Standing(one["number"], conditions, "route" in one.get("broken", ()))


def _approved(judged: dict[str, Any], settled: Settled | None, around: _Circumstances) -> dict[str, Any]:
    """A verdict with what an approval does to it. Red is let in to a test only by what is surely in force, at a time that is sure."""
    if settled is None:
        return judged
    unsure = around.snapshot_is_old() or any(around.clock_rules())
    verdict = with_approval(Verdict(judged["verdict"]), judged["tier"], settled, unsure=unsure)
    points = settled.points(red_from=around.points("red"), yellow_from=around.points("yellow"))
    rule = Rule(settled.rule, points, detail=settled.detail)
    return judged | {"verdict": verdict.value, "rules": [rule.as_dict(), *judged["rules"]]}


def judge_declaration(given: Json) -> dict[str, Any]:
    """The verdict on a registration that was carried here with no network, scored at the depth of counties.

    `{origin: {county}, stays: [{county, since, until}], symptoms, tests: [{taken_at, result}], arriving_on, scanned_at,
    skew_seconds, snapshot}` → `{verdict, tier, score, rules, measures}`; a county that nobody could place is None. The origin
    counts as a stay of the policy's days before arrival.
    """
    around = _Circumstances(given)
    rules = [*_person_rules(given, around), *around.rules(), *_stay_rules(given, around)]
    judged = _judged(_once_a_place(rules), _newest_negative(given["tests"], around.moment), around)
    return judged | {"score": max((rule.points for rule in rules), default=0)}


def _person_rules(given: Json, around: _Circumstances) -> Iterable[Rule]:
    known: Mapping[str, int] = {} if around.policy is None else around.policy.points
    positive = [test["taken_at"][:10] for test in given["tests"] if test["result"] == "positive"]
    if positive:
        yield Rule("positive_test", known.get("positive_test", around.points("red")), detail=(max(positive),))
    if given["symptoms"]:
        points = known.get("symptoms", around.points("yellow"))
        yield Rule("symptoms", points, detail=tuple(sorted(given["symptoms"])))


def _stay_rules(given: Json, around: _Circumstances) -> Iterable[Rule]:
    if around.policy is None:
        return
    arriving = date.fromisoformat(given["arriving_on"])
    since = arriving - timedelta(days=around.policy.undated_origin_days)
    stays = [(given["origin"]["county"], since, arriving)]
    for stay in given["stays"]:
        stays.append((stay["county"], date.fromisoformat(stay["since"]), date.fromisoformat(stay["until"])))
    for position, (county, first, last) in enumerate(stays):
        rule = _stay_rule(county, position, (first, last), around.policy, around)
        if rule is not None:
            yield rule


def _stay_rule(
    county: str | None, position: int, dates: tuple[date, date], policy: PolicyData, around: _Circumstances
) -> Rule | None:
    if county is None:
        return Rule("place_unresolved", around.unknown("place_unresolved"), stay=position)
    listed = around.listed(county)
    counting = [
        level
        for level in LEVELS
        if level in listed and overlaps(*dates, date.fromisoformat(listed[level]), None, policy.days_before_listing)
    ]
    return around.county_rule(county, position, counting)


def _newest_negative(tests: Sequence[Json], moment: datetime) -> datetime | None:
    """When the newest test was taken, if it was negative; one from the future does not count."""
    taken = [(_instant(test["taken_at"]), test["result"]) for test in tests]
    past = [one for one in taken if one[0] <= moment]
    newest, result = max(past, key=lambda one: one[0], default=(None, ""))
    return newest if result == "negative" else None


def _once_a_place(rules: Iterable[Rule]) -> list[Rule]:
    """Two stays in one county give one rule, not two; each place that nobody knows is one of its own."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for rule in rules:
        if rule.county is not None:
            if (rule.rule, rule.county) in seen:
                continue
            seen.add((rule.rule, rule.county))
        kept.append(rule)
    return kept


def _judged(rules: Sequence[Rule], negative_at: datetime | None, around: _Circumstances) -> dict[str, Any]:
    ordered = sorted(rules, key=lambda rule: -rule.points)  # a stable sort: equal points keep their order
    most = ordered[0].points if ordered else 0
    if around.policy is not None:
        tier = tier_of(most, around.policy).value
        reasons = [Reason(rule.rule, rule.points) for rule in ordered]
        measures = [measure.as_dict() for measure in measures_for(Tier(tier), reasons, around.policy)]
    else:
        tier = "red" if most >= around.points("red") else "yellow"
        measures = []
    if tier == "green":
        has_test = around.has_negative(negative_at)
        verdict = Verdict.ADMIT if has_test else Verdict.TEST
        ordered.insert(0, Rule("negative_test_valid" if has_test else "negative_test_missing", 0))
    else:
        verdict = _VERDICTS[tier]
    return {
        "verdict": verdict.value,
        "tier": tier,
        "rules": [rule.as_dict() for rule in ordered],
        "measures": measures,
    }


def _refused(rule: str) -> dict[str, Any]:
    return {"verdict": Verdict.REFUSE.value, "tier": None, "rules": [{"rule": rule, "points": 0}], "measures": []}


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)
