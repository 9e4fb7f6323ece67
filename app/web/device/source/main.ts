// The page: sources, switches, figures. All analysis happens in the worker.

import { type Card, drawCard, figure, makeCard } from "./card";
import { Figures } from "./figures";
import { installed, keepAwake } from "./install";
import { drawPeople, type Layers } from "./overlay";
import { type Backend, type FromWorker, type Kind, KINDS, type Settings, type ToWorker, type Wanted } from "./protocol";
import { type Facing, Source } from "./source";

const SHOW_MS = 250; // between updates of the figures

function get<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const canvas = get<HTMLCanvasElement>("canvas");
const context = canvas.getContext("2d")!;
const size = get<HTMLSelectElement>("size");
const backend = get<HTMLSelectElement>("backend");
const figures = new Figures();
const layers: Layers = { tracking: true, pose: true, masks: true };

let settings: Settings;
let worker: Worker;
let opened: { backend: Backend; threads: number; gpu: string | null } | null = null;
let source: Source | null = null;
let starting = false;
let facing: Facing = "user";
let kind: Kind = "separable";
let duel = false;
const ready = new Set<Kind>();
let busy = false;
let takenAt = 0;
let shownAt = 0;
let frames = 0;

const awake = keepAwake(() => source !== null);

function tell(message: ToWorker, transfer: Transferable[] = []): void {
  worker.postMessage(message, transfer);
}

function setText(id: string, text: string): void {
  const element = get(id);
  if (element.textContent !== text) element.textContent = text;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Starts the worker, or starts it again with another backend. */
function open(): void {
  worker?.terminate();
  ready.clear();
  busy = false;
  opened = null;
  figures.restart();
  worker = new Worker("worker.js", { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => receive(data);
  worker.onerror = (event) => problem(`The analysis cannot start: ${event.message || "the worker did not load"}`);
  tell({ type: "open", backend: backend.value as Backend | "auto", settings });
  prepare("separable");
  if (kind === "standard" || duel) prepare("standard");
}

function prepare(wanted: Kind): void {
  if (ready.has(wanted)) return;
  if (wanted === "standard") setText("status", "preparing the standard form: it is computed from the same weights ...");
  tell({ type: "prepare", kind: wanted });
}

function receive(message: FromWorker): void {
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

function describe(): string {
  if (opened === null) return "";
  if (opened.backend === "webgpu") return `WebGPU on ${opened.gpu}`;
  return `WebAssembly with SIMD, ${opened.threads} thread${opened.threads > 1 ? "s" : ""}`;
}

function fail({ during, kind: of, message }: Extract<FromWorker, { type: "failed" }>): void {
  busy = false;
  if (of === "standard") {
    problem(`The standard form does not run here (${message}): continuing with the separable form.`);
    choose("separable", false);
    return;
  }
  stop();
  problem(during === "frame" ? `The analysis failed: ${message}` : `The network cannot be loaded: ${message}`);
}

function problem(text: string): void {
  setText("problem", text);
  setText("status", text);
}

function show(result: Extract<FromWorker, { type: "result" }>): void {
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

function showFigures(people: number): void {
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
    }),
  );
  const rates = KINDS.map((one) => 1000 / figures.analysisMs(one));
  const most = Math.max(...rates.filter(Number.isFinite), 1e-9);
  KINDS.forEach((one, i) => {
    const row = document.querySelector<HTMLElement>(`.race[data-kind=${one}]`)!;
    row.querySelector("u")!.style.width = Number.isFinite(rates[i]) ? `${Math.max(1, (100 * rates[i]) / most)}%` : "0";
    row.querySelector("b")!.textContent = `${figure(figures.analysisMs(one))} ms`;
    row.classList.toggle("active", one === kind || duel);
  });
  setText("ratio", ratioText());
}

function ratioText(): string {
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

/** Takes the newest frame whenever the worker is free. */
function loop(): void {
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
      // While the standard form is being prepared, the separable one would wait for it anyway.
      const wanted: Wanted = { kind, duel, longest: Number(size.value), masks: layers.masks, tracking: layers.tracking };
      tell({ type: "frame", ...frame, wanted }, [frame.bitmap]);
    },
    () => (busy = false),
  );
}

async function start(make: () => Promise<Source>): Promise<void> {
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
    problem((error as Error).message);
  } finally {
    starting = false;
    showSwitches();
    awake();
  }
}

