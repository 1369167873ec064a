// SPDX-License-Identifier: Apache-2.0
// The social page, opened twice in one real browser: what happens in one window is seen at once in the other.
//
//   node social_test.mjs CHROMIUM PUBLIC_URL APPLICATION_URL PICTURES_FOLDER [orders]
//
// It expects a server with no events yet; run.py starts one. With `orders`, whoever reads standard output kills the server
// on a line `@kill`, starts it again on `@start`, and answers each with a line.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Chromium } from "./chromium.mjs";

const [binary, base, application, pictures, orders] = process.argv.slice(2);
const kWholeTestMs = 120_000;
const kDesktop = { width: 1240, height: 1180 };
const kPhone = { width: 390, height: 844, mobile: true };

const like = (comment) => `#comment-${comment} .like`;
const exists = (selector) => `document.querySelector(${JSON.stringify(selector)})`;
const says = (selector, words) => `${exists(selector)}?.textContent.includes(${JSON.stringify(words)})`;
const count = (comment, is) => `${exists(`#comment-${comment} .count`)}?.textContent === "${is}"`;

async function picture(page, name, look, whole_page) {
  await page.look(look);
  await page.evaluate("scrollTo({ top: 0, behavior: 'instant' })");
  await page.evaluate(`Promise.allSettled(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
    .map((one) => one.finished)).then(() => {})`);
  writeFileSync(join(pictures, `${name}.png`), await page.screenshot(whole_page));
}

function notify(listener, person, payload) {
  return fetch(new URL(`/api/users/${person}/notifications`, listener), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(payload),
  });
}

function order(what) {
  const done = new Promise((answered) => process.stdin.once("data", answered));
  process.stdin.resume();
  console.log(`@${what}`);
  return done.finally(() => process.stdin.pause());  // Or it would keep us from ending.
}

const likes = async (page) => Number(await page.text("#comment-42 .count"));
const wire = (page) => page.evaluate(
  `[...document.querySelectorAll("#wire .frame .cursor code")].map(({ textContent }) => textContent)`);

