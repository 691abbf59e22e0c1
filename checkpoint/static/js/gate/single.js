// One tab of the gate at a time: two would share one outbox and one screen that waits for a decision.

const NAME = "checkpoint-gate";

/** Become the one tab. Resolves to true, or false when another has it; `lost` is called when another takes over. */
export function become(lost, { steal = false } = {}) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const options = steal ? { steal: true } : { ifAvailable: true };
    const held = navigator.locks.request(NAME, options, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
    held.catch(() => lost());
  });
}
