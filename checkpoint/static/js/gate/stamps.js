// What stands on each scan and decision besides itself: the shift of the officer on duty, and the vehicle that is being filled.

const now = { shift_id: null, vehicle_id: null };

/** Change what is stamped from here on; null takes it away. */
export const stamp = (values) => Object.assign(now, values);

const set = (names) => Object.fromEntries(names.filter((name) => now[name]).map((name) => [name, now[name]]));

/** The fields for a scan, and for a decision or anything else that an officer does. */
export const scanStamp = () => set(["shift_id", "vehicle_id"]);
export const shiftStamp = () => set(["shift_id"]);
