// Built by esbuild from app/web/device/source (npm run build): edit the TypeScript there.

// protocol.ts
var KINDS = ["separable", "standard"];

// card.ts
async function makeCard(figures2, settings2, opened2, longest) {
  const median = (kind2) => {
    const ms = figures2.analysisMs(kind2);
    return Number.isNaN(ms) ? null : rounded(ms);
  };
  const { ratio } = figures2;
  return {
    made: (/* @__PURE__ */ new Date()).toISOString(),
    sepcam: settings2.version,
    network: settings2.network,
    device: await device(),
    cores: navigator.hardwareConcurrency,
    memory_gb: navigator.deviceMemory ?? null,
    browser: browser(),
    ...opened2,
    input_size: longest,
    ms: { separable: median("separable"), standard: median("standard") },
    frames: { separable: figures2.frames("separable"), standard: figures2.frames("standard") },
    times_slower: ratio && { median: rounded(ratio.median), low: rounded(ratio.low), high: rounded(ratio.high) },
    pairs: figures2.pairs
  };
}
function rounded(value) {
  return Math.round(value * 100) / 100;
}
async function device() {
  const data = navigator.userAgentData;
  if (data !== void 0) {
    const { model } = await data.getHighEntropyValues(["model"]).catch(() => ({ model: "" }));
    return [model, data.platform].filter(Boolean).join(", ") || "unknown";
  }
  return /\(([^)]+)\)/.exec(navigator.userAgent)?.[1] ?? "unknown";
}
function browser() {
  const data = navigator.userAgentData;
  const brands = data?.brands.filter(({ brand }) => !/not.*brand/i.test(brand)) ?? [];
  const best = brands.find(({ brand }) => brand !== "Chromium") ?? brands[0];
  if (best !== void 0) return `${best.brand} ${best.version}`;
  const found = /(Firefox|Edg|Chrome|Version)\/(\d+)/.exec(navigator.userAgent);
  if (found === null) return "unknown";
  return `${found[1] === "Version" ? "Safari" : found[1]} ${found[2]}`;
}
var LOOK = { ground: "#0d1216", ink: "#e8eef2", soft: "#9fb0bc", separable: "#4dd0dc", standard: "#ff9d5f" };
async function drawCard(card) {
  const canvas2 = Object.assign(document.createElement("canvas"), { width: 1200, height: 630 });
  const context2 = canvas2.getContext("2d");
  const write = (text, x, y, size2, color, weight = 400) => {
    context2.font = `${weight} ${size2}px system-ui, "DejaVu Sans", sans-serif`;
    context2.fillStyle = color;
    context2.fillText(text, x, y, 1200 - x - 60);
  };
  context2.fillStyle = LOOK.ground;
  context2.fillRect(0, 0, 1200, 630);
  write("Sepcam on this device", 60, 90, 40, LOOK.ink, 650);
  const [headline, interval] = headlines(card);
  write(headline, 60, 170, 52, LOOK.ink, 700);
  write(interval, 60, 214, 28, LOOK.soft);
  const most = Math.max(...KINDS.map((kind2) => card.ms[kind2] ?? 0), 1e-9);
  KINDS.forEach((kind2, i) => {
    const ms = card.ms[kind2];
    const y = 280 + 90 * i;
    write(kind2, 60, y, 30, LOOK[kind2], 600);
    context2.fillStyle = LOOK[kind2];
    context2.fillRect(240, y - 26, 600 * (ms ?? 0) / most, 34);
    write(ms === null ? "not run" : `${figure(ms)} ms, ${figure(1e3 / ms)} FPS`, 860, y, 30, LOOK.ink);
  });
  const { device: device2, cores, browser: name, backend: backend2, threads, gpu } = card;
  write(`${device2} · ${cores} cores · ${name}`, 60, 480, 28, LOOK.ink);
  write(backend2 === "webgpu" ? `WebGPU, ${gpu}` : `WebAssembly, ${threads} thread${threads > 1 ? "s" : ""}`, 60, 522, 28, LOOK.ink);
  write(`network ${card.network}, input ${card.input_size} pixels · Sepcam ${card.sepcam} · ${card.made.slice(0, 10)}`, 60, 576, 22, LOOK.soft);
  return new Promise((done, fail2) => {
    canvas2.toBlob((blob) => blob === null ? fail2(new Error("no PNG")) : done(blob), "image/png");
  });
}
function headlines({ times_slower: ratio, pairs }) {
  if (ratio === null) return ["Separable convolutions, in a browser", ""];
  return [
    `Standard takes ${figure(ratio.median)} times as long`,
    `95 % interval ${figure(ratio.low)} to ${figure(ratio.high)}, over ${pairs} frames`
  ];
}
function figure(value) {
  return Number.isFinite(value) ? value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2) : "–";
}

