// Several sources: a wall of cards, and one of them alone.

import { call, figure, get, make, openDialog, setText, socketTo } from "./dom.js";

const POLL_MS = 1000;
const AGAIN_MS = 2000;

/** A card: frames come over a WebSocket of its own while the wall is visible. */
class Card {
  constructor(number, open) {
    this.number = number;
    this.socket = null;
    this.there = false;
    this.source = "";
    this.name = make("b");
    this.figures = make("span", { class: "num" });
    this.canvas = make("canvas", { width: 640, height: 360, "aria-hidden": "true" });
    this.banner = make("span", { class: "banner" }, "connecting ...");
    this.button = make(
      "button",
      { class: "source", "data-number": number, onclick: () => open(number) },
      make("span", { class: "source-head" }, this.name, this.figures),
      make("span", { class: "source-screen" }, this.canvas, this.banner),
    );
    this.element = make("li", {}, this.button);
  }

  /** source: as the server lists it. */
  tell(source) {
    this.there = source.there;
    this.source = source.name;
    setText(this.name, `${source.number}  ${source.name}`);
    this.button.title = `Show ${source.name} alone`;
    this.#say(source);
  }

  #say({ shown_fps: rate, age_ms: age, notice, ended }) {
    const parts = age === null ? [] : [ended ? null : `${figure(rate)} FPS`, ageOf(age)];
    setText(this.figures, parts.filter(Boolean).join("  ·  "));
    setText(this.banner, notice ?? (age === null ? "starting ..." : ""));
  }

  connect() {
    if (this.socket || !this.there) return;
    const mine = (this.socket = socketTo(`/api/sources/${this.number}/live/frames?small=true`));
    mine.onmessage = ({ data }) => {
      if (this.socket !== mine) return;
      if (typeof data !== "string") this.#draw(mine, data);
      else {
        const message = JSON.parse(data);
        if (message.type === "status") this.#say(message);
      }
    };
    mine.onclose = () => {
      if (this.socket !== mine) return;
      setText(this.banner, "connection lost: reconnecting ...");
      setTimeout(() => {
        if (this.socket === mine) this.socket = null; // the next poll connects again
      }, AGAIN_MS);
    };
  }

  disconnect() {
    const old = this.socket;
    this.socket = null;
    // Browsers warn about a socket that is closed before it is open.
    if (old?.readyState === WebSocket.CONNECTING) old.onopen = () => old.close();
    else old?.close();
  }

  async #draw(from, data) {
    const number = new DataView(data).getUint32(0);
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 4)], { type: "image/jpeg" }));
    if (this.socket !== from) return bitmap.close(); // the wall was left, or its connection was lost
    if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
      this.canvas.width = bitmap.width;
      this.canvas.height = bitmap.height;
    }
    this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    this.canvas.dataset.number = number;
    if (from.readyState === WebSocket.OPEN) from.send(JSON.stringify({ ack: number }));
  }
}

/** Like the panel of one source, which it shows when a card is chosen. */
export function startSources(count, live) {
  const wall = get("wall");
  const cards = Array.from({ length: count }, (_, i) => new Card(i + 1, open));
  let alone = null;
  let wanted = false;
  let timer = null;

  wall.style.setProperty("--columns", Math.ceil(Math.sqrt(count)));
  wall.append(...cards.map((card) => card.element));
  get("back").hidden = false;
  get("back").addEventListener("click", back);
  get("key-list").prepend(...[[`1–${Math.min(9, count)}`, "show that source alone"], ["0 g Esc", "all sources"]].flatMap(row));
  document.addEventListener("visibilitychange", apply);

  function row([label, does]) {
    return [make("dt", {}, ...label.split(" ").flatMap((key) => [make("kbd", {}, key), " "])), make("dd", {}, does)];
  }

  async function poll() {
    clearTimeout(timer);
    if (!wanted || alone !== null || document.hidden) return;
    try {
      for (const source of await call("GET", "/api/sources")) cards[source.number - 1].tell(source);
      if (wanted && alone === null) for (const card of cards) card.connect();
    } catch (error) {
      for (const card of cards) setText(card.banner, error.message);
    }
    clearTimeout(timer);
    timer = setTimeout(poll, POLL_MS);
  }

  function apply() {
    const onWall = wanted && alone === null;
    wall.hidden = alone !== null;
    get("live").classList.toggle("several", alone === null);
    live.show(wanted && alone !== null);
    if (onWall && !document.hidden) poll();
    else for (const card of cards) card.disconnect();
  }

  function open(number) {
    if (number > count) return;
    if (alone !== null) live.show(false);
    alone = number;
    live.watch(number, cards[number - 1].source);
    apply();
    get("back").focus();
  }

  function back() {
    if (alone === null) return;
    const { button } = cards[alone - 1];
    alone = null;
    apply();
    button.focus();
  }

  // Before the keys of one source, where some digits are switches.
  addEventListener(
    "keydown",
    (event) => {
      const editing = get("edit-zones").getAttribute("aria-pressed") === "true"; // there, Escape ends that first
      const busy = editing || event.target.closest?.("input, select, textarea") || openDialog() || document.fullscreenElement;
      if (!wanted || busy || event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^[1-9]$/.test(event.key)) open(Number(event.key));
      else if (["0", "g", "G", "Escape"].includes(event.key)) back();
      else return;
      event.stopImmediatePropagation();
      event.preventDefault();
    },
    true,
  );

  return {
    show(visible) {
      wanted = visible;
      apply();
    },
  };
}

/** How old a frame is, to what can be read while it changes. */
function ageOf(ms) {
  if (ms < 1000) return `${10 * Math.round(ms / 10)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
