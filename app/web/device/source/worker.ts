// Analyzes one frame after the other, away from the page, which stays responsive meanwhile.

import { type Found, type Image, type Mask, type PeopleNetwork, type Person, Tracker } from "@core";
import type { Backend, FromWorker, Kind, Result, Settings, Shown, ToWorker, Wanted } from "./protocol";
import { KINDS } from "./protocol";
import { findGpu, Runtime } from "./runtime";

const GAP_S = 2; // without a frame, after which people are new people; longer where frames always come slowly
const GAP_STEPS = 4; // usual steps between frames that a gap is longer than
const STEP_WEIGHT = 0.2; // of the newest step in the usual one
const RARELY_MS = 100; // between reports of how far a download is

const BLANK: Image = { width: 64, height: 64, data: new Uint8ClampedArray(64 * 64 * 4) };
const WARM_UP_LONGEST = 64;

/** Somebody who is shown: whose mask is not computed yet, and which of the people found it is; null for nobody. */
interface Seen extends Omit<Shown, "mask"> {
  row: number | null;
}

let settings: Settings;
let runtime: Promise<Runtime>;
let tracker: Tracker;
let lastS: number | null = null;
let usualStepS = 0;
let reportedAt = 0;
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { willReadFrequently: true })!;

function say(message: FromWorker, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}

function progress(what: string, done: number, total: number): void {
  if (done < total && performance.now() < reportedAt + RARELY_MS) return;
  reportedAt = performance.now();
  say({ type: "loading", what, done, total });
}

self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  if (data.type === "open") {
    settings = data.settings;
    tracker = new Tracker(settings.tracker);
    runtime = open(data.backend);
    runtime.catch((error: unknown) => fail("open", null, error));
  } else if (data.type === "reset") {
    tracker.reset();
    lastS = null;
  } else if (data.type === "prepare") {
    prepare(data.kind).catch((error: unknown) => fail("prepare", data.kind, error));
  } else {
    analyze(data.bitmap, data.timeS, data.wanted).catch((error: unknown) => fail("frame", data.wanted.kind, error));
  }
};

function fail(during: "open" | "prepare" | "frame", kind: Kind | null, error: unknown): void {
  say({ type: "failed", during, kind, message: error instanceof Error ? error.message : String(error) });
}

async function open(wanted: Backend | "auto"): Promise<Runtime> {
  const gpu = wanted === "wasm" ? null : await findGpu(wanted === "webgpu").catch(() => null);
  // A driver may refuse the network, when it is loaded or when it runs; then the processor does it.
  const onGpu = gpu === null ? null : await Runtime.open("webgpu", progress).then(tried).catch(() => null);
  const opened = onGpu ?? (await Runtime.open("wasm", progress));
  say({ type: "opened", backend: opened.backend, threads: opened.threads, gpu: opened.backend === "webgpu" ? gpu : null });
  return opened;
}

async function tried(runtime: Runtime): Promise<Runtime> {
  await warmUp(await runtime.form("separable"));
  return runtime;
}

/** The first run takes longer: so that no frame waits for it. */
async function warmUp(network: PeopleNetwork): Promise<void> {
  await network.detect(BLANK, { longest: WARM_UP_LONGEST, scoreFloor: settings.score_floor });
}

async function prepare(kind: Kind): Promise<void> {
  const begun = performance.now();
  const network = await (await runtime).form(kind);
  // The standard form would take seconds more.
  if (kind === "separable") await warmUp(network);
  say({ type: "prepared", kind, seconds: (performance.now() - begun) / 1000 });
}

async function analyze(bitmap: ImageBitmap, timeS: number, wanted: Wanted): Promise<void> {
  const begun = performance.now();
  const image = pixelsOf(bitmap);
  const grabbed = performance.now() - begun;
  const options = { longest: wanted.longest, scoreFloor: settings.score_floor };
  const kinds = wanted.duel ? shuffled(KINDS) : [wanted.kind];
  const ms: Result["ms"] = {};
  const all = new Map<Kind, Found>();
  for (const kind of kinds) {
    const network = await (await runtime).form(kind);
    const from = performance.now();
    all.set(kind, await network.detect(image, options));
    ms[kind] = performance.now() - from;
  }
  const found = all.get(wanted.kind)!;
  const tracked = performance.now();
  const seen = wanted.tracking ? follow(found.people, image, timeS) : everyone(found.people);
  const stages: Result["stages"] = { grab: grabbed, ...found.stages, track: performance.now() - tracked };
  // Of those who are shown alone, and of the same ones in a duel's other form.
  const rows = seen.flatMap(({ row }) => (row === null ? [] : [row]));
  let masks: Mask[] = [];
  for (const kind of wanted.masks ? kinds : []) {
    const from = performance.now();
    const made = await all.get(kind)!.masks(rows);
    const took = performance.now() - from;
    ms[kind]! += took;
    if (kind === wanted.kind) [masks, stages.masks] = [made, took];
  }
  const people = seen.map(({ row, ...one }): Shown => {
    const mask = row === null ? undefined : masks[rows.indexOf(row)];
    return { ...one, mask: mask ?? null };
  });
  const result: Result = { type: "result", bitmap, people, kind: wanted.kind, longest: wanted.longest, stages, ms };
  const pixels = people.flatMap(({ mask }) => (mask === null ? [] : [mask.pixels.buffer]));
  say(result, [bitmap, ...pixels]);
}

function pixelsOf(bitmap: ImageBitmap): Image {
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

function shuffled(kinds: readonly Kind[]): Kind[] {
  return Math.random() < 0.5 ? [...kinds] : [...kinds].reverse();
}

function follow(people: Person[], image: Image, timeS: number): Seen[] {
  noticeGap(timeS);
  const seen = tracker.follow(people, timeS).map(({ id, box, score, detection }) => ({
    id,
    box,
    score,
    keypoints: people[detection].keypoints,
    row: detection,
  }));
  const expected = tracker
    .coasted(image.height, image.width)
    .map(({ id, box, score }) => ({ id, box, score, keypoints: null, row: null }));
  return [...seen, ...expected];
}

/** Who is found in this frame alone. */
function everyone(people: Person[]): Seen[] {
  tracker.reset();
  return people
    .map(({ box, score, keypoints }, row) => ({ id: row + 1, box, score, keypoints, row }))
    .filter(({ score }) => score >= settings.tracker.new);
}

/** People are new people where a video starts over, and after seconds without a frame. */
function noticeGap(timeS: number): void {
  if (lastS !== null) {
    const step = timeS - lastS;
    if (step < 0 || step > Math.max(GAP_S, GAP_STEPS * usualStepS)) tracker.reset();
    else usualStepS += STEP_WEIGHT * (step - usualStepS);
  }
  lastS = timeS;
}
