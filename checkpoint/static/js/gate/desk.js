// Everything of a lane besides scanning: who is on duty, the board, tests on the spot, vehicles, the officer's form, prints.

import { Board } from "./board.js";
import { DocumentCheck } from "./document-check.js";
import { OfficerForm } from "./officer-form.js";
import { readPass } from "./pass.js";
import { closeSheet } from "./print.js";
import { Shift } from "./shift.js";
import { SpotTests } from "./spot-tests.js";
import { part, say } from "./words.js";
import { Vehicles } from "./vehicles.js";

export class Desk {
  #shift;
  #board;
  #tests;
  #form;

  constructor({ client, outbox, lane, scanner, signals, device, snapshot, clock, carrier }) {
    const shift = (this.#shift = new Shift({ client, outbox }));
    const board = (this.#board = new Board({ client, outbox }));
    const tests = (this.#tests = new SpotTests({ outbox, lane, signals }));
    const vehicles = new Vehicles({ client, outbox, lane, device });
    const form = (this.#form = new OfficerForm({ client, device, carrier }));
    new DocumentCheck({ client, lane, tagOf: (token) => tagOf(token, snapshot.current, clock.now) });
    this.vehicles = vehicles;
    const take = async ({ detail }) => {
      if (!(await lane.take(detail.token))) lane.tell(say("decide.first"), "error");
    };
    for (const source of [board, vehicles]) source.addEventListener("wanted", take);
    for (const source of [vehicles, form]) source.addEventListener("said", ({ detail }) => lane.tell(detail.words, detail.tone));
    vehicles.addEventListener("opened", () => board.show("vehicle"));
    board.addEventListener("lane", ({ detail }) => {
      shift.learn(detail.answer.officers);
      vehicles.learn(detail.answer.vehicles);
      tests.learn(detail.answer.tests);
    });
    tests.addEventListener("changed", ({ detail }) => {
      const running = String(detail.running);
      if (part("tab-tests-count").textContent !== running) part("tab-tests-count").textContent = running;
      part("tests-alarm").hidden = detail.due === 0;
      const words = say("spot.alarm", { count: detail.due });
      if (part("tests-alarm").textContent !== words) part("tests-alarm").textContent = words;
    });
    tests.addEventListener("read", async ({ detail }) => {
      if (!(await lane.reopen({ scan_id: detail.test.scan_id, token: detail.test.token }, detail.view))) {
        lane.tell(say("decide.first"), "error");
        return;
      }
      vehicles.recolour(detail.test.scan_id, detail.view.tier);
    });
    part("tests-alarm").onclick = () => board.show("tests");
    part("form-open").onclick = () => form.open();
    shift.addEventListener("off", () => {
      scanner.pause();
      form.close();
      closeSheet();
    });
    shift.addEventListener("on", () => lane.isFree && scanner.start());
  }

  /** Resolves when an officer is on duty and what an earlier page left is back. */
  async open() {
    await this.#tests.restore();
    await this.vehicles.restore();
    await this.#shift.begin();
    this.#board.start();
  }

  close() {
    this.#board.stop();
    this.#tests.stop();
    this.#shift.close();
    this.#form.close();
    closeSheet();
  }

  /** Whether something stands over the lane, so that a keystroke is not a scanned code. */
  get isOver() {
    return this.#shift.isAsking || this.#form.isOpen || !part("print").hidden;
  }
}

/** The document tag that a pass carries, and the key of such tags; null where the token is no pass or nothing is known yet. */
async function tagOf(token, snapshot, now) {
  if (!snapshot?.document_key) return null;
  const { claims } = await readPass(token, snapshot.keys, now);
  return claims ? { tag: claims.document, key: snapshot.document_key } : null;
}
