// What the page and the worker say to each other, and the settings that the export writes.

import type { Mask, TrackerSettings } from "@core";

export type Kind = "separable" | "standard";
export const KINDS: readonly Kind[] = ["separable", "standard"];
export type Backend = "wasm" | "webgpu";

/** network/settings.json */
export interface Settings {
  version: string;
  network: string;
  score_floor: number;
  tracker: TrackerSettings;
  /** Longer sides of the input to choose from, in pixels. */
  sizes: number[];
  default_size: number;
  /** Multiply-adds of one pass at the default size, in millions; parameters in millions. */
  macs: Record<Kind, number>;
  params: Record<Kind, number>;
  /** Bytes of what is downloaded, by name of the file. */
  bytes: Record<string, number>;
  /** Pairs of keypoints and the color of the bone between them. */
  bones: [number, number, string][];
  min_joint_score: number;
  mask_opacity: number;
  /** Colors of identities, in turn. */
  colors: string[];
}

/** Somebody as the page draws them. */
export interface Shown {
  /** From 1; without tracking the place in the list. */
  id: number;
  box: [number, number, number, number];
  score: number;
  /** 17 times x, y, score; null for somebody who is only expected there. */
  keypoints: Float32Array | null;
  mask: Mask | null;
}

/** How frames are analyzed. */
export interface Wanted {
  kind: Kind;
  /** Whether both forms analyze each frame, in random order. */
  duel: boolean;
  longest: number;
  masks: boolean;
  /** Whether people get identities, and are shown once they have one. */
  tracking: boolean;
}

export type ToWorker =
  | { type: "open"; backend: Backend | "auto"; settings: Settings }
  | { type: "prepare"; kind: Kind }
  | { type: "reset" }
  | { type: "frame"; bitmap: ImageBitmap; timeS: number; wanted: Wanted };

export type FromWorker =
  | { type: "opened"; backend: Backend; threads: number; gpu: string | null }
  | { type: "loading"; what: string; done: number; total: number }
  | { type: "prepared"; kind: Kind; seconds: number }
  | { type: "failed"; during: "open" | "prepare" | "frame"; kind: Kind | null; message: string }
  | Result;

export interface Result {
  type: "result";
  /** The frame that was analyzed. */
  bitmap: ImageBitmap;
  people: Shown[];
  kind: Kind;
  longest: number;
  /** Milliseconds by stage, of `kind`. */
  stages: Record<string, number>;
  /** Milliseconds of the analysis by form: one of them, or both in a duel. */
  ms: Partial<Record<Kind, number>>;
}
