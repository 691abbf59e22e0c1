// Looks places up in the small book that the server has given this browser: what a division picker falls back to with no network.

const ADDRESS = "/places/offline.json";
const LEVELS = { 2: 1, 4: 2, 6: 3, 9: 4, 12: 5 };
const ABOVE = [2, 4, 6, 9, 12];
const COUNTY = 3;
let book = null;

/** The book as `{code, name, full_name, level, initials}`, read once; rejects when this browser has none. */
function read() {
  book ??= fetch(ADDRESS)
    .then((response) => (response.ok ? response.json() : Promise.reject(new Error(`places: ${response.status}`))))
    .then(({ places }) => parsed(places));
  book.catch(() => (book = null));
  return book;
}

/** Lines `330482 平湖市 phs` in the order of the tree; a place that holds counties is named by its counties only. */
export function parsed(lines) {
  const names = new Map();
  const found = [];
  for (const [at, line] of lines.entries()) {
    const [digits, name = "", initials = ""] = line.split(" ");
    names.set(digits, name);
    const level = LEVELS[digits.length];
    const holds = lines[at + 1]?.startsWith(digits) ?? false;
    if (!name || (level < COUNTY && holds)) continue;
    const chain = ABOVE.filter((width) => width <= digits.length).map((width) => names.get(digits.slice(0, width)) ?? "");
    const full = chain.filter((one, rank) => one && one !== chain[rank - 1]).join("");
    found.push({ code: digits.padEnd(12, "0"), name, full_name: full, level, initials });
  }
  return found;
}

/** How well a place fits what was typed: 0 best, null not at all. */
function rank({ name, full_name, initials }, query) {
  if (/^[a-z]+$/.test(query)) return initials.startsWith(query) ? initials.length - query.length : null;
  if (name.startsWith(query)) return name.length - query.length;
  if (name.includes(query)) return 20;
  if (full_name.includes(query)) return 40;
  return null;
}

/** Up to `limit` places for what was typed: by characters, or by the initials of their reading. `within` is a 12-digit code or "". */
export function search(places, query, within, limit) {
  const wanted = query.normalize("NFKC").replace(/\s+/g, "").toLowerCase();
  const prefix = within.replace(/(00)+$/, "").replace(/^(\d{6})000$/, "$1");
  return places
    .filter(({ code, level }) => code.startsWith(prefix) && (!prefix || level > COUNTY))
    .map((place) => ({ place, fit: rank(place, wanted) }))
    .filter(({ fit }) => fit !== null)
    .sort((one, other) => one.fit - other.fit || one.place.level - other.place.level)
    .slice(0, limit)
    .map(({ place }) => place);
}

/** The same, from this browser's book. */
export async function suggest(query, within, limit) {
  return search(await read(), query, within, limit);
}
