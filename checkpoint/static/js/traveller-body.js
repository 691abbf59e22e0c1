// From what stands in the form to the body of POST /api/v1/registrations, as web/forms/trip.py makes it. Pure.

const PERSON = ["name", "id_type", "id_number", "phone"];
const ROW = /^(stays|companions|tests)\.(\d+)[._](\w+)$/;
const WITH_PLATE = ["car", "coach", "lorry", "other"];

/** The rows of a form by kind, numbered from 0 in the order of the page: `{stays: [{field: value}], companions, tests}`. */
export function rowsOf(entries) {
  const numbers = { stays: [], companions: [], tests: [] };
  const rows = { stays: [], companions: [], tests: [] };
  for (const [name, value] of entries) {
    const match = ROW.exec(name);
    if (!match) continue;
    const [, kind, number, field] = match;
    if (!numbers[kind].includes(number)) {
      numbers[kind].push(number);
      rows[kind].push({});
    }
    rows[kind][numbers[kind].indexOf(number)][field] = value.trim();
  }
  return rows;
}

const filled = (values, names) => Object.fromEntries(names.filter((name) => values[name]).map((name) => [name, values[name]]));

function place(code, text) {
  return { ...(/^\d{12}$/.test(code ?? "") ? { code } : {}), ...(text ? { text } : {}) };
}

/**
 * The declaration. What was left empty is left out, rows that are empty too.
 *
 * @param {[string, string][]} entries the fields of the form (FormData)
 * @param {string} zone the time zone of the site, in which tests are dated
 */
export function bodyOf(entries, zone) {
  const one = Object.fromEntries(entries.map(([name, value]) => [name, value.trim()]));
  const rows = rowsOf(entries);
  const body = {
    client_id: one.client_id,
    ...filled(one, [...PERSON, "arriving_on", "transport", "checkpoint"]),
    origin: place(one.origin_code, one.origin_text),
    destination: { ...place(one.destination_code, ""), ...(one["destination.address"] ? { address: one["destination.address"] } : {}) },
    stays: rows.stays.filter((stay) => stay.text || stay.code || stay.from || stay.to)
      .map((stay) => ({ ...place(stay.code, stay.text), ...filled(stay, ["from", "to"]) })),
    companions: rows.companions.filter((who) => who.name || who.id_number || who.phone).map((who) => filled(who, PERSON)),
    symptoms: entries.filter(([name]) => name === "symptoms").map(([, value]) => value),
    tests: rows.tests.filter((test) => test.taken_at)
      .map((test) => ({ ...filled(test, ["kind", "result"]), taken_at: instant(test.taken_at, zone) })),
  };
  if (one.plate && WITH_PLATE.includes(one.transport)) body.plate = one.plate;
  return body;
}

/** The date and time at the site: `2026-11-22T08:30:00`. */
export function localTime(milliseconds, zone) {
  const written = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  return written.format(milliseconds).replace(" ", "T");
}

/** A local time of the site (`2026-11-22T08:30`) with its offset; what is no time stays as it is, to be named as wrong. */
export function instant(text, zone) {
  const naive = Date.parse(`${text}Z`);
  if (Number.isNaN(naive)) return text;
  const minutes = Math.round((Date.parse(`${localTime(naive, zone)}Z`) - naive) / 60_000);
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  return `${text}${text.length === 16 ? ":00" : ""}${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}
