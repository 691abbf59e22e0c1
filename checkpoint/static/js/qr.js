// QR codes drawn on the page, for what is shown or printed with no network. The module library is vendored (uqr).

import { encode } from "./../vendor/uqr.js";

const SVG = "http://www.w3.org/2000/svg";
/** Modules of white around a code: what the standard asks for, so that it is found on a dark page too. */
const QUIET = 4;

/**
 * A QR code as an SVG element, sized by CSS.
 *
 * Text of 0-9 A-Z $%*+-./: and blanks alone is written in the alphanumeric mode, 5.5 bits a character.
 *
 * @param {string} text what the code says
 * @param {string} label what it is, for people who do not see it
 * @param {{ecc?: "L"|"M"|"Q"|"H"}} [options] how much of it may be damaged: 7, 15, 25 or 30 percent
 * @returns {SVGSVGElement}
 * @throws {RangeError} if the text is too long for a QR code
 */
export function qrCode(text, label, { ecc = "M" } = {}) {
  const { size, data } = encode(text, { ecc, boostEcc: false, border: QUIET });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.classList.add("qr");
  svg.append(shape("rect", { width: size, height: size, fill: "#fff" }), shape("path", { d: runs(data), fill: "#000" }));
  return svg;
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** One rectangle for each run of dark modules in a row: a tenth of the path that single modules would need. */
function runs(rows) {
  const path = [];
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x += 1) {
      if (!row[x]) continue;
      const start = x;
      while (row[x]) x += 1;
      path.push(`M${start},${y}h${x - start}v1h-${x - start}z`);
    }
  });
  return path.join("");
}
