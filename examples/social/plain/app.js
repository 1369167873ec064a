// SPDX-License-Identifier: Apache-2.0
// The page: what it follows, and what it draws when something arrives. Talking to the server is in wire.js.
import { Follower, arrivals, publish, sleep } from "./wire.js";

const kPollMs = 1000;
const kTypingWaitS = 2;  // Short: where three windows share six connections, a click waits for one of these at most.
const kTypingWindowsMax = 3;
const kErrorMs = 3000;
const kTypingRepeatMs = 1000;
const kTypingForgetMs = 2600;
const kWireRowsMax = 50;
const kInboxRowsMax = 20;
const kToastsMax = 3;
const kToastMs = 7000;

const kPeople = {
  maya: { name: "Maya Lind", first: "Maya", initials: "ML" },
  noor: { name: "Noor Haddad", first: "Noor", initials: "NH" },
};
const kComments = [
  {
    id: "42",
    by: "Elias Ford",
    look: "elias",
    said: "I set a reminder for this and still missed it. Pinning your post so that tomorrow finds me.",
  },
  { id: "43", by: "Priya Raman", look: "priya", said: "That colour! Which way were you facing?" },
  { id: "44", by: "Tomás Vega", look: "tomas", said: "Push beats poll. The sea has known for a while." },
];
const kPinned = kComments[0].id;

const $ = (id) => document.getElementById(id);
const likesOf = (comment) => `comments/${comment}/likes`;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// ?as=noor decides. Otherwise the first tab of this browser is Maya and the next one Noor: each tab holds the lock
// of its person while it is open.
async function choosePerson() {
  const asked = new URLSearchParams(location.search).get("as");
  const wanted = Object.hasOwn(kPeople, asked ?? "") ? [asked] : Object.keys(kPeople);
  for (const id of navigator.locks ? wanted : []) {
    const free = await new Promise((answer) => {
      navigator.locks.request(`person:${id}`, { ifAvailable: true }, (lock) => {
        answer(Boolean(lock));
        return lock && new Promise(() => {});  // Held until the tab is closed.
      });
    });
    if (free) return id;
  }
  return wanted.at(-1);
}

// ---- the wire panel

function showOnWire(address, { name, data, cursor }, via) {
  const row = element("li", "frame");
  const head = element("p", "head");
  head.append(
    element("span", `via ${via.replace(" ", "-")}`, via),
    element("b", "", name),
    element("span", "address", address),
    element("time", "", new Date().toTimeString().slice(0, 8)),
  );
  row.append(head, element("code", "data", JSON.stringify(data)));
  if (cursor) {
    const mark = element("p", "cursor");
    mark.append(element("span", "", "cursor "), element("code", "", cursor));
    row.append(mark);
  }
  $("wire").prepend(row);
  while ($("wire").children.length > kWireRowsMax) $("wire").lastElementChild.remove();
  $("wire-empty").hidden = true;
}

function showState(state) {
  const words = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", paused: "Paused" };
  if ($("badge").dataset.state === state) return;
  $("badge").dataset.state = state;
  $("badge").lastElementChild.textContent = words[state];
}

// ---- likes

function burst(button) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (let i = 0; i < 5 && !still; i++) {
    const heart = element("i", "heart");
    heart.style.setProperty("--x", `${(Math.random() - 0.5) * 74}px`);
    heart.style.setProperty("--turn", `${(Math.random() - 0.5) * 80}deg`);
    heart.style.setProperty("--delay", `${i * 45}ms`);
    heart.addEventListener("animationend", () => heart.remove());
    button.append(heart);
  }
}

function addComment(comment, me) {
  const item = $("comment-template").content.cloneNode(true).firstElementChild;
  const [avatar, button, count, latest] = [".avatar", ".like", ".count", ".latest"].map((at) => item.querySelector(at));
  item.id = `comment-${comment.id}`;
  avatar.classList.add(comment.look);
  avatar.textContent = comment.by.split(" ").map((word) => word[0]).join("");
  item.querySelector("strong").textContent = comment.by;
  item.querySelector(".how").textContent = comment.id === kPinned ? "Pinned" : "";
  item.querySelector(".said").textContent = comment.said;
  $("comments").append(item);

  let total = 0;
  const draw = (by) => {
    count.textContent = total.toLocaleString("en");
    item.classList.toggle("liked", total > 0);
    button.setAttribute("aria-label", `Like the comment of ${comment.by}, ${total} ${total === 1 ? "like" : "likes"}`);
    latest.textContent = by ? `Latest: ${by === me ? "you" : (kPeople[by]?.first ?? by)}` : "";
  };
  draw();
  button.addEventListener("click", () => send(likesOf(comment.id), { by: me }));

  return new Follower(likesOf(comment.id), {
    onReset: () => ((total = 0), draw()),
    onEvent: (event, via, live) => {
      total++;
      draw(live ? (event.data?.by ?? "Somebody") : undefined);
      if (!live) return;
      showOnWire(likesOf(comment.id), event, via);
      burst(button);
      count.classList.remove("bump");
      void count.offsetWidth;  // Lets the animation start over.
      count.classList.add("bump");
    },
  });
}

