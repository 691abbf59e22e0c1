/**
 * Whom this phone has entered before: a touch fills in the person, the next one a companion, so that a family and whoever crosses
 * every day type it once. Kept only when the box is ticked, on this phone alone, and only after the server has taken it
 * (traveller-passes.js); gone after 90 days without use, or at a touch.
 */

const KEY = "checkpoint.known";
const NEXT = "checkpoint.known.next"; // what was typed and is not yet taken
const KEPT_MS = 90 * 86_400_000;
const MOST = 12;
const PERSON = ["name", "id_type", "id_number", "phone"];
const TRIP = ["origin_text", "origin_code", "destination_text", "destination_code", "destination.address", "transport", "plate"];
const form = document.querySelector("[data-traveller-form]");
const section = document.querySelector("[data-known]");
const box = document.querySelector("[data-known-keep] input");

/** `{at, people: [{name, id_type, id_number, phone}], trip: {field: value}}`, or null. */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (kept && Date.now() - kept.at < KEPT_MS && Array.isArray(kept.people)) return kept;
    localStorage.removeItem(KEY);
  } catch {
    // storage is off or holds something else: the form works without it
  }
  return null;
}

function typed() {
  const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => typeof value === "string"));
  const pick = (names, prefix = "") => Object.fromEntries(names.filter((name) => values[prefix + name]).map((name) => [name, values[prefix + name].trim()]));
  const rows = [...form.querySelectorAll('[data-row="companions"]')].map((row) => `companions.${row.id.split("-")[1]}.`);
  const people = ["", ...rows].map((prefix) => pick(PERSON, prefix)).filter((one) => one.name && one.id_number);
  return { people, trip: pick(TRIP) };
}

/** Those of this time first; whoever was entered before stays behind them. */
function together(now, before) {
  const numbers = new Set(now.people.map((one) => one.id_number));
  const people = [...now.people, ...(before?.people ?? []).filter((one) => !numbers.has(one.id_number))];
  return { at: Date.now(), people: people.slice(0, MOST), trip: now.trip };
}

function keepNext() {
  try {
    if (box?.checked) sessionStorage.setItem(NEXT, JSON.stringify(together(typed(), read())));
    else sessionStorage.removeItem(NEXT);
  } catch {
    // a full or forbidden storage costs the convenience only
  }
}

const entered = () => new Set([...form.querySelectorAll('[name$="id_number"]')].map((input) => input.value.trim()).filter(Boolean));

async function fill(person, trip) {
  const { fillFields, fillRow } = await import("./traveller-fill.js");
  if (!form.elements.name.value.trim() && !form.elements.id_number.value.trim()) {
    const given = (name) => form.elements[name]?.value;
    const place = ["origin", "destination"].filter((name) => given(`${name}_text`));
    const missing = Object.entries(trip).filter(([name]) => !place.includes(name.split("_")[0]) && (name === "transport" || !given(name)));
    fillFields(form, { ...person, ...Object.fromEntries(missing) });
    for (const [name, value] of missing) if (name === "transport") form.querySelector(`[name=transport][value="${CSS.escape(value)}"]`)?.click();
  } else if (form.querySelector('[data-add="companions"]')) {
    fillRow(form, "companions", form.querySelectorAll('[data-row="companions"]').length, person);
  }
  show();
}

function show() {
  const kept = read();
  const here = entered();
  section.hidden = !kept;
  section.querySelector("[data-known-people]").replaceChildren(
    ...(kept?.people ?? []).map((person) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "outline", textContent: person.name });
      button.setAttribute("aria-pressed", String(here.has(person.id_number)));
      button.disabled = here.has(person.id_number);
      button.addEventListener("click", () => fill(person, kept.trip));
      return button;
    }),
  );
}

function begin() {
  if (box) {
    box.closest("[data-known-keep]").hidden = false;
    box.checked = Boolean(read());
    form.addEventListener("submit", keepNext);
  }
  section.querySelector("[data-known-forget]").addEventListener("click", () => {
    localStorage.removeItem(KEY);
    sessionStorage.removeItem(NEXT);
    if (box) box.checked = false;
    show();
  });
  form.addEventListener("change", () => section.hidden || show());
  form.addEventListener("click", (event) => event.target.closest("[data-remove]") && !section.hidden && setTimeout(show));
  show();
}

if (form && section) begin();
