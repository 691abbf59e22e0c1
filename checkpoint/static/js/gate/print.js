// What the tablet prints: the sticker of a vehicle and the slip of somebody without a phone. A6, drawn in the browser, so that
// both come out with no network too. The sheet is shown first; only it goes to the printer.

import { qrCode } from "../qr.js";
import { make, part, say, shape, when } from "./words.js";

const VEHICLE_PREFIX = "CPV1:";

/** The text of a vehicle's sticker: the vehicle's own id in capitals, so that the code stays in its alphanumeric mode. */
export const vehicleCode = (vehicleId) => VEHICLE_PREFIX + vehicleId.toUpperCase();
export const vehicleOfCode = (text) => text.trim().slice(VEHICLE_PREFIX.length).toLowerCase();

/** Show a sheet with its buttons; printing is the officer's own touch. */
function showSheet(sheet, title) {
  const screen = part("print");
  part("print-title").textContent = title;
  part("sheet").replaceChildren(sheet);
  part("print-go").onclick = () => window.print();
  part("print-close").onclick = closeSheet;
  screen.hidden = false;
  part("print-go").focus({ preventScroll: true });
}

export function closeSheet() {
  part("print").hidden = true;
  part("sheet").replaceChildren();
}

/** The sticker behind the windscreen: colour, word and shape, plate, an approval that is kept, time, checkpoint, code. */
export function printSticker({ vehicle_id, plate, tier, kind, people, at, checkpoint, approval = null }) {
  const sheet = make(
    "article",
    `sheet sticker sticker-${tier}`,
    make("header", "", make("span", "sticker-shape", shape(`tier-${tier}`)), make("strong", "sticker-word", say(`sticker.${tier}`))),
    make("p", "sticker-plate", plate || say("vehicle.noplate")),
    make("p", "sticker-line", `${say(`vehicle.${kind}`)} · ${say("vehicle.people", { count: people })}`),
    approval ? make("p", "sticker-approval", `${approval.text} · ${approval.note}`) : null,
    make("div", "sticker-code", qrCode(vehicleCode(vehicle_id), say("sticker.code"), { ecc: "Q" })),
    make("footer", "", make("strong", "", checkpoint), make("span", "", when(at))),
  );
  showSheet(sheet, say("sticker.title"));
}

/** The slip: the pass itself on paper, with who it is for and what comes next. */
export function printSlip({ name, document, tier, token, short_code, expires_at, checkpoint, measures, at }) {
  const sheet = make(
    "article",
    "sheet slip",
    make("header", "", make("strong", "", say("slip.title")), make("span", "", checkpoint)),
    make("div", "slip-code", qrCode(token, say("slip.code"))),
    make("p", "slip-short", short_code.replace(/(.{4})/, "$1 ")),
    make("p", "slip-name", make("strong", "", name), document ? ` ${document}` : ""),
    make("p", "slip-tier", make("span", "sticker-shape", shape(`tier-${tier}`)), say(`tier.${tier}`)),
    make("ul", "slip-measures", ...measures.map((one) => make("li", "", one.text || one.kind))),
    make("footer", "", say("slip.until", { when: when(expires_at) }), make("span", "", when(at))),
  );
  showSheet(sheet, say("slip.title"));
}

/** The coach's own code on the whole screen, for its passengers' phones. */
export function showCoachCode({ url, plate }) {
  const sheet = make(
    "article",
    "sheet coach",
    make("header", "", make("strong", "", say("coach.title"))),
    make("div", "coach-code", qrCode(url, say("coach.title"))),
    make("p", "sticker-plate", plate || ""),
    make("p", "coach-how", say("coach.how")),
  );
  sheet.dataset.url = url;
  showSheet(sheet, say("coach.title"));
}
