// Where today's rounds stand: what the server said last, and on top of it what was visited here since. Pure: no page, no network.

const HEX_ID = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** The id of the point that a code names, or null; whether the code is genuine only its fingerprint or the server can say. */
export function pointIdOf(text) {
  const match = /^CPP1:([0-9A-F]{32})\.[0-9A-F]{20}$/.exec(text.trim().toUpperCase());
  return match ? match[1].toLowerCase().replace(HEX_ID, "$1-$2-$3-$4-$5") : null;
}

/** base64url of SHA-256 of a code, by which a point is known again; null where the browser lends no cryptography (plain http). */
export async function fingerprintOf(text) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text.trim().toUpperCase()));
  return btoa(String.fromCharCode(...new Uint8Array(digest))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/**
 * The rounds of `plan` (an answer of /api/v1/gate/patrols) at `now` (milliseconds, the server's time), with the visits made here:
 * `{id, route, opens, closes, phase, done, total, tasks: [{point, state, at, found, sent}]}`; phase is open, coming or over.
 * A visit that was refused counts for nothing.
 */
export function roundsAt(plan, visits, now) {
  const points = new Map(plan.points.map((one) => [one.id, one]));
  const counting = visits.filter((one) => one.state !== "refused");
  return plan.rounds.map((round) => {
    const opens = Date.parse(round.opens_at);
    const closes = Date.parse(round.closes_at);
    const tasks = round.tasks
      .filter((task) => task.state !== "dropped")
      .map((task) => taskAt(task, points, opens, closes, counting, now));
    return {
      id: round.id,
      route: round.route,
      opens,
      closes,
      phase: now > closes ? "over" : now >= opens ? "open" : "coming",
      done: tasks.filter((one) => one.state === "done").length,
      total: tasks.length,
      tasks,
    };
  });
}

function taskAt(task, points, opens, closes, visits, now) {
  const point = points.get(task.point_id) ?? { id: task.point_id, name: "", place: "" };
  const here = visits
    .filter((one) => one.point_id === task.point_id && one.counted >= opens && one.counted <= closes)
    .sort((one, other) => other.counted - one.counted)[0];
  if (here) return { point, state: "done", at: here.counted, found: here.found, sent: here.state === "sent" };
  const at = task.done_at ? Date.parse(task.done_at) : null;
  const state = task.state === "due" && now > closes ? "missed" : task.state;
  return { point, state, at, found: task.found, sent: true };
}

/** The round to walk now: open with something left to do, else open, else the next to come; null when there is none. */
export function currentOf(rounds) {
  const open = rounds.filter((one) => one.phase === "open");
  const coming = rounds.filter((one) => one.phase === "coming").sort((one, other) => one.opens - other.opens);
  return open.find((one) => one.done < one.total) ?? open[0] ?? coming[0] ?? null;
}

/** The first point of a round that still has to be visited. */
export const nextOf = (round) => round?.tasks.find((one) => one.state === "due") ?? null;