const facts = [
  ["two windows of one browser are two people, both live", async (maya, noor) => {
    await maya.until("the stream is live", exists("#badge[data-state=live]"));
    await noor.until("the stream is live", exists("#badge[data-state=live]"));
    await picture(maya, "quiet-light", { ...kDesktop, scheme: "light" });
    assert.equal(await maya.text("#persona [aria-current]"), "Maya");
    assert.equal(await noor.text("#persona [aria-current]"), "Noor");
  }],
  ["a like on the streamed comment is counted in both windows", async (maya, noor) => {
    await maya.click(like(42));
    await noor.until("Maya likes the comment", count(42, 1));
    await maya.until("her own like is counted", count(42, 1));
    await noor.click(like(42));
    await maya.until("Noor likes it too", count(42, 2));
    assert.match(await maya.text("#comment-42 .latest"), /Noor/);
  }],
  ["a like on another comment is counted in both windows", async (maya, noor) => {
    await noor.click(like(44));
    await maya.until("Noor likes the last comment", count(44, 1));
    await noor.until("her own like is counted", count(44, 1));
    assert.ok(await maya.evaluate(count(42, 2)), "the other comment keeps its count");
  }],
  ["typing is seen while it happens, and the status when it is posted", async (maya, noor) => {
    await noor.click("#status");
    await noor.type("Low tide walk");
    await maya.until("Noor is typing", exists("#person-noor.is-typing"));
    assert.equal(await maya.text("#person-noor .typing-words"), "Noor is typing");
    await picture(maya, "typing-light", { ...kDesktop, scheme: "light" });
    await noor.type(", then soup");
    await noor.press_enter();
    await maya.until("Noor has a status", says("#person-noor .said", "Low tide walk, then soup"));
    await maya.until("Noor has stopped", `!${exists("#person-noor.is-typing")}`);
    await noor.until("she has it herself", says("#person-noor .said", "Low tide walk, then soup"));
    assert.equal(await noor.evaluate("document.getElementById('status').value"), "");
  }],
  ["text is shown as text", async (maya, noor) => {
    await maya.click("#status");
    await maya.type("Reading <b>tide</b> tables & maps");
    await maya.press_enter();
    await noor.until("Maya has a status", says("#person-maya .said", "Reading <b>tide</b> tables & maps"));
  }],
  ["a notification of the backend reaches its person only", async (maya, noor) => {
    const event = { kind: "mention", title: "Priya mentioned you", body: "Which way were you facing?" };
    assert.equal((await notify(application, "maya", event)).status, 201);
    await maya.until("the toast is there", says(".toast", "Priya mentioned you"));
    await maya.until("one is unread", says("#unread", "1"));
    assert.match(await maya.text(".toast"), /Which way were you facing/);
    await picture(maya, "notification-light", { ...kDesktop, scheme: "light" });
    await picture(maya, "notification-dark", { ...kDesktop, scheme: "dark" });
    await maya.click("#bell");
    assert.match(await maya.text("#inbox-list"), /Which way were you facing/);
    assert.ok(await maya.evaluate("document.getElementById('unread').hidden"));
    await picture(maya, "inbox-dark", { ...kDesktop, scheme: "dark" });
    await maya.click("#bell");
    assert.equal(await noor.evaluate("document.querySelectorAll('.toast, #inbox-list li').length"), 0);
  }],
  ["a browser may not publish a notification", async () => {
    assert.equal((await notify(base, "maya", { kind: "system", title: "Not from here" })).status, 405);
  }],
  ["the wire panel names the way, the message and a cursor of 31 characters", async (maya) => {
    const rows = await maya.evaluate(`[...document.querySelectorAll("#wire .frame")].map((row) => ({
      via: row.querySelector(".via").textContent, name: row.querySelector("b").textContent,
      cursor: row.querySelector(".cursor code")?.textContent }))`);
    const seen = new Set(rows.map(({ via, name }) => `${name} by ${via}`));
    const expected = ["liked by stream", "liked by page", "status-changed by page", "notified by page",
      "typing by long poll"];
    for (const one of expected) {
      assert.ok(seen.has(one), `${one} is missing in ${[...seen]}`);
    }
    await maya.evaluate("document.querySelector('details').open = true");
    await picture(maya, "how-dark", { ...kDesktop, scheme: "dark" }, true);
    for (const { cursor, via } of rows) if (via !== "long poll") assert.match(cursor, /^0[0-9a-v]{30}$/);
  }],
  ["a window that comes later counts what was there before", async (maya, noor) => {
    await noor.navigate(new URL("/?as=noor", base).href);
    await noor.until("the counts are back", `${count(42, 2)} && ${count(44, 1)}`);
    await noor.until("the status is back", says("#person-noor .said", "Low tide walk, then soup"));
    await noor.until("the stream is live", exists("#badge[data-state=live]"));
    await maya.click(like(42));
    await noor.until("the next like arrives", count(42, 3));
    assert.equal(await noor.evaluate("document.querySelectorAll('#wire .frame').length"), 1, "history is not news");
  }],
  ["a hidden window pauses, and misses nothing when it is looked at again", async (maya, noor) => {
    const hide = (yes) => noor.evaluate(`
      Object.defineProperty(document, "hidden", { configurable: true, value: ${yes} });
      document.dispatchEvent(new Event("visibilitychange"))`);
    await hide(true);
    await noor.until("it says so", exists("#badge[data-state=paused]"));
    for (const total of [4, 5]) {
      await maya.click(like(42));
      await maya.until("the like is counted", count(42, total));
    }
    assert.ok(await noor.evaluate(count(42, 3)), "a paused window does not listen");
    await hide(false);
    await noor.until("both likes are there", count(42, 5));
    await noor.until("the stream is live", exists("#badge[data-state=live]"));
  }],
  ["it fits a phone", async (maya, noor) => {
    for (const scheme of ["light", "dark"]) {
      await picture(noor, `phone-${scheme}`, { ...kPhone, scheme }, true);
      assert.ok(await noor.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the screen");
    }
  }],
  ["nothing complains in the console", async (maya, noor) => {
    assert.deepEqual([...maya.complaints, ...noor.complaints], []);
  }],
  ["both windows carry on when the server was killed and started again", async (maya, noor) => {
    if (!orders) return;
    for (const window of [maya, noor]) await window.until("the stream is live", exists("#badge[data-state=live]"));
    const [before, frames] = [await likes(maya), await wire(noor)];
    await order("kill");
    for (const window of [maya, noor]) await window.until("it is cut off", exists("#badge[data-state=reconnecting]"));
    await maya.click(like(42));  // It is repeated with the same key until somebody answers.
    await order("start");
    for (const window of [maya, noor]) {
      await window.until("the like has got through, once", count(42, before + 1));
      await window.until("the stream is live", exists("#badge[data-state=live]"));
    }
    await noor.click(like(42));
    for (const window of [maya, noor]) await window.until("the next one arrives", count(42, before + 2));
    assert.ok(await maya.evaluate(says("#person-noor .said", "Low tide walk, then soup")), "nothing was forgotten");
    const cursors = await wire(noor);
    assert.equal(new Set(cursors).size, cursors.length, "no event came twice");
    assert.ok(cursors.length > frames.length, "what came is shown");
    assert.equal(new Set(cursors.map((cursor) => cursor.slice(0, 14))).size, 1, "the history is the same");
    for (const window of [maya, noor]) window.complaints.length = 0;  // of a server that could not be reached
  }],
  ["this test would have heard a complaint", async (maya) => {
    await maya.evaluate("setTimeout(() => { throw new Error('canary'); })");
    await maya.evaluate("new Promise((later) => setTimeout(later, 50))");
    assert.match(maya.complaints.join(), /canary/);
  }],
];

async function main() {
  mkdirSync(pictures, { recursive: true });
  const browser = new Chromium(binary);
  try {
    const maya = await browser.open_window("Maya", base);
    await maya.until("she is Maya", exists("#persona [aria-current]"));
    const noor = await browser.open_window("Noor", base);
    for (const [fact, check] of facts) {
      const started = Date.now();
      try {
        await check(maya, noor);
      } catch (error) {
        writeFileSync(join(pictures, "failed-maya.png"), await maya.screenshot());
        writeFileSync(join(pictures, "failed-noor.png"), await noor.screenshot());
        const complaints = [...maya.complaints, ...noor.complaints].join("\n");
        console.error(`FAIL ${fact}\n${complaints}`);
        throw error;
      }
      console.log(`ok   ${fact} (${Date.now() - started} ms)`);
    }
  } finally {
    await browser.close();
  }
}

const limit = setTimeout(() => {
  console.error("FAIL the whole test took too long");
  process.exit(1);
}, kWholeTestMs);
main().then(() => clearTimeout(limit), (error) => {
  clearTimeout(limit);
  console.error(`FAIL ${error.stack}`);
  process.exitCode = 1;
});
