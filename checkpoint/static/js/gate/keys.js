// Hand scanners type like a keyboard, only faster than people: their burst goes into the code field wherever the focus is.

const BURST_GAP_MS = 60; // a person needs longer between two keys
const BURST_LENGTH = 4;
const STALE_MS = 2000; // what was typed before that was given up

/**
 * Watch the keyboard. `isOpen()` says whether a code is welcome now; a burst then ends up in `field` and is handed in by
 * `submit()` at Enter. While a verdict waits, a burst and its Enter press nothing: `refused()` says so.
 */
export function watchKeys({ field, isOpen, submit, refused }) {
  let burst = "";
  let last = 0;

  const typing = (target) => target !== field && target instanceof HTMLElement && target.matches("textarea, input, select");

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const now = performance.now();
      const gap = now - last;
      const fast = gap < BURST_GAP_MS;
      last = now;
      if (event.key === "Enter") {
        const machine = fast && burst.length >= BURST_LENGTH;
        burst = "";
        if (!machine || event.target === field) return; // the form of the field takes its own Enter
        event.preventDefault();
        event.stopPropagation();
        if (isOpen()) submit();
        else refused();
        return;
      }
      if (event.key.length !== 1) return;
      burst = fast ? burst + event.key : event.key;
      if (typing(event.target) || event.target === field) return;
      if (isOpen() || fast) event.preventDefault(); // a space must not press the button in focus
      if (isOpen()) field.value = (gap > STALE_MS ? "" : field.value) + event.key;
    },
    { capture: true },
  );
}