// ---- people: status and typing

function since(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return "just now";
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}

function addPerson(id, me) {
  const { name, first, initials } = kPeople[id];
  const item = element("li", "person");
  item.id = `person-${id}`;
  item.classList.toggle("me", id === me);
  const body = element("div");
  const line = element("p", "line");
  const when = element("time", "muted");
  line.append(element("strong", "", name), element("span", "you", id === me ? "you" : ""), when);
  const said = element("p", "said quiet", "No status yet");
  const typing = element("p", "typing");
  typing.setAttribute("role", "status");
  typing.append(element("span", "dots"), element("span", "typing-words"));
  typing.firstChild.append(element("i"), element("i"), element("i"));
  body.append(line, said, typing);
  item.append(element("span", `avatar ${id}`, initials), body);
  item.firstChild.setAttribute("aria-hidden", "true");
  $("people").append(item);

  let forget;
  const showTyping = (active) => {
    clearTimeout(forget);
    item.classList.toggle("is-typing", active);
    typing.lastChild.textContent = active ? `${first} is typing` : "";
    if (active) forget = setTimeout(showTyping, kTypingForgetMs, false);
  };

  let changed;
  setInterval(() => changed && (when.textContent = since(changed)), 20_000);
  const status = new Follower(`users/${id}/status`, {
    onReset: () => {
      said.textContent = "No status yet";
      said.classList.add("quiet");
      when.textContent = "";
      changed = undefined;
    },
    onEvent: (event, via, live) => {
      changed = event.time;
      said.textContent = event.data?.text ?? "";
      said.classList.remove("quiet");
      when.textContent = since(changed);
      showTyping(false);
      if (!live) return;
      showOnWire(`users/${id}/status`, event, via);
      item.classList.remove("fresh");
      void item.offsetWidth;
      item.classList.add("fresh");
    },
  });
  return { status, showTyping };
}

function setUpComposer(me) {
  const [form, input] = [$("composer"), $("status")];
  const tell = (active) => publish(`users/${me}/typing`, { active }).catch(() => {});  // The next key tells it again.
  let toldAt = 0;
  let gaveUp;
  const stopTyping = () => {
    clearTimeout(gaveUp);
    if (toldAt) tell(false);
    toldAt = 0;
  };
  $("status-label").textContent = `What are you up to, ${kPeople[me].first}?`;
  input.addEventListener("input", () => {
    clearTimeout(gaveUp);
    if (!input.value) return stopTyping();
    gaveUp = setTimeout(stopTyping, 2 * kTypingRepeatMs);
    if (Date.now() - toldAt < kTypingRepeatMs) return;
    toldAt = Date.now();
    tell(true);
  });
  form.addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    stopTyping();
    if (!(await send(`users/${me}/status`, { text })) && !input.value) input.value = text;
  });
}

// ---- notifications

function toast(title, body, look = "") {
  const item = element("div", `toast ${look}`);
  const words = element("div");
  words.append(element("strong", "", title));
  if (body) words.append(element("p", "", body));
  const close = element("button", "", "×");
  close.type = "button";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => item.remove());
  item.append(element("span", "dot"), words, close);
  $("toasts").append(item);
  while ($("toasts").children.length > kToastsMax) $("toasts").firstElementChild.remove();
  setTimeout(() => item.remove(), kToastMs);
}

function setUpInbox(me) {
  let unread = 0;
  const draw = () => {
    $("unread").hidden = unread === 0;
    $("unread").textContent = unread > 9 ? "9+" : unread;
    $("bell").setAttribute("aria-label", `Notifications, ${unread || "none"} unread`);
    $("inbox-empty").hidden = $("inbox-list").children.length > 0;
    document.title = unread ? `(${unread}) Tidewire social` : "Tidewire social";
  };
  const open = (yes) => {
    $("inbox").hidden = !yes;
    $("bell").setAttribute("aria-expanded", String(yes));
    if (yes) {
      unread = 0;
      $("toasts").replaceChildren();  // They say what the list says.
    }
    draw();
  };
  $("bell").addEventListener("click", () => open($("inbox").hidden));
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || $("inbox").hidden) return;
    open(false);
    $("bell").focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (!$("inbox").hidden && !target.closest(".bell-wrap")) open(false);
  });

  return new Follower(`users/${me}/notifications`, {
    onReset: () => {
      unread = 0;
      $("inbox-list").replaceChildren();
      draw();
    },
    onEvent: (event, via, live) => {
      const { kind, title, body } = event.data ?? {};
      const row = element("li", kind);
      const words = element("div");
      words.append(element("strong", "", title));
      if (body) words.append(element("p", "", body));
      row.append(element("span", "dot"), words, element("time", "muted", since(event.time)));
      $("inbox-list").prepend(row);
      while ($("inbox-list").children.length > kInboxRowsMax) $("inbox-list").lastElementChild.remove();
      if (live) {
        if ($("inbox").hidden) unread++;
        showOnWire(`users/${me}/notifications`, event, via);
        toast(title, body, kind);
        $("bell").classList.remove("ring");
        void $("bell").offsetWidth;
        $("bell").classList.add("ring");
      }
      draw();
    },
  });
}