// figures.ts
import { estimate, LEAST_PAIRS, Recent } from "./core.js";
var WINDOW_MS = 2e3;
var MOST = 200;
var Figures = class {
  shownAt = [];
  ms = { separable: new Recent(MOST), standard: new Recent(MOST) };
  stages = /* @__PURE__ */ new Map();
  ratios = new Recent(MOST);
  latency = new Recent(MOST);
  /** The work per frame has changed: earlier figures compare with nothing. */
  restart() {
    for (const kind2 of KINDS) this.ms[kind2].clear();
    this.ratios.clear();
    this.pause();
  }
  /** The frames are of another source or form. */
  pause() {
    this.shownAt = [];
    this.stages.clear();
    this.latency.clear();
  }
  add({ ms, stages }, latencyMs) {
    const now = performance.now();
    this.shownAt = [...this.shownAt.filter((at) => at > now - WINDOW_MS), now];
    this.latency.add(latencyMs);
    for (const kind2 of KINDS) if (ms[kind2] !== void 0) this.ms[kind2].add(ms[kind2]);
    if (ms.separable !== void 0 && ms.standard !== void 0) this.ratios.add(ms.standard / ms.separable);
    for (const [stage, took] of Object.entries(stages)) {
      if (!this.stages.has(stage)) this.stages.set(stage, new Recent(MOST));
      this.stages.get(stage).add(took);
    }
  }
  /** Frames shown per second; NaN before the second one. */
  get fps() {
    const span = this.shownAt[this.shownAt.length - 1] - this.shownAt[0];
    return this.shownAt.length > 1 ? (this.shownAt.length - 1) * 1e3 / span : NaN;
  }
  /** Milliseconds from a frame to its display. */
  get p50() {
    return this.latency.median;
  }
  get p95() {
    return this.latency.p95;
  }
  /** Median milliseconds by stage. */
  get stageMs() {
    return [...this.stages].map(([stage, recent]) => [stage, recent.median]);
  }
  /** Median milliseconds of the analysis in one form; NaN where it has not run. */
  analysisMs(kind2) {
    return this.ms[kind2].median;
  }
  frames(kind2) {
    return this.ms[kind2].values.length;
  }
  /** How many times as long the standard form takes on the same frames, or null before there are enough. */
  get ratio() {
    return this.ratios.values.length < LEAST_PAIRS ? null : estimate(this.ratios.values);
  }
  get pairs() {
    return this.ratios.values.length;
  }
};

// install.ts
var RELOADED = "sepcam-reloaded";
var PATIENCE_MS = 6e4;
async function installed() {
  if (!("serviceWorker" in navigator)) return;
  try {
    const patience = new Promise((done) => setTimeout(done, PATIENCE_MS));
    await Promise.race([takenOver(), patience]);
  } catch {
    return;
  }
  if (navigator.serviceWorker.controller === null) return;
  if (!self.crossOriginIsolated && sessionStorage.getItem(RELOADED) === null) {
    sessionStorage.setItem(RELOADED, "1");
    location.reload();
    await new Promise(() => {
    });
  }
}
async function takenOver() {
  const control = new Promise((done) => {
    navigator.serviceWorker.addEventListener("controllerchange", () => done(), { once: true });
  });
  const registration = await navigator.serviceWorker.register("sw.js");
  if (navigator.serviceWorker.controller !== null) return;
  const worker2 = registration.installing ?? registration.waiting;
  const failed = new Promise((_, fail2) => {
    worker2?.addEventListener("statechange", () => worker2.state === "redundant" && fail2(new Error("not installed")));
  });
  await Promise.race([control, failed]);
}
function keepAwake(active) {
  let lock = null;
  const update = async () => {
    const wanted = active() && !document.hidden;
    if (wanted && (lock === null || lock.released)) {
      lock = await navigator.wakeLock?.request("screen").catch(() => null) ?? null;
    } else if (!wanted && lock !== null) {
      await lock.release();
      lock = null;
    }
  };
  document.addEventListener("visibilitychange", () => void update());
  return () => void update();
}

