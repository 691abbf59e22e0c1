// Puts values into the traveller's form, with its rows: what was typed before the network went, or what this phone entered last time.

import { rowsOf } from "./traveller-body.js";

const KINDS = ["stays", "companions", "tests"];

function set(controls, value) {
  for (const control of controls) {
    if (control.type === "checkbox" || control.type === "radio") control.checked ||= control.value === value;
    else control.value = value;
    if (control.name.endsWith("_code")) control.closest("[data-division-picker]")?.toggleAttribute("data-chosen", Boolean(value));
  }
}

const rows = (form, kind) => form.querySelectorAll(`[data-row="${kind}"]`);

/** Fill the row at a place of its kind; the row is added if it is the next one. */
export function fillRow(form, kind, at, values) {
  if (rows(form, kind).length <= at) form.querySelector(`[data-add="${kind}"]`).click();
  const row = rows(form, kind)[at];
  if (!row) return;
  for (const [name, value] of Object.entries(values)) set(row.querySelectorAll(`[name$=".${name}"], [name$="_${name}"]`), value);
}

/** Fill fields by their names: `{name: value}`. Those that the form does not have are left out. */
export function fillFields(form, values) {
  for (const [name, value] of Object.entries(values)) set(form.querySelectorAll(`[name="${CSS.escape(name)}"]`), value);
}

/** Put what was typed back: `entries` are those of a FormData. */
export function restore(form, entries) {
  for (const kind of KINDS) for (const [at, values] of rowsOf(entries)[kind].entries()) fillRow(form, kind, at, values);
  for (const [name, value] of entries) if (!KINDS.some((kind) => name.startsWith(`${kind}.`))) fillFields(form, { [name]: value });
}
