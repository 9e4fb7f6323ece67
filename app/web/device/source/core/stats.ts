// Figures: rates, percentiles, and the ratio of two forms with its interval.

export interface Estimate {
  median: number;
  low: number;
  high: number;
}

const RESAMPLES = 1000;
const TAIL = 0.025;
/** Fewer pairs give no interval. */
export const LEAST_PAIRS = 5;

/** The value below which a share of the values lies, with linear interpolation; NaN for no values. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/** The median with its 95 % bootstrap percentile interval (Efron 1979); the same values give the same one. */
export function estimate(values: readonly number[]): Estimate {
  const random = generator(values.length);
  const medians = Array.from({ length: RESAMPLES }, () =>
    percentile(
      values.map(() => values[Math.floor(random() * values.length)]),
      0.5,
    ),
  );
  return {
    median: percentile(values, 0.5),
    low: percentile(medians, TAIL),
    high: percentile(medians, 1 - TAIL),
  };
}

/** Numbers in [0, 1) from a seed: mulberry32, by Tommy Ettinger, in the public domain. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The newest values of a figure. */
export class Recent {
  readonly values: number[] = [];

  constructor(private readonly most: number) {}

  add(value: number): void {
    this.values.push(value);
    if (this.values.length > this.most) this.values.shift();
  }

  get median(): number {
    return percentile(this.values, 0.5);
  }

  get p95(): number {
    return percentile(this.values, 0.95);
  }

  clear(): void {
    this.values.length = 0;
  }
}
