// What the approvals of a pass do at the barrier. Pure: no page, no store, no clock. The server's approvals/standing.py and
// approvals/conditions.py say the same in Python, and both run tests/vectors/gate.json; a change here is a change there.
// An approval comes as the snapshot has it: `{number, from, until, terms, broken?}`, where `terms` names one of the snapshot's `terms`.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const RANK = { green: 1, yellow: 2, red: 3 };
const clocks = new Map(); // time zone → formatter: making one is slow

/** The approvals of a pass in a snapshot, with their terms; none where the snapshot, or an old one, knows of none. */
export function approvalsOf(snapshot, serial) {
  const found = snapshot?.approvals?.[serial] ?? [];
  return found.map((one) => ({ ...one, ...snapshot.terms[one.terms] }));
}

/**
 * What counts of some approvals at one crossing, null without any: `{approval, broken}`, broken being null for one that is kept.
 * `passage` is `{moment, checkpoint, negativeAt, timezone}`, instants in milliseconds.
 */
export function settle(approvals, passage) {
  const found = [...approvals]
    .sort((one, other) => (one.number < other.number ? -1 : 1))
    .map((approval) => ({ approval, broken: breach(approval, passage) }));
  return found.reduce((best, one) => (best && weight(best) >= weight(one) ? best : one), null);
}

/** Whether the pass holds only within this approval, and is outside of it now. */
const binds = ({ approval, broken }) => broken !== null && Boolean(approval.binding);
const lacksTest = ({ broken }) => broken === "test";

/** Whether a pass is held, whatever its tier. */
export const holds = (settled) => binds(settled) && !lacksTest(settled);

/** Whether a test is asked for, though the pass would do without. */
export const asksTest = (settled) => binds(settled) && lacksTest(settled);

/** Whether somebody red is let in to a test. */
export const coversRed = (settled) => settled.approval.covers === "red" && (settled.broken === null || lacksTest(settled));

/**
 * One that is kept comes before one that binds and lacks only a test, that before one that holds the pass, and that before the rest;
 * of equals what covers more, then the first by number.
 */
function weight(settled) {
  const covers = RANK[settled.approval.covers ?? "green"];
  if (settled.broken === null) return 30 + covers;
  if (holds(settled)) return 10;
  return lacksTest(settled) ? covers + (binds(settled) ? 20 : 0) : 0;
}

function breach(approval, { moment, checkpoint, negativeAt, timezone }) {
  if (moment < Date.parse(approval.from)) return "not_yet";
  if (moment >= Date.parse(approval.until)) return "over";
  const { day, within } = dayAndHours(approval.hours ?? null, moment, timezone);
  if (approval.days?.length && !approval.days.includes(day)) return "days";
  if (!within) return "hours";
  if (approval.checkpoints?.length && !approval.checkpoints.includes(checkpoint)) return "checkpoint";
  if (approval.broken?.length) return approval.broken[0];
  if (approval.test_hours && !isTested(approval.test_hours, moment, negativeAt)) return "test";
  return null;
}

/** The weekday (1 Monday to 7 Sunday) to which a local time belongs, and whether it lies within the hours. */
function dayAndHours(hours, moment, timezone) {
  const { date, clock } = local(moment, timezone);
  if (!hours) return { day: weekday(date), within: true };
  const [first, last] = hours;
  if (first < last) return { day: weekday(date), within: first <= clock && clock < last };
  if (clock < last) return { day: weekday(date - DAY), within: true }; // past midnight, in the night that began yesterday
  return { day: weekday(date), within: clock >= first };
}

const weekday = (date) => new Date(date).getUTCDay() || 7;

/** The site's own date, as the UTC midnight of the same name, and time of day. */
function local(moment, timezone) {
  if (!clocks.has(timezone)) {
    const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
    clocks.set(timezone, new Intl.DateTimeFormat("en", { ...parts, hourCycle: "h23", timeZone: timezone }));
  }
  const said = Object.fromEntries(clocks.get(timezone).formatToParts(moment).map(({ type, value }) => [type, value]));
  return { date: Date.UTC(said.year, said.month - 1, said.day), clock: `${said.hour}:${said.minute}` };
}

function isTested(hours, moment, negativeAt) {
  if (negativeAt === null) return false;
  const age = moment - negativeAt;
  return age >= 0 && age <= hours * HOUR;
}
