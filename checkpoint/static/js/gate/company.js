// People who came with one declaration: each has a scan and a verdict of their own, and stands before the officer with the others.
// Pure but for the page's own measure of time.

/** Everybody who waits for a decision, the one on screen first: each is `{record, judge, view}`. */
export const everyone = (current) => [current, ...current.company];

/** Whether one decision may stand for all: everybody has the same verdict. */
export const isUnited = (current) => current.company.length > 0 && current.company.every(({ view }) => view?.verdict === current.view?.verdict);

const kept = ({ record, view }) => ({ scan_id: record.scan_id, view: view ?? null });

/** What the tablet keeps while these people wait, so that a reload brings the same verdicts back: masked, as the screen shows them. */
export const heldOf = ([first, ...rest]) => ({
  put: "kept",
  key: "held",
  value: { ...kept(first), company: rest.map(kept) },
});

/** What a batch tells of a scan. */
export function scanOf({ scan_id, token, scanned_at, skew_seconds, snapshot_version, shown, shift_id, vehicle_id }) {
  const optional = Object.entries({ skew_seconds, snapshot_version, shown, shift_id, vehicle_id });
  return { scan_id, token, scanned_at, ...Object.fromEntries(optional.filter(([, value]) => value !== undefined && value !== null)) };
}

/** Measure from the frame that held the code to the painted verdict: `performance` keeps it as scan-to-verdict. */
export function painted(at) {
  if (at === undefined) return;
  requestAnimationFrame(() => {
    const channel = new MessageChannel(); // its message is handled after this frame's paint
    channel.port1.onmessage = () => performance.measure("scan-to-verdict", { start: at, end: performance.now() });
    channel.port2.postMessage(null);
  });
}
