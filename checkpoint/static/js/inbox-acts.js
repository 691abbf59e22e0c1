// One act on a card by its name: the same button that a finger would press, so that keys and swipes do nothing of their own.

const BUTTONS = {
  acknowledge: 'form[action$="/acknowledge"] button',
  arrived: 'button[name="result"][value="arrived"]',
  done: 'button[name="result"][value="handled"]',
  call: 'form[data-reveal] button[value="phone"], form[data-reveal]:has(input[name="what"][value="phone"]) button',
  note: '[data-panel="note"] summary',
};

/** The button of a card that does an act, or null when the card has none now. */
export const buttonOf = (card, act) => card.querySelector(BUTTONS[act]);

/** What comes next for a card: acknowledge, then arrived, then done. */
export const nextAct = (card) => ["acknowledge", "arrived", "done"].find((act) => buttonOf(card, act)) ?? null;

/** Press it; a number that was opened already is called. False when the card has no such button now. */
export function perform(card, act) {
  const link = act === "call" && card.querySelector("[data-call]");
  const button = link || buttonOf(card, act);
  if (!button || button.disabled) return false;
  button.click();
  if (act === "note") card.querySelector('[data-panel="note"] textarea')?.focus();
  return true;
}
