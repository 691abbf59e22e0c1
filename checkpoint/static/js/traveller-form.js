/**
 * The traveller's form with scripts: rows are added and removed without a round trip, the first error gets the focus, a
 * change of language keeps what was typed, and the button says that it is working.
 * Without this module every button posts and the server answers with the same page.
 */

const form = document.querySelector("[data-traveller-form]");

function rowsOf(kind) {
  return [...form.querySelectorAll(`[data-row="${kind}"]`)];
}

function nextNumber(kind) {
  const numbers = rowsOf(kind).map((row) => Number(row.id.split("-")[1]));
  return Math.max(-1, ...numbers) + 1;
}

/** A copy of the row's template with its number filled in. */
function newRow(kind) {
  const template = document.querySelector(`template[data-template="${kind}"]`);
  const row = template.content.firstElementChild.cloneNode(true);
  const number = String(nextNumber(kind));
  for (const element of [row, ...row.querySelectorAll("*")]) {
    for (const attribute of [...element.attributes]) {
      if (attribute.value.includes("__n__")) attribute.value = attribute.value.replaceAll("__n__", number);
    }
  }
  return row;
}

function count(kind) {
  const adder = form.querySelector(`[data-add="${kind}"]`);
  adder.disabled = rowsOf(kind).length >= Number(adder.dataset.limit);
}

function add(button) {
  const kind = button.dataset.add;
  const row = newRow(kind);
  button.before(row);
  count(kind);
  row.querySelector("input:not([type=hidden]), select").focus();
}

function remove(button) {
  const row = button.closest("[data-row]");
  const kind = row.dataset.row;
  row.remove();
  count(kind);
  form.querySelector(`[data-add="${kind}"]`).focus();
}

/** Goes to the field that a line of the error summary names. */
function showField(name) {
  const field = document.getElementById(name);
  const target = field?.matches("input, select, textarea") ? field : field?.querySelector("input:not([type=hidden]), select, button");
  if (!target) return false;
  target.focus({ preventScroll: true });
  (target.closest(".field, .rows") ?? target).scrollIntoView({ block: "center" });
  return true;
}

function summarised() {
  const summary = document.querySelector(".error-summary");
  if (!summary) return;
  summary.focus();
  summary.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && showField(link.hash.slice(1))) event.preventDefault();
  });
}

/** Another language or text size reloads the page: post the form instead, so that the server writes it again in full. */
function keepOverSwitch() {
  let touched = Boolean(document.querySelector(".error-summary"));
  form.addEventListener("input", () => {
    touched = true;
  });
  for (const link of document.querySelectorAll(".header-tools a.tool")) {
    link.addEventListener("click", (event) => {
      if (!touched) return;
      event.preventDefault();
      const act = Object.assign(document.createElement("input"), { type: "hidden", name: "act", value: "keep" });
      form.append(act);
      form.action = link.href;
      form.submit();
    });
  }
}

function begin() {
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add], [data-remove]");
    if (!button) return;
    event.preventDefault();
    if (button.hasAttribute("data-add")) add(button);
    else remove(button);
  });
  const send = form.querySelector("[data-send]");
  form.addEventListener("submit", () => send.setAttribute("aria-busy", "true"));
  // Coming back by the browser's own button shows the page as it was left: it is not working any more.
  window.addEventListener("pageshow", () => send.removeAttribute("aria-busy"));
  summarised();
  keepOverSwitch();
}

if (form) begin();
