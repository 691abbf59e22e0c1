/**
 * Type-ahead over the national divisions for a plain text field.
 *
 * Markup: <div data-division-picker data-url="/places" data-within="330482000000" data-words='{…}' [data-recent="off"]>
 *           <input type="text" name="origin_text"> <input type="hidden" name="origin_code">
 *         </div>
 * Without this module the text field posts its text and the server resolves it. With it, a chosen place fills the hidden
 * code; typing on clears it again, so that text and code never contradict each other.
 * Fires "division:chosen" (detail: {code, name, full_name, level}, or null when cleared) on the wrapping element.
 * Follows the WAI-ARIA combobox pattern with a listbox popup.
 */

const DEBOUNCE_MS = 120;
const RECENT_KEY = "checkpoint.places.recent";
const RECENT_MAX = 6;
const MAX_RESULTS = 8;
const answers = new Map(); // what the server said in this page, by address
const ANSWERS_MAX = 200;
let serial = 0;

/** The digits of a code that are not padding; a place lies in another if its code starts with them. */
function significant(code) {
  for (const width of [2, 4, 6, 9]) {
    if (/^0*$/.test(code.slice(width))) return code.slice(0, width);
  }
  return code;
}

function readRecent() {
  try {
    const stored = JSON.parse(localStorage.getItem(RECENT_KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((place) => /^\d{12}$/.test(place?.code) && place.full_name) : [];
  } catch {
    return []; // storage is off or holds something else: the picker works without it
  }
}

function remember(place) {
  const { code, name, full_name, level } = place;
  const others = readRecent().filter((other) => other.code !== code);
  try {
    localStorage.setItem(RECENT_KEY, JSON.stringify([{ code, name, full_name, level }, ...others].slice(0, RECENT_MAX)));
  } catch {
    // a full or forbidden storage costs the convenience only
  }
}

async function ask(address, signal) {
  const known = answers.get(address);
  if (known) return known;
  const response = await fetch(address, { signal, headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`places: ${response.status}`);
  const places = await response.json();
  if (answers.size >= ANSWERS_MAX) answers.delete(answers.keys().next().value);
  answers.set(address, places);
  return places;
}

/** Fills `target` with `text`, the part that was typed in a <mark>; text nodes only, so nothing can be injected. */
function highlight(target, text, typed) {
  const at = typed ? text.indexOf(typed) : -1;
  if (at < 0) {
    target.textContent = text;
    return;
  }
  const mark = document.createElement("mark");
  mark.textContent = typed;
  target.replaceChildren(text.slice(0, at), mark, text.slice(at + typed.length));
}

class DivisionPicker {
  constructor(root) {
    this.root = root;
    this.input = root.querySelector('input[type="text"], input[type="search"]');
    this.code = root.querySelector('input[type="hidden"]');
    this.url = root.dataset.url || "/places";
    this.words = JSON.parse(root.dataset.words || "{}");
    this.keepsRecent = root.dataset.recent !== "off";
    this.places = [];
    this.active = -1;
    this.timer = 0;
    this.request = null;
    this.build();
    this.listen();
  }

  get within() {
    return this.root.dataset.within || "";
  }

  build() {
    serial += 1;
    this.list = document.createElement("ul");
    this.list.id = `places-${serial}`;
    this.list.className = "picker-list";
    this.list.setAttribute("role", "listbox");
    this.list.hidden = true;
    const label = this.input.labels?.[0]?.textContent?.trim() || this.input.getAttribute("aria-label");
    if (label) this.list.setAttribute("aria-label", label);
    this.note = document.createElement("p");
    this.note.className = "picker-note";
    this.note.hidden = true;
    this.status = document.createElement("div");
    this.status.className = "visually-hidden";
    this.status.setAttribute("role", "status");
    this.status.setAttribute("aria-live", "polite");
    this.root.append(this.list, this.note, this.status);
    this.root.classList.add("picker");
    this.input.autocomplete = "off";
    this.input.setAttribute("role", "combobox");
    this.input.setAttribute("aria-autocomplete", "list");
    this.input.setAttribute("aria-haspopup", "listbox");
    this.input.setAttribute("aria-expanded", "false");
    this.input.setAttribute("aria-controls", this.list.id);
    this.root.toggleAttribute("data-chosen", Boolean(this.code.value));
  }

  listen() {
    this.input.addEventListener("input", (event) => this.typed(event));
    this.input.addEventListener("compositionend", () => this.typed({ isComposing: false }));
    this.input.addEventListener("focus", () => this.offerRecent());
    this.input.addEventListener("click", () => this.offerRecent());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    // The press must not take the focus from the field, or its blur would close the list before the click arrives.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest('[role="option"]');
      if (option) this.choose(Number(option.dataset.position));
    });
  }

  typed(event) {
    this.clearCode();
    if (event.isComposing) return; // letters of an input method that is still open are not what the person means
    clearTimeout(this.timer);
    this.request?.abort();
    const query = this.input.value.trim();
    if (!query) {
      this.offerRecent();
      return;
    }
    this.timer = setTimeout(() => this.search(query), DEBOUNCE_MS);
  }

  async search(query) {
    const request = new AbortController();
    this.request = request;
    const parameters = new URLSearchParams({ q: query.slice(0, 64), limit: String(MAX_RESULTS) });
    if (this.within) parameters.set("within", this.within);
    let places;
    try {
      places = await ask(`${this.url}?${parameters}`, request.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      places = await this.fromBook(query); // no network
      if (!places) {
        this.close(); // the plain field still posts its text
        return;
      }
    }
    if (request.signal.aborted || document.activeElement !== this.input) return;
    this.show(this.recentFirst(places, query), query);
  }

  /** Places of the book that this browser keeps for times without network; null when it has none. */
  async fromBook(query) {
    try {
      const { suggest } = await import("./places-offline.js");
      return await suggest(query, this.within, MAX_RESULTS);
    } catch {
      return null;
    }
  }

  recentFirst(places, query) {
    const known = new Set(this.recent().map((place) => place.code));
    const used = places.filter((place) => known.has(place.code));
    const extra = this.recent().filter(
      (place) => place.full_name.includes(query) && !places.some((other) => other.code === place.code),
    );
    const recent = new Set([...used, ...extra]);
    return [...recent, ...places.filter((place) => !recent.has(place))].slice(0, MAX_RESULTS);
  }

  recent() {
    if (!this.keepsRecent) return [];
    const prefix = this.within ? significant(this.within) : "";
    return readRecent().filter((place) => place.code.startsWith(prefix));
  }

  offerRecent() {
    if (this.input.value.trim() || !this.list.hidden) return;
    const places = this.recent();
    if (places.length) this.show(places, "", this.words.recent);
  }

  show(places, query, title = "") {
    this.places = places;
    this.active = -1;
    this.list.replaceChildren(...places.map((place, position) => this.option(place, position, query)));
    this.list.hidden = places.length === 0;
    this.note.hidden = places.length > 0;
    this.note.textContent = places.length ? "" : this.words.none || "";
    this.input.setAttribute("aria-expanded", String(places.length > 0));
    this.input.removeAttribute("aria-activedescendant");
    const found = places.length ? (this.words.found || "{n}").replace("{n}", places.length) : this.words.none || "";
    this.status.textContent = title ? `${title} ${found}` : found;
    (places.length ? this.list : this.note).scrollIntoView({ block: "nearest" });
  }

  option(place, position, query) {
    const item = document.createElement("li");
    item.id = `${this.list.id}-${position}`;
    item.className = "picker-option";
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.dataset.position = position;
    const name = document.createElement("strong");
    highlight(name, place.name, query);
    const full = document.createElement("small");
    highlight(full, place.full_name, query);
    item.append(name, full);
    return item;
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      if (this.list.hidden) return;
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (event.key === "Enter") {
      if (this.list.hidden || this.active < 0) return;
      event.preventDefault();
      this.choose(this.active);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      this.step(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Tab" && !this.list.hidden && this.active >= 0) {
      this.choose(this.active);
    }
  }

  step(by) {
    if (this.list.hidden) {
      const query = this.input.value.trim();
      if (query && !this.code.value) this.search(query);
      else this.offerRecent();
      return;
    }
    const count = this.places.length;
    this.activate(this.active < 0 ? (by > 0 ? 0 : count - 1) : (this.active + by + count) % count);
  }

  activate(position) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = position;
    const option = this.list.children[position];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option.id);
  }

  choose(position) {
    const place = this.places[position];
    if (!place) return;
    clearTimeout(this.timer);
    this.request?.abort();
    this.input.value = place.full_name;
    this.code.value = place.code;
    this.root.toggleAttribute("data-chosen", true);
    this.input.removeAttribute("aria-invalid");
    if (this.keepsRecent) remember(place);
    this.close();
    this.status.textContent = (this.words.chosen || "{place}").replace("{place}", place.full_name);
    this.tell(place);
  }

  clearCode() {
    if (!this.code.value) return;
    this.code.value = "";
    this.root.toggleAttribute("data-chosen", false);
    this.tell(null);
  }

  tell(place) {
    this.code.dispatchEvent(new Event("change", { bubbles: true }));
    this.root.dispatchEvent(new CustomEvent("division:chosen", { bubbles: true, detail: place }));
  }

  close() {
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.note.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}

const enhanced = new WeakSet();

/** The popup exists only with this module, so the module brings its style sheet where the page does not. */
function dress() {
  if (document.querySelector('link[rel="stylesheet"][href*="css/division-picker.css"]')) return;
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = new URL("../css/division-picker.css", import.meta.url).href;
  document.head.append(sheet);
}

/** Enhances every picker in a part of the page, once each. */
export function enhance(scope = document) {
  for (const root of scope.querySelectorAll("[data-division-picker]")) {
    if (enhanced.has(root) || !root.querySelector('input[type="hidden"]')) continue;
    enhanced.add(root);
    new DivisionPicker(root);
  }
}

dress();
enhance();
// Forms add stays and companions later; each new row brings its own picker.
new MutationObserver((records) => {
  if (records.some((record) => record.addedNodes.length)) enhance();
}).observe(document.body, { childList: true, subtree: true });
