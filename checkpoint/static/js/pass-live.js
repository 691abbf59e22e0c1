// The pass page keeps itself true: it asks every 20 seconds, and at once when it is looked at again, whether something has changed.

const EVERY_MS = 20_000;
const LONGEST_SIDE = 1600;
const LARGE_BYTES = 900_000;

let live = document.querySelector("[data-pass-live]");
let timer = 0;
let asking = false;

/** Replace the live part by a newer one; the forms below it show what can be told now. A form in use stays as it is. */
function take(html, tag) {
  const next = new DOMParser().parseFromString(html, "text/html").querySelector("[data-pass-live]");
  if (!next) return;
  const adopted = document.adoptNode(next);
  adopted.dataset.tag = tag;
  const before = live.dataset.tier;
  live.replaceWith(adopted);
  live = adopted;
  const may = new Set(live.dataset.may.split(" "));
  for (const form of document.querySelectorAll("[data-report]")) {
    if (!form.contains(document.activeElement)) form.hidden = !may.has(form.dataset.report);
  }
  if (before !== live.dataset.tier) {
    live.querySelector(".pass")?.scrollIntoView({ block: "start", behavior: "smooth" });
    navigator.vibrate?.([120, 80, 120]);
  }
}

async function ask() {
  if (asking || document.visibilityState === "hidden") return;
  asking = true;
  try {
    const answer = await fetch(live.dataset.url, {
      cache: "no-store",
      headers: { "If-None-Match": `"${live.dataset.tag}"` },
    });
    if (answer.status === 200) {
      const tag = (answer.headers.get("ETag") ?? "").replace(/^W\/|"/g, "");
      take(await answer.text(), tag);
    }
    if (answer.status === 200 || answer.status === 304) document.dispatchEvent(new Event("pass:fresh"));
  } catch {
    // no network: what stands here was true when it was fetched, and the next round asks again
  } finally {
    asking = false;
  }
}

function start() {
  clearInterval(timer);
  timer = setInterval(ask, EVERY_MS);
}

if (live) {
  start();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") ask();
  });
  window.addEventListener("online", ask);
}

/** A photo of many megapixels is made smaller on the phone; where that fails the server does it. */
async function smaller(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
  return blob && blob.size < file.size ? new File([blob], "picture.jpg", { type: "image/jpeg" }) : file;
}

document.querySelector("[data-appeal] input[type=file]")?.addEventListener("change", async (event) => {
  const input = event.target;
  const [file] = input.files;
  if (!file || file.size < LARGE_BYTES) return;
  try {
    const kept = new DataTransfer();
    kept.items.add(await smaller(file));
    input.files = kept.files;
  } catch {
    // sent as it is
  }
});

for (const form of document.querySelectorAll("[data-report] form")) {
  form.addEventListener("submit", () => {
    // A second touch while the first is under way would only be a repeat; the button says that it works.
    const button = form.querySelector("button[type=submit]");
    setTimeout(() => {
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
    }, 0);
  });
}
