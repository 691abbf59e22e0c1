// The two toasts of the style guide, shown as scripts of real pages show theirs.

import { showToast } from "./toast.js";

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-toast]");
  if (button) showToast(button.dataset.words, button.dataset.toast);
});
