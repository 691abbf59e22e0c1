// Declarations that come without a server: in the codes of a phone with no network, or from the officer's form. Each is sealed and
// put into the outbox before the scan that stands on it, so that the registration reaches the server first, once; the verdict comes
// from the same rules as everything off line.

import { Collector, Unreadable } from "../carried-code.js";
import { CARRIED } from "./codes.js";
import { handlers } from "./handlers.js";
import { hint } from "./notices.js";
import { base64url, sealTo } from "./seal.js";
import { say } from "./words.js";

const PATH = "/api/v1/registrations/carried";
const COMPOUND = new Set("欧阳 太史 端木 上官 司马 东方 独孤 南宫 夏侯 诸葛 尉迟 公羊 赫连 皇甫 宇文 长孙 慕容 司徒 司空 令狐 轩辕".split(" "));

export class Carrier {
  #lane;
  #outbox;
  #snapshot;
  #judge;
  #collector = new Collector();

  /** Answers codes that carry a declaration from now on. */
  constructor({ lane, outbox, snapshot, judge }) {
    this.#lane = lane;
    this.#outbox = outbox;
    this.#snapshot = snapshot;
    this.#judge = judge;
    handlers.set(CARRIED, (text) => this.read(text));
  }

  /** Take one code of a phone; says what is still missing, or brings the verdict once the declaration is whole. */
  async read(text) {
    let found;
    try {
      found = await this.#collector.take(text);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      hint(say("carried.unreadable"), "warning");
      return;
    }
    if (found.body) await this.carry(found.body);
    else hint(say("carried.part", found));
  }

  /**
   * Take a whole declaration (the body of POST /api/v1/registrations) into the lane. Resolves to whether it could: the lane must
   * be free, and the tablet must have been connected once, or it has no key to seal to.
   */
  async carry(body) {
    const snapshot = this.#snapshot.current;
    if (!this.#lane.isFree) return false;
    if (!snapshot?.seal_key) {
      hint(say("carried.no_key"), "error");
      return false;
    }
    const { client_id } = body;
    if (!this.#outbox.has(client_id, "registration")) {
      const sealed = base64url(await sealTo(snapshot.seal_key, new TextEncoder().encode(JSON.stringify(body))));
      const entry = { client_id, kid: snapshot.seal_key.kid, sealed, read_at: new Date().toISOString() };
      await this.#outbox.add({ id: client_id, kind: "registration", path: PATH, body: entry });
    }
    return this.present(body, [client_id, ...(body.companions ?? []).map((_one, number) => `${client_id}.${number + 1}`)]);
  }

  /**
   * Bring everybody of a declaration before the officer: the lead and each companion by their `ids`, as `ID:` tokens have them, each
   * judged by what was declared of them. Resolves to whether the lane was free.
   */
  present(body, ids) {
    const snapshot = this.#snapshot.current ?? { counties: {}, aliases: {} };
    const facts = factsOf(body, snapshot);
    const lead = personOf(body, snapshot.counties);
    const along = { ...facts, symptoms: [], tests: [] }; // places are everyone's, symptoms and tests the lead's own
    const others = (body.companions ?? []).map((one) => ({ ...lead, ...identityOf(one) }));
    const [first, ...company] = [lead, ...others].map((person, number) => ({
      token: `ID:${ids[number]}`,
      judge: (scan) => this.#judge.declaration(scan, number === 0 ? facts : along, person),
    }));
    return this.#lane.take(first.token, { judge: first.judge, company });
  }
}

/** The county of a place as far as this tablet can tell: 6 digits, or null when it cannot be placed. */
export function countyOf({ code, text }, { counties, aliases }) {
  if (code) {
    const county = code.slice(0, 6);
    return county in counties || !county.endsWith("00") ? county : null;
  }
  const words = (text ?? "").normalize("NFKC").replace(/\s+/g, "");
  if (aliases[words]) return aliases[words];
  return Object.entries(counties).find(([, name]) => name === words)?.[0] ?? null;
}

/** A declaration as the rules take it (rules.js, judgeDeclaration). */
export function factsOf(body, snapshot) {
  return {
    origin: { county: countyOf(body.origin ?? {}, snapshot) },
    stays: (body.stays ?? []).map((stay) => ({ county: countyOf(stay, snapshot), since: stay.from, until: stay.to })),
    symptoms: body.symptoms ?? [],
    tests: (body.tests ?? []).map(({ taken_at, result }) => ({ taken_at, result })),
    arriving_on: body.arriving_on,
  };
}

/** Who stands there, masked as the server masks (privacy/masking.py). */
export function personOf(body, counties) {
  return {
    ...identityOf(body),
    plate: body.plate?.length > 4 ? `${body.plate.slice(0, 3)}***${body.plate.slice(-1)}` : "",
    origin: body.origin?.text ?? counties[body.origin?.code?.slice(0, 6)] ?? "",
    destination: body.destination?.code ? (counties[body.destination.code.slice(0, 6)] ?? "") : "",
    arriving_on: body.arriving_on,
    transport: body.transport,
    companions: (body.companions ?? []).length,
    state: "declared",
  };
}

const identityOf = ({ name, id_type, id_number, phone }) => ({
  name: maskedName(name ?? ""),
  id_type,
  id_number: maskedDocument(id_number ?? ""),
  phone: (phone ?? "").replace(/\D/g, "").replace(/^86(?=1\d{10}$)/, "").replace(/^(\d{3}).*(\d{4})$/, "$1****$2"),
});

function maskedName(text) {
  const name = text.trim();
  if (/^[\x20-\x7e]*$/.test(name) || name.includes(" ")) return name.split(/\s+/).map((one) => `${one.slice(0, 1)}**`).join(" ");
  const keep = name.length > 2 && COMPOUND.has(name.slice(0, 2)) ? 2 : 1;
  return name.length === 1 ? "*" : name.slice(0, keep) + "*".repeat(name.length - keep);
}

const maskedDocument = (number) => (number.length > 4 ? "*".repeat(Math.max(number.length - 4, 4)) + number.slice(-4) : "****");
