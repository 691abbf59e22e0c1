// The verdict with no network. Pure: no page, no store, no clock. The server's crossings/offline.py says the same in Python, and
// both run tests/vectors/gate.json; a change here is a change there.
// Everything comes as JSON has it: instants RFC 3339, dates YYYY-MM-DD, counties 6 digits, `snapshot` the body of
// GET /api/v1/gate/snapshot (its `now`: when the server last confirmed it) or null when the tablet has none. `skew_seconds` is how far
// this tablet is ahead of the server, null when never measured: every age is counted from the corrected time.
// An approval says nothing of the person's risk: it holds a pass or lets one be tested, and leaves tier and measures as they are.

import { approvalsOf, asksTest, coversRed, holds, settle } from "./approvals.js";

const LEVELS = ["high", "middle", "low"];
const WITHOUT_POLICY = { red: 80, yellow: 40 };
const RANK = { green: 1, yellow: 2, red: 3 };
const VERDICTS = { red: "hold", yellow: "test" };
const PROBLEM_RULES = {
  unreadable: "pass_unreadable",
  other_key: "pass_other_key",
  forged: "pass_forged",
  expired: "pass_expired",
  withdrawn: "pass_withdrawn",
  replaced: "pass_replaced",
  unknown: "pass_unknown",
};
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MAX_SKEW = 15 * MINUTE;

const instant = (written) => Date.parse(written);
const dayOf = (date) => Date.parse(`${date}T00:00:00Z`);
const wholeHours = (span) => String(Math.floor(span / HOUR));

/** A rule with its points and, where there are any, the county, the stay (0 is the origin) and further words. */
function rule(name, points, { county, stay, detail } = {}) {
  const said = { rule: name, points };
  if (county !== undefined) said.county = county;
  if (stay !== undefined) said.stay = stay;
  if (detail?.length) said.detail = detail;
  return said;
}

/** The snapshot, the policy and the corrected time of one scan. */
class Circumstances {
  constructor({ snapshot, scanned_at: scannedAt, skew_seconds: skew }) {
    this.snapshot = snapshot;
    this.policy = snapshot?.policy.data ?? null;
    this.skew = (skew ?? 0) * 1000;
    this.moment = instant(scannedAt) - this.skew;
  }

  /** The least points that make a tier. */
  points(tier) {
    if (!this.policy) return WITHOUT_POLICY[tier];
    return tier === "red" ? this.policy.red_from : this.policy.yellow_from;
  }

  /** What something unknown costs: what the policy says, and never less than yellow. */
  unknown(name) {
    return Math.max(this.policy?.points[name] ?? 0, this.points("yellow"));
  }

  get age() {
    return this.snapshot ? this.moment - instant(this.snapshot.now) : null;
  }

  /** Whether there is no snapshot that may be relied on. */
  get isOld() {
    return !this.policy || this.age > this.policy.snapshot_stale_hours * HOUR;
  }

  /** What speaks against trusting anything: the list, the snapshot, the clock. */
  rules() {
    if (!this.policy) return [rule("snapshot_missing", this.unknown("snapshot_missing")), ...this.clockRules()];
    const found = [];
    const confirmed = this.snapshot.list?.confirmed_at;
    if (!confirmed) found.push(rule("list_missing", this.unknown("list_missing")));
    else {
      const age = this.moment - instant(confirmed);
      if (age > this.policy.list_stale_hours * HOUR) {
        found.push(rule("list_stale", this.unknown("list_stale"), { detail: [wholeHours(age)] }));
      }
    }
    if (this.isOld) found.push(rule("snapshot_stale", this.unknown("snapshot_stale"), { detail: [wholeHours(this.age)] }));
    return [...found, ...this.clockRules()];
  }

  /** A clock known to be wrong, or one that stands before the time at which the server made the snapshot. */
  clockRules() {
    let wrong = this.skew;
    if (Math.abs(wrong) <= MAX_SKEW) {
      if (this.age === null || -this.age <= MAX_SKEW) return [];
      wrong = this.age;
    }
    const minutes = String(Math.floor(Math.abs(wrong) / MINUTE));
    return [rule("clock_skew", this.unknown("clock_skew"), { detail: [wrong > 0 ? "ahead" : "behind", minutes] })];
  }

