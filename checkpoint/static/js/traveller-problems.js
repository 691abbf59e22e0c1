// Faults that the phone itself has found, shown as the server shows them: a summary on top, and a sentence beside each field.

const ROW = /^(stays|companions|tests)\.(\d+)\.?(.*)$/;

/** The field of the page that an error of the API belongs to. */
export function fieldOf(field, code) {
  if (/^(origin|destination)(\.code|\.text|$)/.test(field)) return field.split(".")[0];
  if (/^stays\.\d+$/.test(field) && code === "dates") return `${field}.to`;
  return field.replace(/^(stays\.\d+)\.(code|text)$/, "$1");
}

/** The element that a field is, row by row in the order of the page; the form itself when no field shows it. */
function elementOf(form, field) {
  const match = ROW.exec(field);
  if (!match) return form.querySelector(`.field[data-field="${CSS.escape(field)}"]`) ?? form.querySelector(`#${CSS.escape(field)}`) ?? form;
  const [, kind, number, rest] = match;
  const row = form.querySelectorAll(`[data-row="${kind}"]`)[Number(number)];
  return row?.querySelector(rest ? `.field[data-field$=".${CSS.escape(rest)}"]` : ".field") ?? form;
}

/** Take away what was said before. */
export function clear(form) {
  document.querySelector(".error-summary")?.remove();
  for (const line of form.querySelectorAll(".field-error")) line.remove();
  for (const field of form.querySelectorAll(".has-error")) field.classList.remove("has-error");
  for (const input of form.querySelectorAll('[aria-invalid="true"]')) input.removeAttribute("aria-invalid");
}

function label(element) {
  const own = element.querySelector("label, legend")?.firstChild?.textContent.trim() ?? "";
  const row = element.closest("[data-row]");
  if (!row) return own;
  const number = [...row.parentElement.querySelectorAll(":scope > [data-row]")].indexOf(row) + 1;
  return `${row.querySelector("legend").textContent.trim()} ${number} · ${own}`;
}

function beside(element, message) {
  element.classList.add("has-error");
  const input = element.querySelector("input:not([type=hidden]), select");
  const line = Object.assign(document.createElement("p"), { className: "field-error", textContent: message });
  line.id = `${input?.id || element.dataset.field}-error`;
  if (element.matches("fieldset")) element.querySelector("legend").after(line);
  else input?.before(line);
  if (!input || element.matches("fieldset")) return;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", [line.id, input.getAttribute("aria-describedby")].filter(Boolean).join(" "));
}

/** Show faults: `wrong` is field → code, `words.wrong` code → sentence. */
export function showProblems(form, wrong, words) {
  clear(form);
  const lines = Object.entries(wrong).map(([field, code]) => {
    const element = elementOf(form, field);
    const message = words.wrong[code] ?? words.wrong.other;
    const row = document.createElement("li");
    if (element === form) {
      row.textContent = message;
      return row;
    }
    beside(element, message);
    const go = Object.assign(document.createElement("a"), { href: "#", textContent: label(element) });
    go.addEventListener("click", (event) => {
      event.preventDefault();
      element.querySelector("input:not([type=hidden]), select, button")?.focus({ preventScroll: true });
      element.scrollIntoView({ block: "center" });
    });
    row.append(go, document.createElement("br"), message);
    return row;
  });
  const summary = Object.assign(document.createElement("div"), { className: "notice notice-error error-summary", tabIndex: -1 });
  summary.setAttribute("role", "alert");
  const list = document.createElement("ul");
  list.append(...lines);
  const inner = document.createElement("div");
  inner.append(Object.assign(document.createElement("strong"), { textContent: words.look }), list);
  summary.append(inner);
  form.before(summary);
  summary.focus();
}
