// Keeps the gate's page and all its files on the tablet, so that it opens with no network. Sent by /gate/sw.js, which puts the
// list SHELL before it: {version, pages: {language: digest}, files: {path: [digest, query]}}. Nothing personal is ever kept here:
// calls of the API pass through untouched.
/* global SHELL */

const PREFIX = "checkpoint-gate-";
const CACHE = `${PREFIX}${SHELL.version}`;
const SETTINGS = "checkpoint-settings";
const LANGUAGE = "/gate/language";
const DIGEST = "X-Checkpoint-Digest";
const PAGES = ["/gate", "/gate/enroll"];
const AT_ONCE = 6;

const pageKey = (language) => `/gate?lang=${language}`;

async function digestOf(buffer) {
  const hash = await crypto.subtle.digest("SHA-256", buffer);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Put one file into the new cache: from an older one when it has not changed, else fetched and checked. */
async function take(cache, older, key, address, digest) {
  for (const store of older) {
    const copy = await store.match(key);
    if (copy?.headers.get(DIGEST) === digest) {
      await cache.put(key, copy);
      return;
    }
  }
  const response = await fetch(address, { cache: address.includes("v=") ? "default" : "no-cache", credentials: "omit" });
  const content = await response.arrayBuffer();
  if (!response.ok || (await digestOf(content)) !== digest) throw new Error(`${key} is not of this version`);
  const headers = new Headers(response.headers);
  for (const name of ["Content-Encoding", "Content-Length", "Vary"]) headers.delete(name); // it is kept unpacked
  headers.set(DIGEST, digest);
  await cache.put(key, new Response(content, { headers }));
}

async function fill() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  const older = await Promise.all(names.map((name) => caches.open(name)));
  const cache = await caches.open(CACHE);
  const wanted = [
    ...Object.entries(SHELL.pages).map(([language, digest]) => [pageKey(language), pageKey(language), digest]),
    ...Object.entries(SHELL.files).map(([path, [digest, query]]) => [path, path + query, digest]),
  ];
  const work = async () => {
    for (let next = wanted.pop(); next; next = wanted.pop()) await take(cache, older, ...next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function clear() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
}

async function languageOf(url) {
  const settings = await caches.open(SETTINGS);
  const asked = url.searchParams.get("lang");
  if (asked in SHELL.pages) {
    await settings.put(LANGUAGE, new Response(asked));
    return asked;
  }
  const kept = await (await settings.match(LANGUAGE))?.text();
  return kept in SHELL.pages ? kept : Object.keys(SHELL.pages).includes("zh") ? "zh" : Object.keys(SHELL.pages)[0];
}

async function page(request, url) {
  const cache = await caches.open(CACHE);
  return (await cache.match(pageKey(await languageOf(url)))) ?? fetch(request);
}

async function file(request, path) {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? fetch(request);
}

addEventListener("install", (event) => event.waitUntil(fill()));
addEventListener("activate", (event) => event.waitUntil(clear()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (PAGES.includes(url.pathname)) event.respondWith(page(request, url));
  } else if (url.pathname in SHELL.files) event.respondWith(file(request, url.pathname));
});

// The page says when it is safe to change: never while somebody stands at the barrier.
addEventListener("message", ({ data }) => {
  if (data?.takeOver) skipWaiting();
  if (data?.language in SHELL.pages) {
    caches.open(SETTINGS).then((settings) => settings.put(LANGUAGE, new Response(data.language)));
  }
});
