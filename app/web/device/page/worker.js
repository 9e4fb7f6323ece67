// Built by esbuild from app/web/device/source (npm run build): edit the TypeScript there.

// worker.ts
import { Tracker } from "./core.js";

// protocol.ts
var KINDS = ["separable", "standard"];

// runtime.ts
import { joinPlanes, PeopleNetwork, unpack } from "./core.js";
var WEIGHTS = "weights";
var MOST_THREADS = 8;
var FILES = {
  wasm: { code: "ort.wasm.min.js", glue: "ort-wasm-simd-threaded.js", binary: "wasm.bin" },
  webgpu: { code: "ort.webgpu.min.js", glue: "ort-wasm-simd-threaded.jsep.js", binary: "webgpu.bin" }
};
async function load(name, progress2) {
  const answer = await fetch(new URL(name, self.location.href));
  if (!answer.ok || answer.body === null) throw new Error(`${name}: ${await reason(answer)}`);
  const total = Number(answer.headers.get("Content-Length") ?? 0);
  const parts = [];
  let done = 0;
  const reader = answer.body.getReader();
  for (; ; ) {
    const { value, done: ended } = await reader.read();
    if (ended) break;
    parts.push(value);
    done += value.length;
    progress2(name, done, Math.max(total, done));
  }
  const whole = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
async function reason(answer) {
  const text = await answer.text().catch(() => "");
  try {
    return String(JSON.parse(text).detail);
  } catch {
    return `the server answers ${answer.status}`;
  }
}
async function findGpu(imitation) {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter || adapter.info.isFallbackAdapter && !imitation) return null;
  const { vendor, architecture, description } = adapter.info;
  return description || [vendor, architecture].filter(Boolean).join(" ") || "unknown";
}
var Runtime = class _Runtime {
  constructor(ort, backend, threads, weights, progress2) {
    this.ort = ort;
    this.backend = backend;
    this.threads = threads;
    this.weights = weights;
    this.progress = progress2;
  }
  ort;
  backend;
  threads;
  weights;
  progress;
  forms = /* @__PURE__ */ new Map();
  static async open(backend, progress2) {
    const { code, glue, binary } = FILES[backend];
    const folder = new URL("runtime/", self.location.href);
    const [ort, wasm, weights] = await Promise.all([
      import(new URL(code, folder).href),
      load(`runtime/${binary}`, progress2).then(unpack),
      load("network/weights.bin", progress2).then(unpack)
    ]);
    const threads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
    ort.env.logLevel = "error";
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.proxy = false;
    ort.env.wasm.wasmPaths = { mjs: new URL(glue, folder).href };
    ort.env.wasm.wasmBinary = wasm;
    return new _Runtime(ort, backend, threads, joinPlanes(weights), progress2);
  }
  /** The network in one form, which is loaded when it is first asked for. */
  form(kind) {
    let form = this.forms.get(kind);
    if (form === void 0) {
      form = this.make(kind);
      form.catch(() => this.forms.delete(kind));
      this.forms.set(kind, form);
    }
    return form;
  }
  async make(kind) {
    const [look, mask] = await Promise.all([
      load(`network/people-${kind}.onnx`, this.progress).then(unpack),
      load(`network/mask-${kind}.onnx`, this.progress).then(unpack)
    ]);
    const people = await this.session(look);
    const masks = await this.session(mask);
    return new PeopleNetwork(
      (input, size) => this.runLook(people, input, size),
      async (inputs, shape) => {
        const outputs = await masks.run({ people: new this.ort.Tensor("float32", inputs, shape) });
        return outputs.logits.data;
      }
    );
  }
  session(graph) {
    return this.ort.InferenceSession.create(graph, {
      executionProviders: [this.backend],
      externalData: [{ path: WEIGHTS, data: this.weights }],
      graphOptimizationLevel: "all"
    });
  }
  async runLook(session, input, [height, width]) {
    const outputs = await session.run({ images: new this.ort.Tensor("uint8", input, [1, height, width, 3]) });
    const values = (name) => outputs[name].data;
    const [, , rows, columns] = outputs.center.dims;
    return {
      rows,
      columns,
      center: values("center"),
      heatmap: values("kpt_heatmap"),
      regress: values("kpt_regress"),
      offset: values("kpt_offset"),
      boxScale: values("box_scale"),
      boxOffset: values("box_offset"),
      features: values("features")
    };
  }
};

