// A card swiped to the right goes one step on, to the left it calls. What letting go would do stands on the card meanwhile.

import { buttonOf, nextAct, perform } from "./inbox-acts.js";

const STARTS_PX = 12;
const LEAST_PX = 90;

/** Wire swipes of the cards below `root`; `words` has a label for each act. */
export function inboxSwipes(root, words) {
  let drag = null;

  const actOf = (card, dx) => (dx > 0 ? nextAct(card) : buttonOf(card, "call") ? "call" : null);
  const far = (card) => Math.max(LEAST_PX, card.offsetWidth / 3);

  function end() {
    if (!drag) return;
    const { card, label } = drag;
    drag = null;
    label?.remove();
    card.classList.remove("is-swiped");
    card.style.removeProperty("transform");
  }

  /** The card may be replaced by a newer one under the finger: go on with that. False when it has gone. */
  function follow() {
    if (drag.card.isConnected) return true;
    const fresh = document.getElementById(drag.card.id);
    if (!fresh) {
      end();
      return false;
    }
    drag.card = fresh;
    if (drag.label) {
      fresh.append(drag.label);
      fresh.classList.add("is-swiped");
    }
    return true;
  }

  root.addEventListener("pointerdown", (event) => {
    const card = event.target.closest(".alert-card[data-alert]");
    if (event.pointerType !== "touch" || !event.isPrimary || !card || event.target.closest("input, textarea, select, details[open]")) return;
    drag = { card, id: event.pointerId, x: event.clientX, y: event.clientY, act: null, label: null };
  });
  document.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drag?.id || !follow()) return;
    const dx = event.clientX - drag.x;
    if (!drag.label) {
      if (Math.abs(event.clientY - drag.y) > STARTS_PX) return end();
      if (Math.abs(dx) < STARTS_PX) return;
      drag.label = Object.assign(document.createElement("p"), { className: "swipe-label" });
      drag.card.append(drag.label);
      drag.card.classList.add("is-swiped");
    }
    const act = actOf(drag.card, dx);
    drag.act = act && Math.abs(dx) >= far(drag.card) ? act : null;
    drag.card.style.transform = `translateX(${act ? dx : dx / 5}px)`;
    drag.label.textContent = act ? words[act] : words.none;
    drag.label.classList.toggle("is-ready", Boolean(drag.act));
    drag.label.dataset.side = dx > 0 ? "left" : "right";
  });
  document.addEventListener("pointerup", (event) => {
    if (event.pointerId !== drag?.id || !follow()) return;
    const { card, act } = drag;
    end();
    if (act) perform(card, act);
  });
  document.addEventListener("pointercancel", end);
}
