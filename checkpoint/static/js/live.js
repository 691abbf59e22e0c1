// What happens, as it happens: one EventSource for all tabs of a browser (it allows only six connections to a host), handed
// round by a BroadcastChannel; the tab that holds a Web Lock has it. Without either, each tab has its own. When the stream
// is refused, the same events are asked for every 15 seconds. Every event reaches every tab once, in order.

const POLL_MS = 15_000;
const BEAT_MS = 10_000;
const SILENT_MS = 35_000;
const RETRY_MS = 45_000;

const jittered = (ms) => ms * (0.8 + Math.random() * 0.4);

/** The server no longer knows who we are. */
export class SignedOut extends Error {}

/** Fetch a part of a page or a piece of JSON; rejects with SignedOut when the answer is the page to sign in. */
export async function fetchPart(url, init = {}) {
  const response = await fetch(url, { ...init, headers: { "X-Fragment": "1", Accept: "application/json", ...init.headers } });
  if (response.redirected && new URL(response.url).pathname === "/login") throw new SignedOut();
  return response;
}

/** Follow the feed from number `after` on. `onEvents([{seq, event, alert}])`, `onReset()`, `onState("live"|"connecting"|"polling"|"offline"|"signed_out")`. */
export class Live {
  constructor({ stream, changes, after, channel, onEvents, onReset, onState }) {
    Object.assign(this, { stream, changes, last: after, onEvents, onReset, onState });
    this.name = `checkpoint-live-${channel}`;
    this.state = "connecting";
    this.leading = false;
    this.held = null;
    this.again = false;
    this.heardAt = Date.now();
  }

  start() {
    if (globalThis.BroadcastChannel && navigator.locks) {
      this.channel = new BroadcastChannel(this.name);
      this.channel.onmessage = ({ data }) => this.hear(data);
      navigator.locks.request(this.name, () => {
        this.lead();
        return new Promise(() => {}); // held until this tab goes
      });
      this.channel.postMessage({ kind: "hello" });
      setInterval(() => this.watch(), BEAT_MS / 2);
    } else {
      this.lead();
    }
    addEventListener("online", () => this.catchUp());
    addEventListener("offline", () => this.show("offline"));
    addEventListener("pageshow", (event) => event.persisted && this.catchUp());
    document.addEventListener("visibilitychange", () => document.hidden || this.catchUp());
  }

  /** Take events: those that are new go on, in order. While a catch-up is under way they wait for it. */
  take(events) {
    if (this.held) {
      this.held.push(...events);
      return;
    }
    const fresh = events.filter((one) => one.seq > this.last).sort((one, other) => one.seq - other.seq);
    if (!fresh.length) return;
    this.last = fresh[fresh.length - 1].seq;
    this.onEvents(fresh);
  }

  show(state) {
    this.state = state;
    this.onState(state);
    if (this.leading) this.say({ kind: "state", state });
  }

  say(message) {
    this.channel?.postMessage(message);
  }

  hear(message) {
    if (message.kind === "hello") {
      if (this.leading) this.say({ kind: "state", state: this.state });
      return;
    }
    if (this.leading) return;
    const first = !this.met;
    this.met = true;
    this.heardAt = Date.now();
    if (message.kind === "events") this.take(message.events);
    else if (message.kind === "reset") this.reset(message.seq);
    else this.onState(message.state);
    if (first) this.catchUp(); // what the leader told before this tab was listening
  }

  /** The leader may be frozen in the background: then this tab asks for itself. */
  watch() {
    if (this.leading) {
      if (Date.now() - this.heardAt >= BEAT_MS) {
        this.heardAt = Date.now();
        this.say({ kind: "state", state: this.state });
      }
    } else if (Date.now() - this.heardAt > SILENT_MS) {
      this.heardAt = Date.now() - SILENT_MS + POLL_MS;
      this.onState("polling");
      this.catchUp();
    }
  }

  lead() {
    this.leading = true;
    this.open();
  }

  open() {
    clearTimeout(this.retry);
    this.source?.close();
    const source = new EventSource(`${this.stream}?after=${this.last}`);
    this.source = source;
    source.onopen = () => {
      clearTimeout(this.poll);
      this.show("live");
    };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) this.refused();
      else this.show(navigator.onLine ? "connecting" : "offline");
    };
    const pass = ({ lastEventId, type, data }) => {
      const events = [{ seq: Number(lastEventId), event: type, alert: JSON.parse(data).alert }];
      this.say({ kind: "events", events });
      this.take(events);
    };
    source.addEventListener("alert", pass);
    source.addEventListener("change", pass);
    source.addEventListener("reset", ({ data }) => {
      const { seq } = JSON.parse(data);
      this.say({ kind: "reset", seq });
      this.reset(seq);
    });
  }

  /** Our number is from before the database was restored: begin anew from `seq`. */
  reset(seq) {
    this.last = seq;
    this.onReset();
  }

  /** The stream is full, or something between us and the server does not let it pass: ask now and then, and try again. */
  refused() {
    this.source.close();
    this.show("polling");
    this.pollNow();
    this.retry = setTimeout(() => this.open(), jittered(RETRY_MS));
  }

  async pollNow() {
    clearTimeout(this.poll);
    const events = await this.catchUp();
    if (events?.length) this.say({ kind: "events", events });
    if (this.state !== "signed_out" && this.state !== "live") this.poll = setTimeout(() => this.pollNow(), jittered(POLL_MS));
  }

  /** Ask once for everything after the last number seen; returns it. */
  async catchUp() {
    if (this.held) {
      this.again = true; // the answer under way may be older than what made us ask
      return [];
    }
    this.held = [];
    let events = [];
    try {
      const response = await fetchPart(`${this.changes}?after=${this.last}`);
      if (!response.ok) throw new Error(String(response.status));
      const answer = await response.json();
      events = answer.events;
      if (answer.reset) this.reset(answer.seq);
    } catch (error) {
      if (error instanceof SignedOut) {
        clearTimeout(this.retry);
        this.source?.close();
        this.show("signed_out");
      } else if (this.state !== "live") {
        this.show("offline");
      }
    }
    const waiting = this.held;
    this.held = null;
    this.take([...events, ...waiting]);
    if (this.again) {
      this.again = false;
      return [...events, ...(await this.catchUp())];
    }
    return events;
  }
}
