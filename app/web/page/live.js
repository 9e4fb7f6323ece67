// The live tab: frames come over a WebSocket, each one acknowledged once it is drawn; switches go over HTTP.

import { Chart } from "./chart.js";
import { all, call, figure, get, make, openDialog, setPressed, setText, socketTo, toast } from "./dom.js";
import { showDuel } from "./duel.js";
import { startEvents } from "./events.js";
import { showRace } from "./race.js";
import { startZones } from "./zones.js";

const WAITS_MS = [500, 1000, 2000, 4000];
const CONF_STEP = 0.05;
const ASK_AFTER = 3; // tries to connect
const HIDDEN = ["nothing", "faces", "people", "everything"]; // each hides what the one before it does
const NEXT_HUD = { off: "fps", fps: "full", full: "off" };

/** several: whether the page shows more than one source; then switches are for all of them. */
export function startLive(several) {
  let base = "/api";
  const canvas = get("live-canvas");
  const context = canvas.getContext("2d");
  const fpsChart = new Chart(get("fps-chart"), [
    { key: "camera", width: 1.2, dashed: true, soft: true },
    { key: "shown", width: 2 },
  ]);
  const latencyChart = new Chart(get("latency-chart"), [
    { key: "p95", width: 1.5, alpha: 0.4 },
    { key: "p50", width: 2 },
  ]);
  let socket = null;
  let wanted = false;
  let tries = 0;
  let told = null; // the status as the server has it
  let status = null; // the same with what has been changed here since
  let unsent = {}; // changes to be sent once the server has answered
  let sent = null;
  let fields = {}; // what the server last said of each
  let refused = "";
  const recorded = startEvents();
  const zones = startZones();

  // --- the video

  function connect() {
    if (socket || !wanted || document.hidden) return;
    const mine = (socket = socketTo(`${base}/live/frames`));
    mine.onmessage = ({ data }) => {
      if (socket !== mine) return;
      tries = 0;
      if (typeof data === "string") receive(JSON.parse(data));
      else draw(mine, data);
    };
    mine.onclose = () => {
      if (socket !== mine) return;
      socket = null;
      setText(get("banner"), refused || "connection lost: reconnecting ...");
      if (!wanted) return;
      setTimeout(connect, WAITS_MS[Math.min(tries++, WAITS_MS.length - 1)]);
      if (tries >= ASK_AFTER) ask();
    };
  }

  /** Asks why there is no connection: a browser does not tell why a socket was refused. */
  async function ask() {
    const reason = await call("GET", "/api/about").then(() => "", (error) => error.message);
    if (socket?.readyState === WebSocket.OPEN || !wanted) return;
    refused = reason;
    if (reason) setText(get("banner"), reason);
  }

  function disconnect() {
    const old = socket;
    socket = null;
    // Browsers warn about a socket that is closed before it is open.
    if (old?.readyState === WebSocket.CONNECTING) old.onopen = () => old.close();
    else old?.close();
  }

  async function draw(from, data) {
    const number = new DataView(data).getUint32(0);
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 4)], { type: "image/jpeg" }));
    if (socket !== from) return bitmap.close(); // of the source that was shown before
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    canvas.dataset.number = number;
    if (from.readyState === WebSocket.OPEN) from.send(JSON.stringify({ ack: number }));
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));

  // --- the status

  function receive(message) {
    if (message.type === "refused") refused = message.message;
    else if (message.type === "error") toast(message.message);
    else if (message.type === "status") {
      refused = "";
      tell(message);
    }
  }

  function tell(message) {
    told = message;
    status = { ...told, ...sent, ...unsent };
    showStatus();
  }

  function showStatus() {
    const active = status.active.backbone;
    const ended = status.error ? `source lost: ${status.error}` : "the video has ended";
    setText(get("banner"), status.ended ? ended : (status.notice ?? (status.frames ? "" : "starting ...")));
    get("rec").hidden = status.recording === null;
    setText(get("shown"), figure(status.shown_fps));
    setText(get("camera-fps"), figure(status.camera_fps));
    setText(get("latency"), figure(status.latency_ms_p50, 0));
    setText(get("dropped"), String(status.dropped));
    const hint = status.preparing.length ? `preparing ${status.preparing.join(", ")} ...` : `Switch to ${active === "separable" ? "standard" : "separable"} to compare.`;
    showRace(get("comparison"), get("ratio"), status.model_fps, active, status.comparison, hint);
    if (!status.paused && !status.ended) {
      fpsChart.add(active, { shown: status.shown_fps, camera: status.camera_fps });
      latencyChart.add(active, { p50: status.latency_ms_p50, p95: status.latency_ms_p95 });
    }
    showSwitches(active);
    showDuel("", status.duel, ["duel-image", "duel-figures"].map(get));
    showPeople();
    showEvents();
    const { name, width, height, fps } = status.source;
    // The screen keeps the source's shape, whatever the shape of what is shown: nothing below it moves.
    get("screen").style.setProperty("--aspect", `${width} / ${height}`);
    zones.fit(status.source);
    setText(get("source"), `${name}  ${width}×${height}${fps ? ` at ${figure(fps)} FPS` : ""}`);
    const details = [status.quality, status.preparing.length ? `preparing ${status.preparing.join(", ")} ...` : null, status.message];
    setText(get("doing"), details.filter(Boolean).join(" · "));
  }

  function showSwitches(active) {
    for (const button of all("[data-backbone]")) {
      const kind = button.dataset.backbone;
      setPressed(button, kind === status.backbone);
      button.classList.toggle("waiting", kind === status.backbone && kind !== active);
    }
    for (const button of all("[data-task]")) setPressed(button, status.tasks.includes(button.dataset.task));
    setPressed(get("pause"), status.paused);
    setText(get("pause"), status.paused ? "Resume" : "Pause");
    setPressed(get("record"), status.recording !== null);
    setText(get("record"), status.recording === null ? "Record" : "Stop recording");
    const list = get("detector");
    if (list.options.length !== status.detectors.length) {
      list.replaceChildren(...status.detectors.map((name) => make("option", { value: name }, name)));
      fields.detector = null;
    }
    // Less than --hide covers cannot be chosen.
    const least = HIDDEN.indexOf(status.hide);
    for (const option of get("blur").options) option.disabled = HIDDEN.indexOf(option.value) < least;
    const blur = HIDDEN[Math.max(least, HIDDEN.indexOf(status.blur))];
    for (const [id, value] of Object.entries({ detector: status.detector, blur, hud: status.hud, conf: status.conf })) {
      // Only where it is new: a visitor may be choosing just now.
      if (fields[id] !== value) get(id).value = fields[id] = value;
    }
    setText(get("conf-value"), Number(get("conf").value).toFixed(2));
  }

  function showPeople() {
    const people = status.people;
    const count = people.filter((one) => one.label === "person").length;
    setText(get("people-count"), `${count} ${count === 1 ? "person" : "people"}`);
    get("nobody").hidden = people.length > 0;
    setText(get("nobody"), status.tasks.includes("track") ? "Nobody in view." : "Turn tracking on to list people.");
    const list = get("people");
    const items = new Map([...list.children].map((item) => [Number(item.dataset.id), item]));
    for (const one of people) {
      const item = items.get(one.id) ?? person(one);
      items.delete(one.id);
      if (!item.parentElement) list.append(item);
      const [, , label, score, seconds] = item.firstChild.children;
      setText(label, one.label);
      setText(score, one.score.toFixed(2));
      setText(seconds, `${Math.round(one.seconds)} s`);
      setPressed(item.firstChild, status.follow === one.id);
    }
    for (const item of items.values()) item.remove();
  }

  function person(one) {
    const swatch = make("i");
    swatch.style.background = one.color;
    const follow = () => attempt("PUT", `${base}/live/follow`, { id: status.follow === one.id ? null : one.id });
    const parts = [swatch, make("b", {}, `#${one.id}`), make("span"), make("small"), make("small", { class: "num" })];
    return make("li", { "data-id": one.id }, make("button", { title: "Follow", onclick: follow }, ...parts));
  }

  function showEvents() {
    setText(get("counts"), status.counts.join("\n"));
    const list = get("events");
    const newest = status.events.at(-1)?.at ?? 0;
    if (Number(list.dataset.newest) === newest) return;
    list.dataset.newest = newest;
    list.replaceChildren(
      ...status.events.toReversed().map((event) =>
        make("li", {}, make("time", {}, new Date(event.at * 1000).toLocaleTimeString()), make("span", {}, describe(event))),
      ),
    );
  }

  function describe(event) {
    const who = `#${event.id}`;
    if (event.kind === "enter") return `${who} entered`;
    if (event.kind === "leave") return `${who} left after ${event.seconds.toFixed(0)} s`;
    if (event.kind === "line") return `${who} crossed ${event.name} (${event.direction})`;
    return `${who} ${event.direction === "in" ? "entered" : "left"} ${event.name}`;
  }

  // --- switches

  async function attempt(method, path, body) {
    try {
      return await call(method, path, body);
    } catch (error) {
      toast(error.message);
      return null;
    }
  }

  /** Shows changes at once and sends them; one request at a time, so that none overtakes another. */
  async function change(changes) {
    Object.assign(unsent, changes);
    if (told) tell(told);
    if (sent) return;
    let answer = null;
    while (Object.keys(unsent).length) {
      [sent, unsent] = [unsent, {}];
      answer = await attempt("PATCH", several ? "/api/sources" : `${base}/live`, sent);
    }
    const from = base;
    if (several || !answer) answer = await call("GET", `${base}/live`).catch(() => null);
    sent = null;
    if (from !== base) answer = null;
    if (answer ?? told) tell(answer ?? told);
    if (Object.keys(unsent).length) change({});
  }

  const toggleTask = (task) =>
    change({ tasks: status.tasks.includes(task) ? status.tasks.filter((one) => one !== task) : [...status.tasks, task] });
  const toggleBackbone = () => change({ backbone: status.backbone === "separable" ? "standard" : "separable" });
  const toggleDuel = () => attempt(status.duel.state === "off" ? "POST" : "DELETE", `${base}/live/duel`);
  const saveCard = () => (status.duel.state === "done" ? ["duel-image", "duel-figures"].forEach((id) => get(id).click()) : toast("there is no duel with a result"));
  const pause = () => change({ paused: !status.paused });
  const changeConf = (step) => change({ conf: Math.min(0.95, Math.max(0.05, +(status.conf + step).toFixed(2))) });

  function nextDetector() {
    const names = status.detectors;
    const following = names[(names.indexOf(status.detector) + 1) % names.length];
    toast(`detector: ${following}`);
    change({ detector: following });
  }

  async function record() {
    if (status.recording === null) {
      await attempt("POST", `${base}/live/recording`);
      return;
    }
    const done = await attempt("DELETE", `${base}/live/recording`);
    if (done) toast("recorded: ", make("a", { href: `/api/files/${done.id}`, download: "" }, done.name));
  }

  function snapshot() {
    make("a", { href: `${base}/live/snapshot`, download: "" }).click();
  }

  function full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else get("screen").requestFullscreen?.().catch((error) => toast(error.message));
  }

  const keys = [
    ["hH?", "h ?", "show or hide this list", () => (get("keys").open ? get("keys").close() : get("keys").showModal())],
    [" ", "space", "pause, resume", pause],
    ["bB", "b", "separable or standard backbone", toggleBackbone],
    ["vV", "v", "begin or end a duel of both backbones", toggleDuel],
    ["cC", "c", "save the card of the duel", saveCard],
    ["1tT", "1 t", "tracking", () => toggleTask("track")],
    ["2pP", "2 p", "pose", () => toggleTask("pose")],
    ["3mM", "3 m", "masks", () => toggleTask("segment")],
    ["dD", "d", "next detector", nextDetector],
    ["+=", "+", "raise the confidence threshold", () => changeConf(CONF_STEP)],
    ["-_", "-", "lower the confidence threshold", () => changeConf(-CONF_STEP)],
    ["rR", "r", "start or stop recording", record],
    ["sS", "s", "take a snapshot", snapshot],
    ["fF", "f", "full screen", full],
    ["iI", "i", "overlay figures: off, fps, full", () => change({ hud: NEXT_HUD[status.hud] })],
    ["zZ", "z", "draw lines and zones", () => get("edit-zones").click()],
    ["", "click", "follow a person; click elsewhere to stop", null],
  ];
  if (several) for (const key of keys) key[1] = key[1].replace(/^[1-3] /, "");
  get("key-list").append(...keys.flatMap(([, label, does]) => [make("dt", {}, ...label.split(" ").flatMap((key) => [make("kbd", {}, key), " "])), make("dd", {}, does)]));

  addEventListener("keydown", (event) => {
    // A button in a dialog that has just closed keeps the focus for a moment.
    const onButton = event.target.closest?.("button")?.checkVisibility();
    const busy = event.target.closest?.("input, select, textarea") || (event.key === " " && onButton);
    if (!wanted || !status || busy || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = keys.find(([characters]) => event.key.length === 1 && characters.includes(event.key));
    const dialog = openDialog();
    if (!key || (dialog && (dialog !== get("keys") || key !== keys[0]))) return;
    event.preventDefault();
    key[3]();
  });
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    // In full screen the image has bars beside it.
    const scale = Math.min(box.width / canvas.width, box.height / canvas.height);
    const x = (event.clientX - box.left - (box.width - canvas.width * scale) / 2) / (canvas.width * scale);
    const y = (event.clientY - box.top - (box.height - canvas.height * scale) / 2) / (canvas.height * scale);
    if (x >= 0 && x <= 1 && y >= 0 && y <= 1) attempt("POST", `${base}/live/click`, { x, y });
  });
  for (const button of all("[data-backbone]")) button.addEventListener("click", () => change({ backbone: button.dataset.backbone }));
  for (const button of all("[data-task]")) button.addEventListener("click", () => status && toggleTask(button.dataset.task));
  for (const [id, act] of [["pause", pause], ["record", record], ["duel", toggleDuel], ["snapshot", snapshot], ["full", full], ["help", keys[0][3]]]) {
    get(id).addEventListener("click", () => (status || id === "help") && act());
  }
  for (const id of ["detector", "blur", "hud"]) get(id).addEventListener("change", () => change({ [id]: get(id).value }));
  get("conf").addEventListener("input", () => setText(get("conf-value"), Number(get("conf").value).toFixed(2)));
  get("conf").addEventListener("change", () => change({ conf: Number(get("conf").value) }));

  return {
    /** Shows another source, by its number and name. */
    watch(number, name) {
      base = `/api/sources/${number}`;
      zones.of(base);
      recorded.of(name);
      for (const [id, name] of [["duel-image", "card.png"], ["duel-figures", "card.json"]]) get(id).href = `${base}/live/duel/${name}`;
      status = told = null;
      fields = {};
      refused = "";
      tries = 0;
      fpsChart.clear();
      latencyChart.clear();
      context.clearRect(0, 0, canvas.width, canvas.height);
      for (const id of ["people", "events"]) get(id).replaceChildren();
      get("events").dataset.newest = "";
      setText(get("banner"), "connecting ...");
    },
    show(visible) {
      wanted = visible;
      recorded.show(visible);
      if (visible) connect();
      else disconnect();
    },
  };
}
