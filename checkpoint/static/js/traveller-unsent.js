// Finished declarations that the server does not have yet: kept on this phone alone, sent when there is a network, then forgotten but
// for the link of the pass. Sending twice is harmless: the server knows the phone's own client_id.

const KEY = "checkpoint.unsent";
const MOST = 5;
const LONGEST_MS = 8000;
const passing = (status) => status === 0 || status === 408 || status === 425 || status === 429 || status >= 500;

/** Each is `{client_id, at, path, entries, body, place, state: "waiting"|"refused"|"sent", errors?, pass?, early?}`. */
export function unsent() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => one?.client_id) : [];
  } catch {
    return [];
  }
}

function write(all) {
  try {
    if (all.length) localStorage.setItem(KEY, JSON.stringify(all.slice(0, MOST)));
    else localStorage.removeItem(KEY);
    return true;
  } catch {
    return false; // the code on the screen carries everything all the same
  }
}

/** Keep a finished declaration; one with the same client_id is replaced. */
export const keep = (item) => write([item, ...unsent().filter((one) => one.client_id !== item.client_id)]);
export const forget = (clientId) => write(unsent().filter((one) => one.client_id !== clientId));
export const find = (clientId) => unsent().find((one) => one.client_id === clientId);

async function post(body) {
  try {
    const response = await fetch("/api/v1/registrations", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      credentials: "omit", // a declaration is public; the language cookie alone is missed, and the page has its own words
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    return { status: response.status, answer: await response.json() };
  } catch {
    return { status: 0, answer: null };
  }
}

/** Try to send one; resolves to the item as it is then. Sent, nothing personal of it stays. */
export async function send(item) {
  const { status, answer } = await post(item.body);
  if (find(item.client_id) === undefined) return item; // taken off this phone meanwhile
  let after = item;
  if (status === 200 || status === 201) {
    const { client_id, at, path, place } = item;
    after = { client_id, at, path, place, state: "sent", pass: new URL(answer.pass.url, location.href).pathname, early: status === 200 };
  } else if (!passing(status)) {
    after = { ...item, state: "refused", errors: (answer?.errors ?? []).map(({ field, code }) => ({ field, code })) };
  }
  if (after !== item) keep(after);
  return after;
}
