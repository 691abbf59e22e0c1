/**
 * Tells at once, beside the field, when a resident ID number or a mobile number cannot be right. The server decides; this
 * only spares a round trip on a slow network. Rules: GB 11643 (ISO 7064 MOD 11-2); mainland mobiles are 11 digits from 13 to 19.
 */

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK = "10X98765432";
const form = document.querySelector("[data-traveller-form]");

export function isResidentId(text) {
  const number = text.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase();
  if (!/^\d{17}[\dX]$/.test(number)) return false;
  const total = WEIGHTS.reduce((sum, weight, at) => sum + weight * Number(number[at]), 0);
  return CHECK[total % 11] === number[17];
}

/** Numbers of other countries are left to the server, which knows their tables. */
export function couldBePhone(text) {
  const digits = text.normalize("NFKC").replace(/[\s\-().]/g, "").replace(/^(\+|00)86/, "");
  return digits.startsWith("+") || digits.startsWith("0") || /^1[3-9]\d{9}$/.test(digits);
}

function complaint(input) {
  const value = input.value.trim();
  if (!value) return "";
  if (input.dataset.check === "phone") return couldBePhone(value) ? "" : form.dataset.checkPhone;
  const kind = document.getElementById(input.dataset.typeFrom)?.value;
  return kind !== "resident_id" || isResidentId(value) ? "" : form.dataset.checkDigit;
}

function show(input, message) {
  const field = input.closest(".field");
  const id = `${input.id}-error`;
  let line = document.getElementById(id);
  field.classList.toggle("has-error", Boolean(message));
  if (!message) {
    line?.remove();
    input.removeAttribute("aria-invalid");
    return;
  }
  if (!line) {
    line = Object.assign(document.createElement("p"), { id, className: "field-error" });
    input.before(line);
  }
  line.textContent = message;
  input.setAttribute("aria-invalid", "true");
  const described = new Set((input.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  input.setAttribute("aria-describedby", [id, ...[...described].filter((other) => other !== id)].join(" "));
}

function check(input) {
  const message = complaint(input);
  if (message || input.getAttribute("aria-invalid") === "true") show(input, message);
}

form?.addEventListener("focusout", (event) => {
  if (event.target.matches("[data-check]")) check(event.target);
});
form?.addEventListener("change", (event) => {
  if (!event.target.matches("select")) return;
  const number = form.querySelector(`[data-type-from="${event.target.id}"]`);
  if (number?.value) check(number);
});