// overlay.ts
var INK = "#12161c";
var scratch = document.createElement("canvas");
function colorOf(id, settings2) {
  return settings2.colors[id % settings2.colors.length];
}
function drawPeople(context2, people, settings2, layers2) {
  const { width, height } = context2.canvas;
  const line = Math.max(1.5, Math.min(width, height) / 300);
  const ordered = [...people].sort((a, b) => a.box[3] - b.box[3]);
  context2.lineJoin = context2.lineCap = "round";
  if (layers2.masks) {
    for (const { mask, id } of ordered) if (mask !== null) drawMask(context2, mask, colorOf(id, settings2), settings2);
  }
  for (const person of ordered) {
    drawBox(context2, person, colorOf(person.id, settings2), line);
    if (layers2.pose && person.keypoints !== null) drawSkeleton(context2, person, settings2, line);
  }
  for (const person of ordered) drawLabel(context2, person, colorOf(person.id, settings2), layers2);
}
function drawBox(context2, { box: [x1, y1, x2, y2], keypoints }, color, line) {
  context2.strokeStyle = color;
  context2.lineWidth = line;
  context2.setLineDash(keypoints === null ? [4 * line, 3 * line] : []);
  context2.strokeRect(x1, y1, x2 - x1, y2 - y1);
  context2.setLineDash([]);
}
function drawMask(context2, mask, color, settings2) {
  if (mask.width === 0 || mask.height === 0) return;
  const image = new ImageData(mask.width, mask.height);
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
  const alpha = Math.round(255 * settings2.mask_opacity);
  for (let i = 0; i < mask.pixels.length; i++) {
    if (mask.pixels[i] === 0) continue;
    image.data[4 * i] = red;
    image.data[4 * i + 1] = green;
    image.data[4 * i + 2] = blue;
    image.data[4 * i + 3] = alpha;
  }
  scratch.width = mask.width;
  scratch.height = mask.height;
  scratch.getContext("2d").putImageData(image, 0, 0);
  context2.drawImage(scratch, mask.x, mask.y);
}
function drawSkeleton(context2, { keypoints, box }, settings2, line) {
  const points = keypoints;
  const { width, height } = context2.canvas;
  const thickness = Math.min(2 * line, Math.max(1, Math.max(box[2] - box[0], box[3] - box[1]) / 130));
  const at = (i) => [points[3 * i], points[3 * i + 1]];
  const seen = (i) => {
    const [x, y] = at(i);
    return points[3 * i + 2] >= settings2.min_joint_score && x >= 0 && y >= 0 && x < width && y < height;
  };
  const length = (a, b) => Math.hypot(at(a)[0] - at(b)[0], at(a)[1] - at(b)[1]);
  const bones = settings2.bones.filter(([a, b]) => seen(a) && seen(b) && length(a, b) > 1.5 * thickness);
  const stroke = (list, color, lineWidth) => {
    context2.strokeStyle = color;
    context2.lineWidth = lineWidth;
    context2.beginPath();
    for (const [a, b] of list) {
      context2.moveTo(...at(a));
      context2.lineTo(...at(b));
    }
    context2.stroke();
  };
  stroke(bones, INK, thickness + 2);
  for (const color of new Set(bones.map((bone) => bone[2]))) {
    stroke(
      bones.filter((bone) => bone[2] === color),
      color,
      thickness
    );
  }
  context2.fillStyle = "#ffffff";
  for (const i of new Set(bones.filter(([a, b]) => length(a, b) > 4 * thickness).flatMap(([a, b]) => [a, b]))) {
    context2.beginPath();
    context2.arc(...at(i), thickness * 0.9, 0, 2 * Math.PI);
    context2.fill();
  }
}
function drawLabel(context2, { id, score, box }, color, { tracking }) {
  const { width: most, height: bottom } = context2.canvas;
  const size2 = Math.max(11, Math.round(Math.min(most, bottom) * 0.03));
  const text = `${tracking ? `#${id} ` : "person "}${score.toFixed(2)}`;
  context2.font = `600 ${size2}px system-ui, "DejaVu Sans", sans-serif`;
  context2.textBaseline = "middle";
  const width = context2.measureText(text).width + size2 * 0.7;
  const height = size2 * 1.4;
  const x = Math.max(0, Math.min(box[0], most - width));
  const y = Math.max(0, Math.min(box[1] >= height ? box[1] - height : box[1], bottom - height));
  context2.fillStyle = color;
  context2.fillRect(x, y, width, height);
  context2.fillStyle = INK;
  context2.fillText(text, x + size2 * 0.35, y + height / 2);
}

