// The figures of the page: rates, milliseconds, and how the two forms compare.

import { type Estimate, estimate, LEAST_PAIRS, Recent } from "@core";
import { type Kind, KINDS, type Result } from "./protocol";

const WINDOW_MS = 2000;
const MOST = 200; // frames that a figure rests on

export class Figures {
  private shownAt: number[] = [];
  private readonly ms: Record<Kind, Recent> = { separable: new Recent(MOST), standard: new Recent(MOST) };
  private readonly stages = new Map<string, Recent>();
  private readonly ratios = new Recent(MOST);
  private readonly latency = new Recent(MOST);

  /** The work per frame has changed: earlier figures compare with nothing. */
  restart(): void {
    for (const kind of KINDS) this.ms[kind].clear();
    this.ratios.clear();
    this.pause();
  }

  /** The frames are of another source or form. */
  pause(): void {
    this.shownAt = [];
    this.stages.clear();
    this.latency.clear();
  }

  add({ ms, stages }: Result, latencyMs: number): void {
    const now = performance.now();
    this.shownAt = [...this.shownAt.filter((at) => at > now - WINDOW_MS), now];
    this.latency.add(latencyMs);
    for (const kind of KINDS) if (ms[kind] !== undefined) this.ms[kind].add(ms[kind]);
    if (ms.separable !== undefined && ms.standard !== undefined) this.ratios.add(ms.standard / ms.separable);
    for (const [stage, took] of Object.entries(stages)) {
      if (!this.stages.has(stage)) this.stages.set(stage, new Recent(MOST));
      this.stages.get(stage)!.add(took);
    }
  }

  /** Frames shown per second; NaN before the second one. */
  get fps(): number {
    const span = this.shownAt[this.shownAt.length - 1] - this.shownAt[0];
    return this.shownAt.length > 1 ? ((this.shownAt.length - 1) * 1000) / span : NaN;
  }

  /** Milliseconds from a frame to its display. */
  get p50(): number {
    return this.latency.median;
  }

  get p95(): number {
    return this.latency.p95;
  }

  /** Median milliseconds by stage. */
  get stageMs(): [string, number][] {
    return [...this.stages].map(([stage, recent]) => [stage, recent.median]);
  }

  /** Median milliseconds of the analysis in one form; NaN where it has not run. */
  analysisMs(kind: Kind): number {
    return this.ms[kind].median;
  }

  frames(kind: Kind): number {
    return this.ms[kind].values.length;
  }

  /** How many times as long the standard form takes on the same frames, or null before there are enough. */
  get ratio(): Estimate | null {
    return this.ratios.values.length < LEAST_PAIRS ? null : estimate(this.ratios.values);
  }

  get pairs(): number {
    return this.ratios.values.length;
  }
}
