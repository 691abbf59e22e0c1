// The verdict that this tablet gives by itself: reads the pass, asks the rules, finds the words. Answers look like the server's.

import { approvalsOf } from "./approvals.js";
import { PASS, classifyScan } from "./codes.js";
import { canVerify, readPass } from "./pass.js";
import { judgeDeclaration, judgePass } from "./rules.js";
import { crossingsOf } from "./store.js";
import { knows, say, weekdays, when } from "./words.js";

const UNCHECKED = { verdict: "test", tier: null, measures: [] };

export class Judge {
  #snapshot;
  #clock;

  constructor(snapshot, clock) {
    this.#snapshot = snapshot;
    this.#clock = clock;
  }

  get #skew() {
    return this.#clock.isMeasured ? this.#clock.skewSeconds : null;
  }

  /** Under which circumstances a scan is made: they go with it to the server. */
  circumstances() {
    return { skew_seconds: this.#skew ?? 0, snapshot_version: this.#snapshot.current?.version ?? null };
  }

  /** Whether a token says enough by itself; a short code and a name from the queue do not. */
  canJudge(token) {
    return classifyScan(token).kind === PASS;
  }

  /** Who a scan is about, as well as it can be told without the server: the pass's serial, else the code itself. */
  async who(token) {
    if (!this.canJudge(token)) return token;
    return (await this.#read(token)).claims?.serial ?? null;
  }

  /** The document tag of a pass and the key of such tags, null where one of them is missing: `{tag, key}`. */
  async tagOf(token) {
    const key = this.#snapshot.current?.document_key;
    const { claims } = this.canJudge(token) ? await this.#read(token) : {};
    return key && claims ? { tag: claims.document, key } : null;
  }

  #read(token) {
    return readPass(token, this.#snapshot.current?.keys ?? [], this.#clock.now);
  }

  /** The verdict on a pass: `{scan_id, token, scanned_at, skew_seconds}` → an answer like that of POST /scans, with `offline: true`. */
  async pass(scan) {
    if (!this.canJudge(scan.token)) return this.#answer(scan, unchecked("code_unchecked"), scan.token);
    if (!canVerify()) return this.#answer(scan, unchecked("pass_unchecked"), null);
    const { problem, claims } = await this.#read(scan.token);
    const judged = judgePass({
      problem,
      claims,
      scanned_at: scan.scanned_at,
      skew_seconds: this.#skew,
      snapshot: this.#snapshot.current,
    });
    return { ...(await this.#answer(scan, judged, claims?.serial ?? null)), problem: judged.verdict === "refuse" ? problem : null };
  }

  /** The verdict on a declaration that was carried here; `facts` as judgeDeclaration has them, `person` what may be shown of it. */
  async declaration(scan, facts, person = null) {
    const judged = judgeDeclaration({
      ...facts,
      scanned_at: scan.scanned_at,
      skew_seconds: this.#skew,
      snapshot: this.#snapshot.current,
    });
    return { ...(await this.#answer(scan, judged, scan.token)), person };
  }

  async #answer(scan, { verdict, tier, rules, measures }, who) {
    const counties = this.#snapshot.current?.counties ?? {};
    return {
      scan_id: scan.scan_id,
      verdict,
      tier,
      problem: null,
      rules,
      reasons: rules.map((rule) => ({
        ...rule,
        text: ruleWords(rule, counties, this.#snapshot.current),
        note: approvalLine(rule, who, this.#snapshot.current),
      })),
      measures: measures.map((measure) => ({ ...measure, text: measureWords(measure) })),
      person: null,
      previous: who === null ? null : await previousOf(who, scan.scan_id, this.#snapshot.current?.checkpoint.name ?? ""),
      offline: true,
      who,
    };
  }
}

const unchecked = (rule) => ({ ...UNCHECKED, rules: [{ rule, points: 0 }] });

/** What this tablet itself decided last on the same pass. */
async function previousOf(who, scanId, checkpoint) {
  const earlier = (await crossingsOf(who)).find((one) => one.scan_id !== scanId && one.verdict);
  if (!earlier) return null;
  const { scanned_at, verdict, decision, decided_at } = earlier;
  return { scanned_at, verdict, decision: decision ?? null, decided_at: decided_at ?? null, checkpoint };
}

/** One sentence for a rule, to read out. */
export function ruleWords({ rule, county, detail = [] }, counties, snapshot) {
  const values = { place: counties[county] ?? county ?? "", value: detail[0] ?? "" };
  if (rule === "clock_skew") return say(`rule.clock_skew.${detail[0]}`, { minutes: detail[1] });
  if (rule === "approval_granted") return say("rule.approval_granted", { number: detail[0] });
  if (rule === "approval_broken") return say("rule.approval_broken", { number: detail[0], why: say(`breach.${detail[1]}`) });
  if (rule === "pass_tier" || rule === "tier_raised") return say(`rule.${rule}`, { tier: say(`tier.${detail[0]}`) });
  if (rule === "symptoms") return say("rule.symptoms", { value: detail.map((one) => say(`symptom.${one}`)).join(say("and")) });
  if (county && snapshot?.areas[county]) values.value = Object.values(snapshot.areas[county]).sort()[0];
  return knows(`rule.${rule}`) ? say(`rule.${rule}`, values) : rule;
}

/** What the approval of a rule allows, in one short line; null for any other rule. `who` is the serial of the pass. */
function approvalLine({ rule, detail = [] }, who, snapshot) {
  if (!rule.startsWith("approval_")) return null;
  const approval = approvalsOf(snapshot, who).find((one) => one.number === detail[0]);
  if (!approval) return null;
  const parts = [say("approval.validity", { first: when(approval.from), last: when(approval.until) })];
  if (approval.days?.length) parts.push(weekdays(approval.days));
  if (approval.hours) parts.push(approval.hours.join("–"));
  if (approval.checkpoints?.length) {
    const { code: here, name } = snapshot.checkpoint;
    parts.push(approval.checkpoints.map((code) => (code === here ? name : code)).join(say("and")));
  }
  if (approval.test_hours) parts.push(say("approval.test", { hours: approval.test_hours }));
  return parts.join(" · ");
}

/** One sentence for a measure. */
export function measureWords({ kind, days, within_hours: within, test_days: testDays }) {
  const parts = [knows(`measure.${kind}`) ? say(`measure.${kind}`) : kind];
  if (days) parts.push(say(days === 1 ? "measure.day" : "measure.days", { days }));
  if (within) parts.push(say("measure.within", { hours: within }));
  if (testDays?.length) parts.push(say("measure.tests", { days: testDays.join(say("and")) }));
  return parts.join(say("measure.join"));
}
