// SPDX-License-Identifier: Apache-2.0
// A headless Chromium driven over the DevTools protocol on two pipes: no port, no package, no driver.
//
// Each message is one JSON text that ends with a zero byte (--remote-debugging-pipe: we write to 3, it writes to 4).
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const kAnswerMs = 20_000;
const kAppearMs = 15_000;
const kFlags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
  "--hide-scrollbars", "--mute-audio", "--remote-debugging-pipe"];

export class Chromium {
  #process;
  #folder = mkdtempSync(join(tmpdir(), "tidewire-browser-"));
  #waiting = new Map();
  #pages = new Map();
  #next_id = 1;
  #ended;

  constructor(binary) {
    this.#process = spawn(binary, [...kFlags, `--user-data-dir=${this.#folder}`, "about:blank"],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.#ended = new Promise((done) => this.#process.once("exit", done));
    this.#process.once("error", (error) => this.#fail_all(error));
    this.#ended.then(() => this.#fail_all(new Error("Chromium has ended")));
    this.#process.stdio[3].on("error", () => {});
    let rest = "";
    this.#process.stdio[4].setEncoding("utf8").on("data", (chunk) => {
      const texts = (rest + chunk).split("\0");
      rest = texts.pop();
      for (const text of texts) this.#on_message(JSON.parse(text));
    });
  }

  call(method, params = {}, sessionId) {
    const id = this.#next_id++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${method}`)), kAnswerMs);
      this.#waiting.set(id, { resolve, reject, timer, method });
      this.#process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  async open_window(name, url) {
    const { targetId } = await this.call("Target.createTarget",
      { url: "about:blank", newWindow: true, width: 1240, height: 1180 });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId, name);
    this.#pages.set(sessionId, page);
    for (const domain of ["Page", "Runtime", "Log"]) await page.call(`${domain}.enable`);
    await page.navigate(url);
    return page;
  }

  async close() {
    this.call("Browser.close").catch(() => {});
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 5000);
    await this.#ended;
    clearTimeout(late);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  #on_message({ id, result, error, method, params, sessionId }) {
    if (id === undefined) return this.#pages.get(sessionId)?.on_event(method, params);
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!call) return;
    clearTimeout(call.timer);
    if (error) call.reject(new Error(`${call.method}: ${error.message}`));
    else call.resolve(result);
  }

  #fail_all(error) {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
  }
}

class Page {
  complaints = [];  // What a developer would see in red: exceptions, console.error, failed requests.

  constructor(browser, session, name) {
    this.call = (method, params) => browser.call(method, params, session);
    this.name = name;
  }

  on_event(method, params) {
    if (method === "Runtime.exceptionThrown") {
      const { text, exception } = params.exceptionDetails;
      this.complaints.push(`${this.name}: ${text} ${exception?.description ?? ""}`);
    } else if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(params.type)) {
      const said = params.args.map((arg) => arg.value ?? arg.description);
      this.complaints.push(`${this.name}: console.${params.type} ${said.join(" ")}`);
    } else if (method === "Log.entryAdded" && ["error", "warning"].includes(params.entry.level)) {
      this.complaints.push(`${this.name}: ${params.entry.text} ${params.entry.url ?? ""}`);
    }
  }

  async navigate(url) {
    const { errorText } = await this.call("Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await this.until("the page has loaded",
      "document.readyState === 'complete' && location.href !== 'about:blank'");
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate",
      { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  // Resolves as soon as the expression is true in the page.
  async until(fact, expression) {
    const started = Date.now();
    while (Date.now() - started < kAppearMs) {
      if (await this.evaluate(`Boolean(${expression})`).catch(() => false)) return Date.now() - started;
      await new Promise((done) => setTimeout(done, 15));
    }
    throw new Error(`${this.name} never saw that ${fact}: ${expression}`);
  }

  text(selector) {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)})?.textContent`);
  }

  async click(selector) {
    const { x, y } = await this.evaluate(`(() => {
      const at = document.querySelector(${JSON.stringify(selector)});
      at.scrollIntoView({ block: "center", behavior: "instant" });
      const box = at.getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    })()`);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.call("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    }
  }

  async type(text) {
    for (const letter of text) await this.call("Input.insertText", { text: letter });
  }

  async press_enter() {
    const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" };
    await this.call("Input.dispatchKeyEvent", { type: "keyDown", ...key });
    await this.call("Input.dispatchKeyEvent", { type: "keyUp", ...key });
  }

  // How the page is looked at: {width, height, scheme: "light" | "dark"}.
  async look({ width, height, scheme, mobile = false }) {
    await this.call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
    await this.call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  }

  async screenshot(whole_page = false) {
    const { data } = await this.call("Page.captureScreenshot", { format: "png", captureBeyondViewport: whole_page });
    return Buffer.from(data, "base64");
  }
}