// worker.ts
var GAP_S = 2;
var GAP_STEPS = 4;
var STEP_WEIGHT = 0.2;
var RARELY_MS = 100;
var BLANK = { width: 64, height: 64, data: new Uint8ClampedArray(64 * 64 * 4) };
var WARM_UP_LONGEST = 64;
var settings;
var runtime;
var tracker;
var lastS = null;
var usualStepS = 0;
var reportedAt = 0;
var canvas = new OffscreenCanvas(1, 1);
var context = canvas.getContext("2d", { willReadFrequently: true });
function say(message, transfer = []) {
  self.postMessage(message, { transfer });
}
function progress(what, done, total) {
  if (done < total && performance.now() < reportedAt + RARELY_MS) return;
  reportedAt = performance.now();
  say({ type: "loading", what, done, total });
}
self.onmessage = ({ data }) => {
  if (data.type === "open") {
    settings = data.settings;
    tracker = new Tracker(settings.tracker);
    runtime = open(data.backend);
    runtime.catch((error) => fail("open", null, error));
  } else if (data.type === "reset") {
    tracker.reset();
    lastS = null;
  } else if (data.type === "prepare") {
    prepare(data.kind).catch((error) => fail("prepare", data.kind, error));
  } else {
    analyze(data.bitmap, data.timeS, data.wanted).catch((error) => fail("frame", data.wanted.kind, error));
  }
};
function fail(during, kind, error) {
  say({ type: "failed", during, kind, message: error instanceof Error ? error.message : String(error) });
}
async function open(wanted) {
  const gpu = wanted === "wasm" ? null : await findGpu(wanted === "webgpu").catch(() => null);
  const onGpu = gpu === null ? null : await Runtime.open("webgpu", progress).then(tried).catch(() => null);
  const opened = onGpu ?? await Runtime.open("wasm", progress);
  say({ type: "opened", backend: opened.backend, threads: opened.threads, gpu: opened.backend === "webgpu" ? gpu : null });
  return opened;
}
async function tried(runtime2) {
  await warmUp(await runtime2.form("separable"));
  return runtime2;
}
async function warmUp(network) {
  await network.detect(BLANK, { longest: WARM_UP_LONGEST, scoreFloor: settings.score_floor });
}
async function prepare(kind) {
  const begun = performance.now();
  const network = await (await runtime).form(kind);
  if (kind === "separable") await warmUp(network);
  say({ type: "prepared", kind, seconds: (performance.now() - begun) / 1e3 });
}
async function analyze(bitmap, timeS, wanted) {
  const begun = performance.now();
  const image = pixelsOf(bitmap);
  const grabbed = performance.now() - begun;
  const options = { longest: wanted.longest, scoreFloor: settings.score_floor };
  const kinds = wanted.duel ? shuffled(KINDS) : [wanted.kind];
  const ms = {};
  const all = /* @__PURE__ */ new Map();
  for (const kind of kinds) {
    const network = await (await runtime).form(kind);
    const from = performance.now();
    all.set(kind, await network.detect(image, options));
    ms[kind] = performance.now() - from;
  }
  const found = all.get(wanted.kind);
  const tracked = performance.now();
  const seen = wanted.tracking ? follow(found.people, image, timeS) : everyone(found.people);
  const stages = { grab: grabbed, ...found.stages, track: performance.now() - tracked };
  const rows = seen.flatMap(({ row }) => row === null ? [] : [row]);
  let masks = [];
  for (const kind of wanted.masks ? kinds : []) {
    const from = performance.now();
    const made = await all.get(kind).masks(rows);
    const took = performance.now() - from;
    ms[kind] += took;
    if (kind === wanted.kind) [masks, stages.masks] = [made, took];
  }
  const people = seen.map(({ row, ...one }) => {
    const mask = row === null ? void 0 : masks[rows.indexOf(row)];
    return { ...one, mask: mask ?? null };
  });
  const result = { type: "result", bitmap, people, kind: wanted.kind, longest: wanted.longest, stages, ms };
  const pixels = people.flatMap(({ mask }) => mask === null ? [] : [mask.pixels.buffer]);
  say(result, [bitmap, ...pixels]);
}
function pixelsOf(bitmap) {
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}
function shuffled(kinds) {
  return Math.random() < 0.5 ? [...kinds] : [...kinds].reverse();
}
function follow(people, image, timeS) {
  noticeGap(timeS);
  const seen = tracker.follow(people, timeS).map(({ id, box, score, detection }) => ({
    id,
    box,
    score,
    keypoints: people[detection].keypoints,
    row: detection
  }));
  const expected = tracker.coasted(image.height, image.width).map(({ id, box, score }) => ({ id, box, score, keypoints: null, row: null }));
  return [...seen, ...expected];
}
function everyone(people) {
  tracker.reset();
  return people.map(({ box, score, keypoints }, row) => ({ id: row + 1, box, score, keypoints, row })).filter(({ score }) => score >= settings.tracker.new);
}
function noticeGap(timeS) {
  if (lastS !== null) {
    const step = timeS - lastS;
    if (step < 0 || step > Math.max(GAP_S, GAP_STEPS * usualStepS)) tracker.reset();
    else usualStepS += STEP_WEIGHT * (step - usualStepS);
  }
  lastS = timeS;
}
