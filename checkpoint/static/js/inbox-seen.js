// An alert is seen when most of its card has stood on a visible screen for a second. Told to the server in batches, once each.

const LOOKED_MS = 1000;
const BATCH_MS = 1500;
const AGAIN_MS = 15_000;
const MOST = 200;

/** Watch the cards below `root` and tell `url` which were seen. */
export function watchSeen(root, url) {
  const told = new Set();
  const timers = new Map();
  let batch = new Set();
  let sending;

  const send = async () => {
    sending = undefined;
    const ids = [...batch].slice(0, MOST);
    if (!ids.length) return;
    const body = new FormData();
    for (const id of ids) body.append("alert", id);
    const token = document.querySelector('meta[name="csrf-token"]')?.content;
    try {
      const answer = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token ?? "", Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      for (const id of ids) batch.delete(id);
      if (batch.size) later(BATCH_MS);
    } catch {
      later(AGAIN_MS);
    }
  };
  const later = (wait) => (sending ??= setTimeout(send, wait));

  const seen = (id) => {
    timers.delete(id);
    if (told.has(id)) return;
    told.add(id);
    batch.add(id);
    later(BATCH_MS);
  };
  const stop = (id) => {
    clearTimeout(timers.get(id));
    timers.delete(id);
  };
  const shown = new Map();
  const weigh = () => {
    for (const [id, visible] of shown) {
      if (!visible || document.hidden) stop(id);
      else if (!told.has(id) && !timers.has(id)) timers.set(id, setTimeout(seen, LOOKED_MS, id));
    }
  };
  const observer = new IntersectionObserver(
    (entries) => {
      // A card taller than the screen counts as soon as it fills half of it.
      for (const { target, isIntersecting, intersectionRatio, intersectionRect } of entries) {
        const enough = intersectionRatio >= 0.6 || intersectionRect.height >= innerHeight / 2;
        shown.set(target.dataset.alert, isIntersecting && enough);
      }
      weigh();
    },
    { threshold: [0, 0.3, 0.6, 1] },
  );
  const observe = () => {
    for (const card of root.querySelectorAll("[data-alert]:not([data-watched])")) {
      card.dataset.watched = "";
      observer.observe(card);
    }
  };
  document.addEventListener("visibilitychange", weigh);
  new MutationObserver(observe).observe(root, { childList: true, subtree: true });
  observe();
}
