// The recorded events: a day's timeline, thumbnails, and a player.

import { call, get, make, setText, toast } from "./dom.js";

const REFRESH_MS = 4000;
const DAY_S = 86400;
const FILTERS = ["day", "rule", "zone", "source"];
const SVG = "http://www.w3.org/2000/svg";

export function startEvents() {
  const player = get("player");
  let timer = null;
  let answer = null;
  let shown = "";
  let open = null;
  let source = "";

  // Times are those of the server's clock, as the events have them.
  const clock = (event) => event.time.slice(11, 19);
  const secondOf = (event) => clock(event).split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  const fileOf = (event, part) => `/api/events/${encodeURIComponent(event.id)}/${part}`;

  async function refresh() {
    const query = new URLSearchParams();
    for (const key of FILTERS) {
      const { value } = get(`events-${key}`);
      if (value) query.set(key, value);
    }
    if (source) query.set("source", source);
    try {
      answer = await call("GET", `/api/events?${query}`);
    } catch {
      return; // the banner of the video says that the server is away
    }
    const text = JSON.stringify(answer);
    if (text === shown) return;
    shown = text;
    showAnswer();
  }

  function showAnswer() {
    const { events, total, days, rules, zones, sources, watched, recording } = answer;
    fill(get("events-day"), "every day", days.map(({ day, events: count }) => [day, `${day} (${count})`]));
    fill(get("events-rule"), "every rule", rules.map((rule) => [rule, rule]));
    fill(get("events-zone"), "everywhere", zones.map((zone) => [zone, zone]));
    fill(get("events-source"), "every source", sources.map((source) => [source, source]));
    get("events-source").parentElement.hidden = source !== "" || sources.length < 2; // one source alone has only its own
    setText(get("recorded-count"), recording.length ? `recording: ${recording.join(", ")}` : `${total}`);
    const none = watched.length ? "Nothing yet: an event is recorded when a rule holds." : "Start the server with --rule \"person in Yard for 3 s\" to record events.";
    setText(get("no-clips"), events.length ? "" : none);
    const day = get("events-day").value || days[0]?.day || "";
    showTimeline(events.filter((event) => event.time.startsWith(day)), day);
    get("clips").replaceChildren(...events.map(item));
  }

  function fill(list, all, options) {
    const { value } = list;
    list.replaceChildren(make("option", { value: "" }, all), ...options.map(([key, text]) => make("option", { value: key }, text)));
    list.value = options.some(([key]) => key === value) ? value : "";
  }

  function item(event) {
    const image = make("img", { src: fileOf(event, "thumbnail.jpg"), alt: "", loading: "lazy", width: 160, height: 90 });
    const words = [make("b", {}, `${event.time.slice(5, 10)} ${clock(event)}`), make("span", {}, event.rule)];
    return make("li", {}, make("button", { "data-event": event.id, onclick: () => play(event) }, image, ...words));
  }

  function showTimeline(events, day) {
    const line = get("timeline");
    line.setAttribute("aria-label", day ? `${events.length} events on ${day}, by the time of day` : "No events");
    const part = (tag, attributes, text = "") => {
      const element = document.createElementNS(SVG, tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      element.textContent = text;
      return element;
    };
    const width = line.clientWidth || 600;
    line.setAttribute("viewBox", `0 0 ${width} 48`);
    const x = (seconds) => 8 + ((width - 16) * seconds) / DAY_S;
    const hours = [0, 6, 12, 18, 24].flatMap((hour) => [
      part("line", { x1: x(hour * 3600), x2: x(hour * 3600), y1: 0, y2: 30, class: "hour" }),
      part("text", { x: x(hour * 3600), y: 44, "text-anchor": { 0: "start", 24: "end" }[hour] ?? "middle" }, `${hour}:00`),
    ]);
    const date = part("text", { x: 12, y: 14 }, day);
    const marks = events.map((event) => {
      const start = secondOf(event) - event.before_s;
      const mark = part("rect", { x: x(start), y: 4, width: Math.max(4, x(start + event.seconds) - x(start)), height: 22, rx: 2 });
      mark.append(part("title", {}, `${clock(event)} ${event.rule}`));
      mark.addEventListener("click", () => play(event));
      return mark;
    });
    line.replaceChildren(...hours, date, ...marks);
  }

  function play(event) {
    open = event;
    setText(get("player-title"), event.rule);
    const details = [event.source, event.zone, `${event.time.slice(0, 10)} ${clock(event)}`, `${event.seconds.toFixed(0)} s`];
    setText(get("player-facts"), details.filter(Boolean).join(" · "));
    get("player-video").src = fileOf(event, "clip.mp4");
    const link = get("player-save");
    link.href = fileOf(event, "clip.mp4");
    link.download = `${event.id}.mp4`;
    player.showModal();
    get("player-video").play().catch(() => {}); // the visitor may have to press play
  }

  async function remove() {
    if (!confirm("Delete this event and its clip for good?")) return;
    try {
      await call("DELETE", `/api/events/${encodeURIComponent(open.id)}`);
    } catch (error) {
      toast(error.message);
    }
    player.close();
    refresh();
  }

  new ResizeObserver(() => answer && showAnswer()).observe(get("timeline"));
  player.addEventListener("close", () => get("player-video").removeAttribute("src"));
  get("player-delete").addEventListener("click", remove);
  for (const key of FILTERS) get(`events-${key}`).addEventListener("change", refresh);

  return {
    /** Those of one source alone, by its name. */
    of(name) {
      source = name;
    },
    show(visible) {
      clearInterval(timer);
      timer = null;
      if (!visible) return;
      refresh();
      timer = setInterval(() => document.hidden || refresh(), REFRESH_MS);
    },
  };
}