function stop(): void {
  source?.stop();
  source = null;
  get("invite").hidden = false;
  setText("status", "");
  showSwitches();
  awake();
}

function choose(wanted: Kind, both: boolean): void {
  kind = wanted;
  duel = both;
  figures.pause();
  prepare(wanted);
  if (both) prepare("standard");
  showSwitches();
}

function showSwitches(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-kind-button]")) {
    const one = button.dataset.kindButton as Kind;
    press(button, one === kind && !duel);
    button.classList.toggle("waiting", (one === kind || duel) && !ready.has(one));
  }
  press(get("duel"), duel);
  for (const button of document.querySelectorAll<HTMLElement>("[data-layer]")) {
    press(button, layers[button.dataset.layer as keyof Layers]);
  }
  get<HTMLButtonElement>("stop").disabled = source === null;
  get<HTMLButtonElement>("flip").disabled = source === null;
  get<HTMLButtonElement>("card").disabled = opened === null;
}

function press(button: HTMLElement, on: boolean): void {
  button.setAttribute("aria-pressed", String(on));
}

function showSizes(): void {
  const { macs, params, bytes } = settings;
  const shared = Object.entries(bytes).filter(([name]) => !name.includes("standard"));
  const download = shared.reduce((sum, [, count]) => sum + count, 0);
  const standard = Object.entries(bytes).filter(([name]) => name.includes("standard"));
  const extra = standard.reduce((sum, [, count]) => sum + count, 0);
  setText("separable-size", `${params.separable} M float16 weights, ${macs.separable.toLocaleString("en")} M multiply-adds; ${megabytes(download)} to download`);
  setText(
    "standard-size",
    `${params.standard} M weights, ${macs.standard.toLocaleString("en")} M multiply-adds; made on this device of the same weights, ${megabytes(extra)} more to download`,
  );
}

async function offerCard(): Promise<void> {
  if (opened === null) return;
  const card: Card = await makeCard(figures, settings, opened, Number(size.value));
  const png = await drawCard(card);
  const json = new Blob([`${JSON.stringify(card, null, 2)}\n`], { type: "application/json" });
  const image = get<HTMLImageElement>("card-image");
  URL.revokeObjectURL(image.src);
  image.src = link("card-png", png, "sepcam-card.png");
  link("card-json", json, "sepcam-card.json");
  get<HTMLDialogElement>("card-dialog").showModal();
}

function link(id: string, blob: Blob, name: string): string {
  const anchor = get<HTMLAnchorElement>(id);
  URL.revokeObjectURL(anchor.href);
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  return anchor.href;
}

function listen(): void {
  const camera = (): Promise<void> => start(() => Source.camera(facing, () => stop()));
  get("start-camera").addEventListener("click", () => void camera());
  get("start-sample").addEventListener("click", () => {
    void start(async () => Source.file(await (await fetch("sample.mp4")).blob(), "sample clip"));
  });
  const file = get<HTMLInputElement>("file");
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (chosen !== undefined) void start(() => Source.file(chosen, chosen.name));
    file.value = "";
  });
  get("stop").addEventListener("click", stop);
  get("flip").addEventListener("click", () => {
    facing = facing === "user" ? "environment" : "user";
    void camera();
  });
  get("full").addEventListener("click", () => void get("screen").requestFullscreen?.());
  get("duel").addEventListener("click", () => choose("separable", !duel));
  for (const button of document.querySelectorAll<HTMLElement>("[data-kind-button]")) {
    button.addEventListener("click", () => choose(button.dataset.kindButton as Kind, false));
  }
  for (const button of document.querySelectorAll<HTMLElement>("[data-layer]")) {
    button.addEventListener("click", () => {
      const layer = button.dataset.layer as keyof Layers;
      layers[layer] = !layers[layer];
      if (layer === "masks") figures.restart();
      showSwitches();
    });
  }
  size.addEventListener("change", () => figures.restart());
  backend.addEventListener("change", open);
  get("card").addEventListener("click", () => void offerCard().catch((error: Error) => problem(error.message)));
  get("card-close").addEventListener("click", () => get<HTMLDialogElement>("card-dialog").close());
}

async function begin(): Promise<void> {
  setText("status", "getting ready ...");
  await installed();
  const answer = await fetch("network/settings.json");
  const content = (await answer.json()) as Settings & { detail?: string };
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

begin().catch((error: unknown) => problem(`This page cannot start: ${(error as Error).message}`));
