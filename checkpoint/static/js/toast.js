// A short message at the foot of the page, read out politely, gone by itself unless it is an error.

const STAYS_MS = 5000;

/** Show `message`; `kind` is "info" or "error". An error stays until it is pressed. */
export function showToast(message, kind = "info") {
  const place = document.getElementById("toasts");
  if (!place) return;
  const toast = document.createElement("div");
  toast.className = `toast toast-${kind}`;
  toast.textContent = message;
  toast.addEventListener("click", () => toast.remove());
  place.append(toast);
  if (kind !== "error") setTimeout(() => toast.remove(), STAYS_MS);
}
