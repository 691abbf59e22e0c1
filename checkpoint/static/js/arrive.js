// The poster at the door: each code that this phone keeps gets a button. The codes stay on the phone; only the touched one is sent.

const KEY = "checkpoint.passes";

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => /^[\w-]{20,80}$/.test(one?.handle)) : [];
  } catch {
    return [];
  }
}

const section = document.querySelector("[data-arrive]");
const template = document.querySelector("[data-arrive-form]");
const passes = kept();
if (section && template && passes.length > 0) {
  for (const one of passes) {
    const form = template.content.cloneNode(true).querySelector("form");
    form.action = `/p/${one.handle}/arrival`;
    form.elements.report_id.value = crypto.randomUUID?.() ?? form.elements.report_id.value;
    form.querySelector("[data-place]").textContent = one.place;
    form.querySelector("time").textContent = one.day;
    section.append(form);
  }
  section.hidden = false;
  document.querySelector("[data-arrive-none]").hidden = true;
}