// source.ts
var LONGEST = 1280;
var CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
var Source = class _Source {
  constructor(video, name, release) {
    this.video = video;
    this.name = name;
    this.release = release;
  }
  video;
  name;
  release;
  last = -1;
  /** Raises an Error whose message says what to do. */
  static async camera(facing2, ended) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("Browsers allow the camera only on https:// pages and on localhost.");
    }
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...CAMERA, facingMode: facing2 }, audio: false }).catch((error) => {
      throw new Error(explain(error));
    });
    const [track] = stream.getVideoTracks();
    track.onended = ended;
    const video = element();
    video.srcObject = stream;
    const source2 = new _Source(video, track.label || "camera", () => track.stop());
    await video.play();
    return source2;
  }
  static async file(file, name) {
    const url = URL.createObjectURL(file);
    const video = element();
    video.loop = true;
    video.src = url;
    const source2 = new _Source(video, name, () => URL.revokeObjectURL(url));
    try {
      await video.play();
    } catch {
      source2.stop();
      throw new Error(`${name} is not a video that this browser plays.`);
    }
    return source2;
  }
  /** The newest frame, or null where it was taken already. */
  async take() {
    const { videoWidth: width, videoHeight: height, currentTime } = this.video;
    if (width === 0 || this.video.readyState < 2 || currentTime === this.last) return null;
    this.last = currentTime;
    const live = this.video.srcObject !== null;
    const timeS = live ? performance.now() / 1e3 : currentTime;
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const size2 = { resizeWidth: Math.round(width * scale), resizeHeight: Math.round(height * scale) };
    const options = scale < 1 ? { ...size2, resizeQuality: "medium" } : {};
    return { bitmap: await createImageBitmap(this.video, options), timeS };
  }
  stop() {
    this.video.pause();
    this.release();
    this.video.srcObject = null;
    this.video.removeAttribute("src");
  }
};
function element() {
  return Object.assign(document.createElement("video"), { muted: true, playsInline: true });
}
function explain(error) {
  const { name, message } = error;
  if (name === "NotAllowedError") return "Camera access was denied: allow it in the browser's address bar, then try again.";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "No camera was found on this device.";
  if (name === "NotReadableError") return "The camera is in use by another program.";
  return `The camera cannot be used: ${message}`;
}

