import { describe, expect, it } from "vitest";
import { assign, estimate, fittedSize, iou, joinPlanes, Letterbox, percentile, Recent, Tracker, unpack } from "../core";
import { gzipSync } from "node:zlib";

const SETTINGS = { high: 0.3, new: 0.35, low: 0.1, first_iou: 0.2, second_iou: 0.3, confirm_frames: 2, lost_s: 2 };

describe("assignment", () => {
  const best = (values: number[][]): number => {
    // All ways to give each row a column of its own.
    const go = (row: number, used: Set<number>): number => {
      if (row === values.length) return 0;
      let most = values.length > values[0].length ? go(row + 1, used) : -Infinity;
      values[row].forEach((value, column) => {
        if (!used.has(column)) most = Math.max(most, value + go(row + 1, new Set([...used, column])));
      });
      return most;
    };
    return go(0, new Set());
  };

  it("is as good as the best of all", () => {
    let state = 1;
    const random = (): number => (state = (state * 16807) % 2147483647) / 2147483647;
    for (let i = 0; i < 200; i++) {
      const [rows, columns] = [1 + Math.floor(random() * 5), 1 + Math.floor(random() * 5)];
      const values = Array.from({ length: rows }, () => Array.from({ length: columns }, random));
      const pairs = assign(values);
      expect(pairs.length).toBe(Math.min(rows, columns));
      expect(new Set(pairs.map(([, column]) => column)).size).toBe(pairs.length);
      expect(pairs.reduce((sum, [row, column]) => sum + values[row][column], 0)).toBeCloseTo(best(values), 9);
    }
  });

  it("takes nothing and gives nothing", () => {
    expect(assign([])).toEqual([]);
    expect(assign([[], []])).toEqual([]);
  });
});

describe("input", () => {
  it("is as long as wanted and follows the image's shape in steps of 32", () => {
    expect(fittedSize(360, 540, 320)).toEqual([224, 320]);
    expect(fittedSize(1280, 720, 416)).toEqual([416, 256]);
    expect(fittedSize(100, 100, 256)).toEqual([256, 256]);
  });

  it("is blue, green, red, with black beside the image", () => {
    const box = new Letterbox([32, 64]);
    const data = new Uint8ClampedArray(8 * 8 * 4);
    for (let i = 0; i < 64; i++) data.set([200, 100, 50, 255], 4 * i);
    expect(box.fill({ width: 8, height: 8, data })).toEqual({ scaleX: 4, scaleY: 4 });
    expect([...box.input.slice(0, 3)]).toEqual([50, 100, 200]);
    expect([...box.input.slice(32 * 3, 33 * 3)]).toEqual([0, 0, 0]);
  });
});

describe("tracker", () => {
  it("numbers people from 1 and keeps the number through a gap", () => {
    const tracker = new Tracker(SETTINGS);
    const seen: number[][] = [];
    for (let k = 0; k < 20; k++) {
      const x = 100 + 3 * k;
      const found = k === 10 ? [] : [{ box: [x, 50, x + 40, 170] as [number, number, number, number], score: 0.9 }];
      seen.push(tracker.follow(found, k / 30).map(({ id }) => id));
      if (k === 10) expect(tracker.coasted(480, 640).map(({ id }) => id)).toEqual([1]);
    }
    expect(seen[0]).toEqual([]);
    expect(seen.slice(2, 10).concat(seen.slice(11))).toEqual(Array(17).fill([1]));
  });

  it("never uses a number again", () => {
    const tracker = new Tracker(SETTINGS);
    const box: [number, number, number, number] = [10, 10, 60, 160];
    for (let k = 0; k < 3; k++) tracker.follow([{ box, score: 0.9 }], k / 30);
    tracker.reset();
    tracker.follow([{ box, score: 0.9 }], 1);
    expect(tracker.follow([{ box, score: 0.9 }], 1.03).map(({ id }) => id)).toEqual([2]);
  });
});

describe("figures", () => {
  it("interpolates percentiles", () => {
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it("gives the median with an interval around it, the same each time", () => {
    const values = [9, 10, 11, 10, 9.5, 10.5, 12];
    const { median, low, high } = estimate(values);
    expect(median).toBe(10);
    expect(low).toBeGreaterThanOrEqual(9);
    expect(low).toBeLessThan(10);
    expect(high).toBeGreaterThan(10);
    expect(estimate(values)).toEqual({ median, low, high });
  });

  it("keeps the newest values", () => {
    const recent = new Recent(3);
    for (const value of [1, 2, 3, 10]) recent.add(value);
    expect(recent.median).toBe(3);
  });
});

describe("files", () => {
  it("are unpacked, also where a host has done so already", async () => {
    const content = new TextEncoder().encode("weights".repeat(50));
    expect(await unpack(new Uint8Array(gzipSync(content)))).toEqual(content);
    expect(await unpack(content)).toEqual(content);
  });

  it("join their planes", () => {
    expect([...joinPlanes(new Uint8Array([1, 2, 3, 11, 12, 13]))]).toEqual([1, 11, 2, 12, 3, 13]);
  });
});

it("overlaps boxes", () => {
  expect(iou([0, 0, 2, 2], [1, 0, 3, 2])).toBeCloseTo(1 / 3);
  expect(iou([0, 0, 0, 0], [0, 0, 0, 0])).toBe(0);
});
