// SPDX-License-Identifier: Apache-2.0
// What a page needs to talk to Tidewire: fetch and EventSource, nothing else. Copy it.
//
// Every answer carries a cursor: "everything up to here was delivered". Whoever keeps the newest one can stop, lose the
// connection or change the way of asking, and go on after it: no event is missed and none comes twice.

const kApi = "/api";
const kPageEventsMax = 1000;
const kPublishAttemptsMax = 5;
const kReopenMs = 3000;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function url(address, query = {}) {
  const path = address.split("/").map(encodeURIComponent).join("/");
  const search = new URLSearchParams(query).toString();
  return `${kApi}/${path}${search && `?${search}`}`;
}

// randomUUID exists on https and loopback only; getRandomValues exists everywhere.
function randomKey() {
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function problemOf(response) {
  const { detail, title } = await response.json().catch(() => ({}));
  return Object.assign(new Error(detail || title || `HTTP ${response.status}`), { status: response.status });
}

// Publishes one event; resolves with {id, cursor} once it is durable. If the answer is lost we cannot know whether the
// event was taken, so each attempt carries the same key: a repeat is recognised and not published twice.
export async function publish(address, payload) {
  const request = {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": randomKey() },
    body: JSON.stringify(payload),
  };
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(url(address), request).catch(() => null);
    if (response?.ok) return response.json();
    const temporary = !response || response.status === 429 || response.status >= 500;
    if (!temporary || attempt === kPublishAttemptsMax) {
      throw response ? await problemOf(response) : new Error("The server cannot be reached.");
    }
    const askedS = Number(response?.headers.get("Retry-After")) || 0;
    await sleep(Math.max(askedS * 1000, 250 * 2 ** attempt * (0.5 + Math.random())));
  }
}

// One page: {events, cursor, up_to_date}. With `wait` it is a long poll of so many seconds.
export async function read(address, { signal, ...query }) {
  const headers = { Accept: "application/json" };
  const response = await fetch(url(address, query), { headers, signal, cache: "no-store" });
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

// Follows one address. `onEvent({name, data, cursor, time}, via, live)` comes exactly once for each event and in order;
// `live` is false for those that were there before us. `onReset()` says that the history is another one (the server was
// started anew, or we were away for too long): forget what was counted, it is told again from the beginning.
export class Follower {
  constructor(address, { onEvent, onReset }) {
    this.address = address;
    this.cursor = "earliest";
    this.onEvent = onEvent;
    this.onReset = onReset;
    this.seenAll = false;
  }

  // Reads pages until nothing is left.
  async catchUp(signal) {
    for (;;) {
      try {
        const page = await read(this.address, { after: this.cursor, limit: kPageEventsMax, signal });
        signal.throwIfAborted();  // Somebody else may go on from our cursor now.
        for (const event of page.events) this.#take(fromCloudevent(event), "page");
        this.cursor = page.cursor;
        if (page.up_to_date) break;
      } catch (error) {
        if (error.status !== 410 || this.cursor === "earliest") throw error;
        this.restart();
      }
    }
    this.seenAll = true;
  }

  // Keeps one event stream open until `signal` is aborted. EventSource reconnects by itself and then sends the id of
  // the last block, which is our cursor, as Last-Event-ID.
  async stream(names, onState, signal) {
    while (!signal.aborted) {
      try {
        onState("connecting");
        await this.catchUp(signal);
        await this.#streamOnce(names, onState, signal);
      } catch (error) {
        if (signal.aborted) return;
      }
      onState("reconnecting");
      await sleep(kReopenMs * Math.random());
    }
  }

  #streamOnce(names, onState, signal) {
    return new Promise((done) => {
      const source = new EventSource(url(this.address, { after: this.cursor }));
      const stop = () => (source.close(), done());
      signal.addEventListener("abort", stop, { once: true });
      source.onopen = () => onState("live");
      source.onerror = () => {
        onState("reconnecting");
        if (source.readyState === EventSource.CLOSED) stop();  // It gives up on anything but 200; we do not.
      };
      for (const name of names) {
        source.addEventListener(name, ({ data, lastEventId }) => {
          this.#take({ name, data: JSON.parse(data), cursor: lastEventId }, "stream");
        });
      }
      source.addEventListener("tidewire.reset", () => (this.restart(), stop()));
    });
  }

  restart() {
    this.cursor = "earliest";
    this.seenAll = false;
    this.onReset();
  }

  #take(event, via) {
    this.cursor = event.cursor;
    this.onEvent(event, via, this.seenAll);
  }
}

// Asks an ephemeral address once. It has no history: the answer is what arrives while we wait.
export async function arrivals(address, waitS, signal) {
  const page = await read(address, { after: "latest", wait: waitS, signal });
  return page.events.map(fromCloudevent);
}

function fromCloudevent({ message, type, data, cursor, time }) {
  return { name: message ?? type, data, cursor, time };
}