  /** Level → first listed date of what is listed in a county now. */
  listed(county) {
    return this.snapshot?.areas[county] ?? {};
  }

  /** What the list says of a county, by the highest level that counts; that it lies in another province where none does. */
  countyRule(county, stay, counting) {
    if (!this.policy) return [];
    const about = stay === undefined ? { county } : { county, stay };
    if (counting.length) {
      const name = `${counting[0]}_county`;
      return [rule(name, this.policy.points[name], about)];
    }
    if (county.slice(0, 2) === this.snapshot.site.division.slice(0, 2)) return [];
    return [rule("other_province", this.policy.points.other_province, about)];
  }

  /** Whether a negative test is young enough, and not from the future. */
  hasNegative(takenAt) {
    if (takenAt === null || !this.policy) return false;
    const age = this.moment - takenAt;
    return age >= 0 && age <= this.policy.negative_test_hours * HOUR;
  }
}

/**
 * The verdict on a pass: `{problem, claims, scanned_at, skew_seconds, snapshot}` → `{verdict, tier, rules, measures}`. `problem` is
 * what reading the token found or null; `claims` as pass.js gives them, null when the token could not be read.
 */
export function judgePass(given) {
  const around = new Circumstances(given);
  const { claims } = given;
  const problem = problemOf(given.problem, claims, around);
  if (problem === "other_key" && around.isOld) {
    // The key may be newer than what this tablet knows: nobody can say that the pass is bad.
    return judged([rule("pass_key_unknown", around.unknown("pass_key_unknown")), ...around.rules()], null, around);
  }
  if (problem || !claims) return refused(PROBLEM_RULES[problem ?? "unreadable"]);
  const test = claims.negative_test_at ? instant(claims.negative_test_at) : null;
  const plain = judged([...passRules(claims, around), ...around.rules()], test, around);
  return approved(plain, settledOf(claims.serial, test, around), around);
}

/** What the approvals that the snapshot names for a pass come to, null without any. */
function settledOf(serial, negativeAt, { snapshot, moment }) {
  const approvals = approvalsOf(snapshot, serial);
  if (!approvals.length) return null;
  return settle(approvals, { moment, checkpoint: snapshot.checkpoint.code, negativeAt, timezone: snapshot.site.timezone });
}

/** A verdict with what an approval does to it. Red is let in to a test only by what is surely in force, at a time that is sure. */
function approved(plain, settled, around) {
  if (!settled) return plain;
  const isSure = !around.isOld && around.clockRules().length === 0;
  const detail = [settled.approval.number, ...(settled.broken ? [settled.broken] : [])];
  const points = holds(settled) ? around.points("red") : asksTest(settled) ? around.points("yellow") : 0;
  const said = rule(settled.broken ? "approval_broken" : "approval_granted", points, { detail });
  return { ...plain, verdict: verdictWith(settled, plain, isSure), rules: [said, ...plain.rules] };
}

function verdictWith(settled, { verdict, tier }, isSure) {
  if (holds(settled)) return "hold";
  if (verdict === "hold" && tier === "red" && coversRed(settled) && isSure) return "test";
  return verdict === "admit" && asksTest(settled) ? "test" : verdict;
}

/** Why a pass is refused: its claims tell whether it has expired by the corrected time, the snapshot whether it was revoked. */
function problemOf(read, claims, around) {
  if (!claims || (read && read !== "expired")) return read;
  const revoked = around.snapshot?.revoked[claims.serial];
  if (revoked) return revoked;
  return instant(claims.expires_at) <= around.moment ? "expired" : null;
}

function passRules(claims, around) {
  const found = [];
  if (claims.tier !== "green") found.push(rule("pass_tier", around.points(claims.tier), { detail: [claims.tier] }));
  const raised = around.snapshot?.raised[claims.serial] ?? "green";
  if (RANK[raised] > RANK[claims.tier]) found.push(rule("tier_raised", around.points(raised), { detail: [raised] }));
  for (const county of claims.counties) {
    const listed = around.listed(county);
    found.push(...around.countyRule(county, undefined, LEVELS.filter((level) => level in listed)));
  }
  if (claims.truncated) found.push(rule("places_truncated", around.unknown("places_truncated")));
  if (claims.unresolved) found.push(rule("place_unresolved", around.unknown("place_unresolved")));
  return found;
}

