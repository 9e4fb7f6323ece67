// ONNX Runtime Web with the people network, in the worker.

import { joinPlanes, type Look, PeopleNetwork, type Size, unpack } from "@core";
import type * as Ort from "onnxruntime-web";
import type { Backend, Kind } from "./protocol";

export type Progress = (what: string, done: number, total: number) => void;

const WEIGHTS = "weights"; // as the graphs call them
const MOST_THREADS = 8;

const FILES: Record<Backend, { code: string; glue: string; binary: string }> = {
  wasm: { code: "ort.wasm.min.js", glue: "ort-wasm-simd-threaded.js", binary: "wasm.bin" },
  webgpu: { code: "ort.webgpu.min.js", glue: "ort-wasm-simd-threaded.jsep.js", binary: "webgpu.bin" },
};

/** A file of the page's own folder; `progress` is called as it comes. */
export async function load(name: string, progress: Progress): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await fetch(new URL(name, self.location.href));
  if (!answer.ok || answer.body === null) throw new Error(`${name}: ${await reason(answer)}`);
  const total = Number(answer.headers.get("Content-Length") ?? 0);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  const reader = answer.body.getReader();
  for (;;) {
    const { value, done: ended } = await reader.read();
    if (ended) break;
    parts.push(value);
    done += value.length;
    progress(name, done, Math.max(total, done));
  }
  const whole = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function reason(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => "");
  try {
    return String((JSON.parse(text) as { detail: unknown }).detail);
  } catch {
    return `the server answers ${answer.status}`;
  }
}

// What is used of WebGPU, which TypeScript's own declarations lack.
interface Adapter {
  readonly info: { vendor: string; architecture: string; description: string; isFallbackAdapter?: boolean };
}
interface Gpu {
  requestAdapter(options: { powerPreference: "high-performance" }): Promise<Adapter | null>;
}

/** The graphics processor that WebGPU gives, or null where there is none, or only a slow imitation. */
export async function findGpu(imitation: boolean): Promise<string | null> {
  const adapter = await (navigator as { gpu?: Gpu }).gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter || (adapter.info.isFallbackAdapter && !imitation)) return null;
  const { vendor, architecture, description } = adapter.info;
  return description || [vendor, architecture].filter(Boolean).join(" ") || "unknown";
}

export class Runtime {
  private readonly forms = new Map<Kind, Promise<PeopleNetwork>>();

  private constructor(
    private readonly ort: typeof Ort,
    readonly backend: Backend,
    readonly threads: number,
    private readonly weights: Uint8Array<ArrayBuffer>,
    private readonly progress: Progress,
  ) {}

  static async open(backend: Backend, progress: Progress): Promise<Runtime> {
    const { code, glue, binary } = FILES[backend];
    const folder = new URL("runtime/", self.location.href);
    const [ort, wasm, weights] = await Promise.all([
      import(new URL(code, folder).href) as Promise<typeof Ort>,
      load(`runtime/${binary}`, progress).then(unpack),
      load("network/weights.bin", progress).then(unpack),
    ]);
    const threads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
    ort.env.logLevel = "error";
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.proxy = false;
    ort.env.wasm.wasmPaths = { mjs: new URL(glue, folder).href };
    ort.env.wasm.wasmBinary = wasm;
    return new Runtime(ort, backend, threads, joinPlanes(weights), progress);
  }

  /** The network in one form, which is loaded when it is first asked for. */
  form(kind: Kind): Promise<PeopleNetwork> {
    let form = this.forms.get(kind);
    if (form === undefined) {
      form = this.make(kind);
      form.catch(() => this.forms.delete(kind));
      this.forms.set(kind, form);
    }
    return form;
  }

  private async make(kind: Kind): Promise<PeopleNetwork> {
    const [look, mask] = await Promise.all([
      load(`network/people-${kind}.onnx`, this.progress).then(unpack),
      load(`network/mask-${kind}.onnx`, this.progress).then(unpack),
    ]);
    // The input's size is left open, since memory has room for the standard form once.
    const people = await this.session(look);
    const masks = await this.session(mask);
    return new PeopleNetwork(
      (input, size) => this.runLook(people, input, size),
      async (inputs, shape) => {
        const outputs = await masks.run({ people: new this.ort.Tensor("float32", inputs, shape) });
        return outputs.logits.data as Float32Array;
      },
    );
  }

  private session(graph: Uint8Array): Promise<Ort.InferenceSession> {
    return this.ort.InferenceSession.create(graph, {
      executionProviders: [this.backend],
      externalData: [{ path: WEIGHTS, data: this.weights }],
      graphOptimizationLevel: "all",
    });
  }

  private async runLook(session: Ort.InferenceSession, input: Uint8Array, [height, width]: Size): Promise<Look> {
    const outputs = await session.run({ images: new this.ort.Tensor("uint8", input, [1, height, width, 3]) });
    const values = (name: string): Float32Array => outputs[name].data as Float32Array;
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
      features: values("features"),
    };
  }
}
