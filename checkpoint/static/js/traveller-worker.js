// Keeps the traveller's empty form on the phone, so that it opens with no network. Sent by /sw.js, which puts the list KEPT before it:
// {version, languages, files}. Of people it keeps only the passes that the pages of this phone name as theirs, masked as they are
// shown, until they are taken off the list: no answer of the API, nothing that anybody has typed. All else passes through untouched.
/* global KEPT */

const PREFIX = "checkpoint-form-";
const CACHE = `${PREFIX}${KEPT.version}`;
const POSTS = "checkpoint-posts"; // the posters that this phone has opened, and its language: outlives a version
const WALLET = "checkpoint-wallet"; // the passes of this phone with their pictures: outlives a version
const LANGUAGE = "/offline/language";
const PLACES = "/places/offline.json";
const MOST_POSTS = 4;
const PAGE_MS = 6000;
const FILE_MS = 4000;
const PASS_MS = 5000;
const SEND_MS = 20_000;
const FORM = /^\/(c\/[\w-]{2,24})?$/;
const PASS = /^\/p\/([\w-]{20,80})(\/qr\.svg)?$/;

const shellOf = (path, language) => `${path}?shell=1&lang=${language}`;

async function paths() {
  const kept = await (await caches.open(POSTS)).keys();
  return ["/", ...kept.map(({ url }) => new URL(url).pathname).filter((path) => path.startsWith("/c/"))];
}

/** The empty form of a path in every language. */
async function keepForm(path) {
  const cache = await caches.open(CACHE);
  for (const language of KEPT.languages) {
    const address = shellOf(path, language);
    const response = await fetch(address, { credentials: "omit", cache: "no-store" });
    if (response.ok && new URL(response.url).pathname === path) await cache.put(address, response);
  }
}

async function fill() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...KEPT.files, PLACES]);
  for (const path of await paths()) await keepForm(path);
}

async function clear() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
}

async function remember({ keep, language }) {
  const posts = await caches.open(POSTS);
  if (KEPT.languages.includes(language)) await posts.put(LANGUAGE, new Response(language));
  if (!FORM.test(keep ?? "")) return;
  if (keep !== "/") await posts.put(keep, new Response(""));
  const opened = (await posts.keys()).filter(({ url }) => new URL(url).pathname.startsWith("/c/"));
  for (const old of opened.slice(0, Math.max(0, opened.length - MOST_POSTS))) await posts.delete(old);
  await keepForm(keep);
}

async function languageOf(url) {
  const posts = await caches.open(POSTS);
  const asked = url.searchParams.get("lang");
  if (KEPT.languages.includes(asked)) {
    await posts.put(LANGUAGE, new Response(asked));
    return asked;
  }
  const kept = await (await posts.match(LANGUAGE))?.text();
  return KEPT.languages.includes(kept) ? kept : KEPT.languages[0];
}

const fetched = (request, milliseconds) => {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("late")), milliseconds)));
  return Promise.race([fetch(request), late]).finally(() => clearTimeout(timer));
};

async function form(request, url) {
  try {
    return await fetched(request, PAGE_MS);
  } catch (error) {
    const cache = await caches.open(CACHE);
    const language = await languageOf(url);
    const kept = (await cache.match(shellOf(url.pathname, language))) ?? (await cache.match(shellOf("/", language)));
    if (kept) return kept;
    throw error;
  }
}

/** A form that could not be sent: the page comes back, finds what was typed in its tab, and shows it as a code. */
async function sent(request, url) {
  try {
    return await fetched(request, SEND_MS);
  } catch {
    return Response.redirect(`${url.pathname}?unsent=1`, 303);
  }
}

async function file(request) {
  try {
    return await fetched(request, FILE_MS);
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

/** Keep exactly these passes: `handles` are all that this phone has. */
async function keepPasses(handles) {
  const cache = await caches.open(WALLET);
  const wanted = new Set(handles.flatMap((handle) => [`/p/${handle}`, `/p/${handle}/qr.svg`]).filter((path) => PASS.test(path)));
  const held = new Set();
  for (const { url } of await cache.keys()) {
    const { pathname } = new URL(url);
    held.add(pathname);
    if (!wanted.has(pathname)) await cache.delete(pathname);
  }
  for (const path of wanted) if (!held.has(path)) await keepPass(cache, path, await fetch(path, { cache: "no-store" }));
}

/** A pass that the server no longer knows is not kept either. */
async function keepPass(cache, path, response) {
  if (response.ok && !response.redirected) await cache.put(path, response);
  else if (response.status === 404 || response.status === 410) await cache.delete(path);
}

/** A pass as it is now; with no network as it was when it was last shown, if this phone keeps it. */
async function pass(request, { pathname }) {
  const cache = await caches.open(WALLET);
  const kept = await cache.match(pathname);
  try {
    const response = await (kept ? fetched(request, PASS_MS) : fetch(request));
    if (kept) await keepPass(cache, pathname, response.clone());
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

async function tell({ data, ports }) {
  if (Array.isArray(data?.wallet)) await keepPasses(data.wallet.map(String));
  else await remember(data ?? {});
  ports[0]?.postMessage("kept");
}

addEventListener("install", (event) => {
  skipWaiting(); // each answer comes from the network when there is one, so that a new version mixes with nothing
  event.waitUntil(fill());
});
addEventListener("activate", (event) => event.waitUntil(clear().then(() => clients.claim())));
addEventListener("message", (event) => event.waitUntil(tell(event)));

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === "GET" && PASS.test(url.pathname)) event.respondWith(pass(request, url));
  else if (request.mode === "navigate") {
    if (!FORM.test(url.pathname) || url.searchParams.has("shell")) return;
    if (request.method === "POST") event.respondWith(sent(request, url));
    else if (request.method === "GET") event.respondWith(form(request, url));
  } else if (request.method === "GET" && (KEPT.paths.includes(url.pathname) || url.pathname === PLACES)) {
    event.respondWith(file(request));
  }
});
