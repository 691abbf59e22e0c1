// The page's side of the service worker: registers it, and changes to a new version only when nobody stands at the barrier.

const SCOPE = "/gate";
const LOOK_EVERY_MS = 3_600_000;
const QUIET_MS = 300_000; // so long nobody has touched the tablet before it changes by itself
const TAKE_OVER_MS = 4000;

const workers = globalThis.isSecureContext ? navigator.serviceWorker : undefined;
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

/** Let a version that waits take over and load the page anew; resolves to false when none waits. */
export async function takeUpdate() {
  const waiting = (await workers?.getRegistration(SCOPE))?.waiting;
  if (!waiting || !workers.controller) return false;
  const changed = new Promise((resolve) => workers.addEventListener("controllerchange", () => resolve(true), { once: true }));
  waiting.postMessage({ takeOver: true });
  const done = await Promise.race([changed, new Promise((resolve) => setTimeout(() => resolve(false), TAKE_OVER_MS))]);
  if (done) location.reload();
  return done;
}

/** Keep the page and its files for times without network. `isIdle()` says whether the lane is free; `ready()` is told of a new version. */
export async function keepShell({ isIdle, ready }) {
  document.cookie = `lang=${language};path=/;max-age=31536000;samesite=lax`; // the page may have come from the tablet itself
  if (!workers) return;
  let touched = performance.now();
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, () => (touched = performance.now()), { capture: true, passive: true });
  let registration;
  try {
    registration = await workers.register("/gate/sw.js", { scope: SCOPE, updateViaCache: "none" });
  } catch {
    return; // the lane works without it; the next load tries again
  }
  const known = () => {
    const worker = registration.active ?? registration.waiting ?? registration.installing;
    worker?.postMessage({ language });
    if (registration.active) document.documentElement.dataset.shell = "kept";
    if (registration.waiting && workers.controller) ready();
  };
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", known));
  registration.installing?.addEventListener("statechange", known);
  known();
  setInterval(() => registration.update().catch(() => {}), LOOK_EVERY_MS);
  setInterval(() => {
    if (registration.waiting && isIdle() && performance.now() - touched > QUIET_MS) takeUpdate();
  }, 10_000);
}
