// Answering by keyboard: a key presses the button or follows the link that names it in data-key.
// A key that is held down, or pressed again while the answer is on its way, answers for nothing else.

let leaving = false;

addEventListener("pageshow", () => {
  leaving = false;
});

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || leaving) return;
  // Not by the target: behind an open dialog the focus may be on the page, and for a moment after closing still inside it.
  if (document.querySelector("dialog[open]") || event.target.closest("input, select, textarea")) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!target) return;
  event.preventDefault();
  leaving = !target.hasAttribute("data-dialog");
  target.click();
});
