// A declaration looked at on the phone, by the rules of registrations/declaration.py as far as a phone can know them. Pure: the
// server decides; what it would refuse for other reasons is mended later by a person.

import { couldBePhone, isResidentId } from "./traveller-checks.js";

const PAST_DAYS = 1;
const AHEAD_DAYS = 60;
const STAY_PAST_DAYS = 365;
const FUTURE_MINUTES = 15;
const DAY_MS = 86_400_000;
const DOCUMENTS = {
  passport: /^[A-Z0-9]{5,17}$/,
  hk_macau_permit: /^[HMC][A-Z0-9]{8,10}$/,
  taiwan_permit: /^[A-Z0-9]{8,10}$/,
  foreign_permit: /^([A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X])$/,
};
const PLATE = /^[\u4e00-\u9fffA-Z0-9]{5,10}$/;
const NOT_IN_NAMES = /[<>{}[\]|\\/=@#%^*~`;"0-9]/;

const clean = (text) => (text ?? "").normalize("NFKC").replace(/\s+/g, " ").trim();
const document_ = (text) => clean(text).replace(/[\s-]/g, "").toUpperCase();
const dayBefore = (day, days) => new Date(Date.parse(day) - days * DAY_MS).toISOString().slice(0, 10);
const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text ?? "") && !Number.isNaN(Date.parse(text));

/**
 * What is wrong with a declaration: field → code, in the order of the form.
 *
 * @param {object} body the body of POST /api/v1/registrations
 * @param {{today: string, now: number}} at the date at the site (YYYY-MM-DD), and milliseconds since 1970
 */
export function problems(body, { today, now }) {
  const wrong = {};
  const note = (field, code) => {
    if (code) wrong[field] ??= code;
  };
  person(body, "", note);
  note("phone", body.phone ? phone(body.phone) : "missing");
  note("origin", place(body.origin));
  for (const [at, stay] of (body.stays ?? []).entries()) stays(stay, `stays.${at}`, body.arriving_on, today, note);
  note("destination", body.destination?.code ? "" : "destination_level");
  note("arriving_on", arrival(body.arriving_on, today));
  note("transport", body.transport ? "" : "missing");
  if (body.plate && !PLATE.test(clean(body.plate).replace(/[\s·.-]/g, "").toUpperCase())) note("plate", "plate");
  for (const [at, one] of (body.companions ?? []).entries()) {
    person(one, `companions.${at}.`, note);
    if (one.phone) note(`companions.${at}.phone`, phone(one.phone));
  }
  if (twice([body, ...(body.companions ?? [])])) note("companions", "same_person");
  for (const [at, test] of (body.tests ?? []).entries()) note(`tests.${at}.taken_at`, taken(test.taken_at, now));
  return wrong;
}

function person({ name, id_type, id_number }, prefix, note) {
  const written = clean(name);
  note(`${prefix}name`, !written ? "missing" : /\p{L}/u.test(written) && !NOT_IN_NAMES.test(written) ? "" : "name");
  const number = document_(id_number);
  if (!number) note(`${prefix}id_number`, "missing");
  else if (id_type === "resident_id") note(`${prefix}id_number`, residentId(number));
  else note(`${prefix}id_number`, DOCUMENTS[id_type]?.test(number) ? "" : "document");
}

function residentId(number) {
  if (!isResidentId(number)) return "check_digit";
  const [year, month, day] = [number.slice(6, 10), number.slice(10, 12), number.slice(12, 14)];
  const born = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(born.getTime()) && born.getUTCDate() === Number(day) ? "" : "birth_date";
}

const phone = (text) => (couldBePhone(text) && clean(text).replace(/\D/g, "").length >= 5 ? "" : "phone");
const place = (given) => (given?.code || clean(given?.text) ? "" : "place");

function stays(stay, field, arriving, today, note) {
  note(field, place(stay));
  for (const end of ["from", "to"]) if (!isDay(stay[end])) note(`${field}.${end}`, stay[end] ? "date_parsing" : "missing");
  if (!isDay(stay.from) || !isDay(stay.to)) return;
  if (stay.to < stay.from) note(`${field}.to`, "dates");
  if (stay.from < dayBefore(today, STAY_PAST_DAYS)) note(`${field}.from`, "stay_past");
  const last = isDay(arriving) && arriving > today ? arriving : today;
  if (stay.to > last) note(`${field}.to`, "stay_after_arrival");
}

function arrival(day, today) {
  if (!isDay(day)) return day ? "date_parsing" : "missing";
  if (day < dayBefore(today, PAST_DAYS)) return "arrival_past";
  return day > dayBefore(today, -AHEAD_DAYS) ? "arrival_far" : "";
}

function taken(instant, now) {
  const at = Date.parse(instant ?? "");
  if (Number.isNaN(at)) return instant ? "date_parsing" : "missing";
  if (at > now + FUTURE_MINUTES * 60_000) return "test_future";
  return at < now - STAY_PAST_DAYS * DAY_MS ? "test_old" : "";
}

function twice(people) {
  const documents = people.filter((one) => one.id_number).map((one) => `${one.id_type} ${document_(one.id_number)}`);
  return new Set(documents).size < documents.length;
}