/**
 * The verdict on a registration that was carried here with no network, at the depth of counties: `{origin: {county}, stays:
 * [{county, since, until}], symptoms, tests: [{taken_at, result}], arriving_on, scanned_at, skew_seconds, snapshot}` →
 * `{verdict, tier, score, rules, measures}`. A county that nobody could place is null.
 */
export function judgeDeclaration(given) {
  const around = new Circumstances(given);
  const rules = [...personRules(given, around), ...around.rules(), ...stayRules(given, around)];
  const result = judged(onceAPlace(rules), newestNegative(given.tests, around.moment), around);
  return { ...result, score: Math.max(0, ...rules.map((one) => one.points)) };
}

function personRules({ tests, symptoms }, around) {
  const known = around.policy?.points ?? {};
  const found = [];
  const positive = tests.filter((one) => one.result === "positive").map((one) => one.taken_at.slice(0, 10)).sort();
  if (positive.length) {
    found.push(rule("positive_test", known.positive_test ?? around.points("red"), { detail: [positive.at(-1)] }));
  }
  if (symptoms.length) found.push(rule("symptoms", known.symptoms ?? around.points("yellow"), { detail: [...symptoms].sort() }));
  return found;
}

function stayRules({ origin, stays, arriving_on: arrivingOn }, around) {
  if (!around.policy) return [];
  const arriving = dayOf(arrivingOn);
  const dated = stays.map(({ county, since, until }) => [county, dayOf(since), dayOf(until)]);
  const all = [[origin.county, arriving - around.policy.undated_origin_days * DAY, arriving], ...dated];
  return all.flatMap(([county, since, until], stay) => {
    if (!county) return [rule("place_unresolved", around.unknown("place_unresolved"), { stay })];
    const listed = around.listed(county);
    const counts = (level) => level in listed && until >= dayOf(listed[level]) - around.policy.days_before_listing * DAY;
    return around.countyRule(county, stay, LEVELS.filter(counts));
  });
}

/** When the newest test was taken, if it was negative; one from the future does not count. */
function newestNegative(tests, moment) {
  const past = tests.map((one) => [instant(one.taken_at), one.result]).filter(([taken]) => taken <= moment);
  if (!past.length) return null;
  const [taken, result] = past.reduce((newest, one) => (one[0] > newest[0] ? one : newest));
  return result === "negative" ? taken : null;
}

/** Two stays in one county give one rule, not two; each place that nobody knows is one of its own. */
function onceAPlace(rules) {
  const seen = new Set();
  return rules.filter((one) => {
    if (one.county === undefined) return true;
    const key = `${one.rule} ${one.county}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function tierOf(points, around) {
  if (points >= around.points("red")) return "red";
  return points >= around.points("yellow") || !around.policy ? "yellow" : "green";
}

function judged(rules, negativeAt, around) {
  const ordered = [...rules].sort((one, other) => other.points - one.points); // stable: equal points keep their order
  const tier = tierOf(ordered[0]?.points ?? 0, around);
  const measures = around.policy ? measuresFor(tier, ordered, around.policy) : [];
  if (tier !== "green") return { verdict: VERDICTS[tier], tier, rules: ordered, measures };
  const hasTest = around.hasNegative(negativeAt);
  const test = rule(hasTest ? "negative_test_valid" : "negative_test_missing", 0);
  return { verdict: hasTest ? "admit" : "test", tier, rules: [test, ...ordered], measures };
}

/** The first measure of the policy that the tier or one of the rules calls for. */
function measuresFor(tier, rules, policy) {
  const names = new Set(rules.map((one) => one.rule));
  const wanted = policy.measures.find((one) => (one.tier ? one.tier === tier : (one.any_rule ?? []).some((name) => names.has(name))));
  if (!wanted) return [];
  return [
    { kind: wanted.kind, days: wanted.days ?? 0, within_hours: wanted.within_hours ?? null, test_days: [...(wanted.test_days ?? [])] },
  ];
}

const refused = (name) => ({ verdict: "refuse", tier: null, rules: [{ rule: name, points: 0 }], measures: [] });