// main.ts
var SHOW_MS = 250;
function get(id) {
  return document.getElementById(id);
}
var canvas = get("canvas");
var context = canvas.getContext("2d");
var size = get("size");
var backend = get("backend");
var figures = new Figures();
var layers = { tracking: true, pose: true, masks: true };
var settings;
var worker;
var opened = null;
var source = null;
var starting = false;
var facing = "user";
var kind = "separable";
var duel = false;
var ready = /* @__PURE__ */ new Set();
var busy = false;
var takenAt = 0;
var shownAt = 0;
var frames = 0;
var awake = keepAwake(() => source !== null);
function tell(message, transfer = []) {
  worker.postMessage(message, transfer);
}
function setText(id, text) {
  const element2 = get(id);
  if (element2.textContent !== text) element2.textContent = text;
}
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
function open() {
  worker?.terminate();
  ready.clear();
  busy = false;
  opened = null;
  figures.restart();
  worker = new Worker("worker.js", { type: "module" });
  worker.onmessage = ({ data }) => receive(data);
  worker.onerror = (event) => problem(`The analysis cannot start: ${event.message || "the worker did not load"}`);
  tell({ type: "open", backend: backend.value, settings });
  prepare("separable");
  if (kind === "standard" || duel) prepare("standard");
}
function prepare(wanted) {
  if (ready.has(wanted)) return;
  if (wanted === "standard") setText("status", "preparing the standard form: it is computed from the same weights ...");
  tell({ type: "prepare", kind: wanted });
}
function receive(message) {
  if (message.type === "loading") {
    setText("status", `loading ${message.what}: ${megabytes(message.done)} of ${megabytes(message.total)}`);
  } else if (message.type === "opened") {
    opened = { backend: message.backend, threads: message.threads, gpu: message.gpu };
    setText("runs-on", describe());
  } else if (message.type === "prepared") {
    ready.add(message.kind);
    showSwitches();
    setText("status", `${message.kind} form ready in ${figure(message.seconds)} s`);
  } else if (message.type === "failed") {
    fail(message);
  } else {
    show(message);
  }
}
function describe() {
  if (opened === null) return "";
  if (opened.backend === "webgpu") return `WebGPU on ${opened.gpu}`;
  return `WebAssembly with SIMD, ${opened.threads} thread${opened.threads > 1 ? "s" : ""}`;
}
function fail({ during, kind: of, message }) {
  busy = false;
  if (of === "standard") {
    problem(`The standard form does not run here (${message}): continuing with the separable form.`);
    choose("separable", false);
    return;
  }
  stop();
  problem(during === "frame" ? `The analysis failed: ${message}` : `The network cannot be loaded: ${message}`);
}
function problem(text) {
  setText("problem", text);
  setText("status", text);
}
function show(result) {
  busy = false;
  const { bitmap, people } = result;
  if (source === null) {
    bitmap.close();
    return;
  }
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  drawPeople(context, people, settings, layers);
  frames += 1;
  Object.assign(canvas.dataset, { people: people.length, frames, kind: result.kind });
  get("invite").hidden = true;
  if (result.kind === kind && result.longest === Number(size.value)) figures.add(result, performance.now() - takenAt);
  if (performance.now() > shownAt + SHOW_MS) showFigures(people.length);
}
function showFigures(people) {
  shownAt = performance.now();
  setText("fps", figure(figures.fps));
  setText("p50", figure(figures.p50));
  setText("p95", figure(figures.p95));
  setText("count", String(people));
  get("stages").replaceChildren(
    ...figures.stageMs.flatMap(([stage, ms]) => {
      const [name, value] = [document.createElement("dt"), document.createElement("dd")];
      name.textContent = stage;
      value.textContent = `${figure(ms)} ms`;
      return [name, value];
    })
  );
  const rates = KINDS.map((one) => 1e3 / figures.analysisMs(one));
  const most = Math.max(...rates.filter(Number.isFinite), 1e-9);
  KINDS.forEach((one, i) => {
    const row = document.querySelector(`.race[data-kind=${one}]`);
    row.querySelector("u").style.width = Number.isFinite(rates[i]) ? `${Math.max(1, 100 * rates[i] / most)}%` : "0";
    row.querySelector("b").textContent = `${figure(figures.analysisMs(one))} ms`;
    row.classList.toggle("active", one === kind || duel);
  });
  setText("ratio", ratioText());
}
function ratioText() {
  const { ratio } = figures;
  if (ratio !== null) {
    const interval = `95 % interval ${figure(ratio.low)} to ${figure(ratio.high)}, ${figures.pairs} frames`;
    return `standard takes ${figure(ratio.median)} times as long (${interval})`;
  }
  const plain = figures.analysisMs("standard") / figures.analysisMs("separable");
  if (duel) return "measuring both on the same frames ...";
  if (Number.isNaN(plain)) return "Switch the form, or let both run on the same frames.";
  return `standard takes ${figure(plain)} times as long; the duel compares them frame by frame`;
}
function loop() {
  requestAnimationFrame(loop);
  if (source === null || busy || !ready.has("separable")) return;
  busy = true;
  const from = source;
  from.take().then(
    (frame) => {
      if (frame === null || source !== from) {
        frame?.bitmap.close();
        busy = false;
        return;
      }
      takenAt = performance.now();
      const wanted = { kind, duel, longest: Number(size.value), masks: layers.masks, tracking: layers.tracking };
      tell({ type: "frame", ...frame, wanted }, [frame.bitmap]);
    },
    () => busy = false
  );
}
async function start(make) {
  if (starting) return;
  stop();
  starting = true;
  setText("problem", "");
  try {
    source = await make();
    tell({ type: "reset" });
    figures.pause();
    setText("status", ready.has("separable") ? source.name : `${source.name}: loading the network ...`);
  } catch (error) {
    problem(error.message);
  } finally {
    starting = false;
    showSwitches();
    awake();
  }
}
function stop() {
  source?.stop();
  source = null;
  get("invite").hidden = false;
  setText("status", "");
  showSwitches();
  awake();
}
function choose(wanted, both) {
  kind = wanted;
  duel = both;
  figures.pause();
  prepare(wanted);
  if (both) prepare("standard");
  showSwitches();
}
function showSwitches() {
  for (const button of document.querySelectorAll("[data-kind-button]")) {
    const one = button.dataset.kindButton;
    press(button, one === kind && !duel);
    button.classList.toggle("waiting", (one === kind || duel) && !ready.has(one));
  }
  press(get("duel"), duel);
  for (const button of document.querySelectorAll("[data-layer]")) {
    press(button, layers[button.dataset.layer]);
  }
  get("stop").disabled = source === null;
  get("flip").disabled = source === null;
  get("card").disabled = opened === null;
}
function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}
function showSizes() {
  const { macs, params, bytes } = settings;
  const shared = Object.entries(bytes).filter(([name]) => !name.includes("standard"));
  const download = shared.reduce((sum, [, count]) => sum + count, 0);
  const standard = Object.entries(bytes).filter(([name]) => name.includes("standard"));
  const extra = standard.reduce((sum, [, count]) => sum + count, 0);
  setText("separable-size", `${params.separable} M float16 weights, ${macs.separable.toLocaleString("en")} M multiply-adds; ${megabytes(download)} to download`);
  setText(
    "standard-size",
    `${params.standard} M weights, ${macs.standard.toLocaleString("en")} M multiply-adds; made on this device of the same weights, ${megabytes(extra)} more to download`
  );
}
async function offerCard() {
  if (opened === null) return;
  const card = await makeCard(figures, settings, opened, Number(size.value));
  const png = await drawCard(card);
  const json = new Blob([`${JSON.stringify(card, null, 2)}
`], { type: "application/json" });
  const image = get("card-image");
  URL.revokeObjectURL(image.src);
  image.src = link("card-png", png, "sepcam-card.png");
  link("card-json", json, "sepcam-card.json");
  get("card-dialog").showModal();
}
function link(id, blob, name) {
  const anchor = get(id);
  URL.revokeObjectURL(anchor.href);
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  return anchor.href;
}
function listen() {
  const camera = () => start(() => Source.camera(facing, () => stop()));
  get("start-camera").addEventListener("click", () => void camera());
  get("start-sample").addEventListener("click", () => {
    void start(async () => Source.file(await (await fetch("sample.mp4")).blob(), "sample clip"));
  });
  const file = get("file");
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (chosen !== void 0) void start(() => Source.file(chosen, chosen.name));
    file.value = "";
  });
  get("stop").addEventListener("click", stop);
  get("flip").addEventListener("click", () => {
    facing = facing === "user" ? "environment" : "user";
    void camera();
  });
  get("full").addEventListener("click", () => void get("screen").requestFullscreen?.());
  get("duel").addEventListener("click", () => choose("separable", !duel));
  for (const button of document.querySelectorAll("[data-kind-button]")) {
    button.addEventListener("click", () => choose(button.dataset.kindButton, false));
  }
  for (const button of document.querySelectorAll("[data-layer]")) {
    button.addEventListener("click", () => {
      const layer = button.dataset.layer;
      layers[layer] = !layers[layer];
      if (layer === "masks") figures.restart();
      showSwitches();
    });
  }
  size.addEventListener("change", () => figures.restart());
  backend.addEventListener("change", open);
  get("card").addEventListener("click", () => void offerCard().catch((error) => problem(error.message)));
  get("card-close").addEventListener("click", () => get("card-dialog").close());
}
async function begin() {
  setText("status", "getting ready ...");
  await installed();
  const answer = await fetch("network/settings.json");
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.detail ?? `the server answers ${answer.status}`);
  settings = content;
  size.replaceChildren(...settings.sizes.map((one) => new Option(`${one} pixels`, String(one))));
  size.value = String(settings.default_size);
  showSizes();
  listen();
  showSwitches();
  open();
  requestAnimationFrame(loop);
}
begin().catch((error) => problem(`This page cannot start: ${error.message}`));