// ---- sending, and asking for what the stream does not carry

let askNow = () => {};

async function send(address, payload) {
  try {
    await publish(address, payload);
    askNow();  // Our own event should not wait for the next turn.
    return true;
  } catch (error) {
    toast("That did not get through", error.message, "failed");
    return false;
  }
}

async function poll(followers, signal) {
  while (!signal.aborted) {
    const next = new Promise((asked) => (askNow = asked));
    for (const follower of followers) {
      await follower.catchUp(signal).catch(() => sleep(signal.aborted ? 0 : kPollMs));
      if (signal.aborted) return;
    }
    await Promise.race([next, sleep(kPollMs)]);
  }
}

// Windows of one browser share its six connections to us, and each needs one for its stream. Where more than three are
// in sight, the long polls are given up: typing is what one can do without.
function takeSeat(signal) {
  const leave = new Promise((done) => signal.addEventListener("abort", done, { once: true }));
  navigator.locks?.request("in sight", { mode: "shared" }, () => leave);
}

async function isCrowded() {
  const { held } = (await navigator.locks?.query()) ?? { held: [] };
  return held.filter(({ name }) => name === "in sight").length > kTypingWindowsMax;
}

async function listen(address, onEvent, signal) {
  while (!signal.aborted) {
    if (await isCrowded()) {
      await sleep(kPollMs);
      continue;
    }
    const events = await arrivals(address, kTypingWaitS, signal).catch(() => null);
    if (signal.aborted) return;
    if (!events) await sleep(kErrorMs);
    else for (const event of events) onEvent(event, "long poll");
  }
}

// ---- the rest of the page

function drawFrame(me, other) {
  for (const id of Object.keys(kPeople)) {
    const link = element("a", "", kPeople[id].first);
    link.href = `?as=${id}`;
    if (id === me) link.setAttribute("aria-current", "true");
    $("persona").append(link);
  }
  const backend = `http://${location.hostname}:8082/api/users/${me}/notifications`;
  const note = { kind: "mention", title: "Priya mentioned you" };
  $("command").textContent = `curl ${backend} \\\n  --json '${JSON.stringify(note)}'`;
  $("copy").addEventListener("click", async () => {
    const done = await navigator.clipboard?.writeText($("command").textContent).then(() => true, () => false);
    $("copy").textContent = done ? "Copied" : "Select it";
    if (!done) getSelection().selectAllChildren($("command"));
    setTimeout(() => ($("copy").textContent = "Copy"), 1600);
  });
  $("second").textContent = `Open a second window as ${kPeople[other].first}`;
  $("second").addEventListener("click", () => {
    const [width, height] = [Math.min(screen.availWidth / 2, 760), Math.min(screen.availHeight, 900)];
    const place = `left=${screen.availWidth - width},top=0`;
    open(`?as=${other}`, "_blank", `popup,noopener,width=${width},height=${height},${place}`);
  });
  $("clear").addEventListener("click", () => {
    $("wire").replaceChildren();
    $("wire-empty").hidden = false;
  });
}

function explain(rows) {
  for (const [how, addresses] of rows) {
    $("listens").append(element("dt", `via ${how.replace(" ", "-")}`, how));
    const list = element("dd");
    for (const address of addresses) list.append(element("code", "", address));
    $("listens").append(list);
  }
}

async function main() {
  const me = await choosePerson();
  const other = Object.keys(kPeople).find((id) => id !== me);
  drawFrame(me, other);
  setUpComposer(me);

  const [pinned, ...comments] = kComments.map((comment) => addComment(comment, me));
  const people = new Map([me, other].map((id) => [id, addPerson(id, me)]));
  const polled = [setUpInbox(me), ...[...people.values()].map(({ status }) => status), ...comments];
  const typingAt = `users/${other}/typing`;
  const onTyping = (event, via) => {
    people.get(other).showTyping(event.data?.active === true);
    showOnWire(typingAt, event, via);
  };
  explain([["stream", [pinned.address]], ["long poll", [typingAt]], ["page", polled.map(({ address }) => address)]]);

  // A hidden tab gives its connections back; every cursor is kept, so looking again misses nothing.
  let attention;
  const look = () => {
    attention?.abort();
    attention = undefined;
    if (document.hidden) return showState("paused");
    attention = new AbortController();
    const { signal } = attention;
    pinned.stream(["liked"], (state) => signal.aborted || showState(state), signal);
    takeSeat(signal);
    listen(typingAt, onTyping, signal);
    poll(polled, signal);
  };
  document.addEventListener("visibilitychange", look);
  look();
}

main();
