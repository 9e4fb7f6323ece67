// Around the mask head: what it is given of each person, and its masks in the image (models/people/masks.py,
// models/ops/masks.py).

import { STRIDE } from "./decoding";
import { type Box, KEYPOINTS, type Mask, type Person, type View } from "./types";

/** Side of the head's input. */
export const GRID = 40;
/** Side of its masks. */
export const MASK_SIZE = 2 * GRID;
const FEATURES = 24;
export const CHANNELS = FEATURES + KEYPOINTS + 2;

const GROW = 1.15;
const LEAST = 1; // cells
const SIGMA = 0.12;
const OCTAVES = 4;
const BOX_GROW = 0.025;
const LEAD = 2; // logits by which another person has to win a pixel
const OUTSIDE = -100;

/** Center and halved sides, in cells, of what the head looks at. */
function areaOf(box: Box): { x: number; y: number; halfX: number; halfY: number } {
  const [x1, y1, x2, y2] = box.map((value) => value / STRIDE);
  return {
    x: (x1 + x2) / 2,
    y: (y1 + y2) / 2,
    halfX: Math.max(((x2 - x1) / 2) * GROW, LEAST),
    halfY: Math.max(((y2 - y1) / 2) * GROW, LEAST),
  };
}

/** (N, 40, 40, 43) inputs of the head, for people in pixels of the network's input. */
export function maskInputs(features: Float32Array, rows: number, columns: number, people: Person[]): Float32Array {
  const out = new Float32Array(people.length * GRID * GRID * CHANNELS);
  people.forEach((person, i) => {
    const grid = out.subarray(i * GRID * GRID * CHANNELS, (i + 1) * GRID * GRID * CHANNELS);
    sampleFeatures(grid, features, rows, columns, person.box);
    drawKeypoints(grid, person);
  });
  return out;
}

function sampleFeatures(grid: Float32Array, features: Float32Array, rows: number, columns: number, box: Box): void {
  const { x, y, halfX, halfY } = areaOf(box);
  const stepX = (2 * halfX) / GRID;
  const stepY = (2 * halfY) / GRID;
  for (let v = 0; v < GRID; v++) {
    const atY = y - halfY + stepY * (v + 0.5) - 0.5;
    for (let u = 0; u < GRID; u++) {
      const atX = x - halfX + stepX * (u + 0.5) - 0.5;
      addSample(grid, (v * GRID + u) * CHANNELS, features, rows, columns, atY, atX);
    }
  }
}

/** Adds what lies between four cells; beyond the input are zeros. */
function addSample(
  grid: Float32Array,
  target: number,
  features: Float32Array,
  rows: number,
  columns: number,
  y: number,
  x: number,
): void {
  const top = Math.floor(y);
  const left = Math.floor(x);
  for (let v = top; v <= top + 1; v++) {
    if (v < 0 || v >= rows) continue;
    const down = 1 - Math.abs(y - v);
    for (let u = left; u <= left + 1; u++) {
      const weight = down * (1 - Math.abs(x - u));
      if (u < 0 || u >= columns || weight === 0) continue;
      const from = (v * columns + u) * FEATURES;
      for (let c = 0; c < FEATURES; c++) grid[target + c] += weight * features[from + c];
    }
  }
}

function drawKeypoints(grid: Float32Array, { box, keypoints }: Person): void {
  const { x, y, halfX, halfY } = areaOf(box);
  const sharpness = -0.5 / SIGMA ** 2;
  const bellX = new Float32Array(GRID * KEYPOINTS);
  const bellY = new Float32Array(GRID * KEYPOINTS);
  for (let i = 0; i < GRID; i++) {
    const tick = (2 * i + 1) / GRID - 1;
    for (let k = 0; k < KEYPOINTS; k++) {
      const dx = (keypoints[3 * k] / STRIDE - x) / halfX - tick;
      const dy = (keypoints[3 * k + 1] / STRIDE - y) / halfY - tick;
      bellX[i * KEYPOINTS + k] = Math.exp(dx * dx * sharpness);
      bellY[i * KEYPOINTS + k] = Math.exp(dy * dy * sharpness) * Math.min(Math.max(keypoints[3 * k + 2], 0), 1);
    }
  }
  const wide = Math.log2(halfX) / OCTAVES;
  const high = Math.log2(halfY) / OCTAVES;
  for (let v = 0; v < GRID; v++) {
    for (let u = 0; u < GRID; u++) {
      const target = (v * GRID + u) * CHANNELS + FEATURES;
      for (let k = 0; k < KEYPOINTS; k++) grid[target + k] = bellY[v * KEYPOINTS + k] * bellX[u * KEYPOINTS + k];
      grid[target + KEYPOINTS] = wide;
      grid[target + KEYPOINTS + 1] = high;
    }
  }
}

interface Placed {
  mask: Mask;
  logits: Float32Array;
}

/**
 * The masks of people in an image, one crop per person.
 *
 * @param logits (N, 80, 80) of the head.
 * @param shown the people in pixels of the network's input, as `maskInputs` got them.
 * @param boxes of the same people in the image.
 */
export function placeMasks(
  logits: Float32Array,
  shown: Person[],
  view: View,
  boxes: Box[],
  height: number,
  width: number,
): Mask[] {
  const plane = MASK_SIZE * MASK_SIZE;
  const placed = boxes.map((box, i): Placed => {
    const rect = rectangle(box, height, width);
    return place(logits.subarray(i * plane, (i + 1) * plane), shown[i].box, view, rect);
  });
  for (let i = 0; i < placed.length; i++) {
    for (let j = i + 1; j < placed.length; j++) settle(placed[i], placed[j]);
  }
  return placed.map(({ mask }) => mask);
}

/** The pixels of the grown box that the image has: left, top, right, bottom (exclusive). */
function rectangle([x1, y1, x2, y2]: Box, height: number, width: number): Box {
  const growX = (x2 - x1) * BOX_GROW;
  const growY = (y2 - y1) * BOX_GROW;
  const clip = (value: number, limit: number): number => Math.min(Math.max(roundHalfEven(value), 0), limit);
  const rect: Box = [clip(x1 - growX, width), clip(y1 - growY, height), clip(x2 + growX, width), clip(y2 + growY, height)];
  return rect[2] > rect[0] && rect[3] > rect[1] ? rect : [0, 0, 0, 0];
}

function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** One person's logits, resampled to the pixels of a rectangle. */
function place(logits: Float32Array, inputBox: Box, view: View, [left, top, right, bottom]: Box): Placed {
  const { x, y, halfX, halfY } = areaOf(inputBox);
  const cellX = STRIDE / view.scaleX;
  const cellY = STRIDE / view.scaleY;
  const stepX = (2 * halfX * cellX) / MASK_SIZE;
  const stepY = (2 * halfY * cellY) / MASK_SIZE;
  const originX = (x - halfX) * cellX + stepX / 2 - 0.5;
  const originY = (y - halfY) * cellY + stepY / 2 - 0.5;
  const width = right - left;
  const height = bottom - top;
  const warped = new Float32Array(width * height);
  const pixels = new Uint8Array(width * height);
  for (let v = 0; v < height; v++) {
    const atY = (top + v - originY) / stepY;
    for (let u = 0; u < width; u++) {
      const value = bilinear(logits, atY, (left + u - originX) / stepX);
      warped[v * width + u] = value;
      pixels[v * width + u] = value > 0 ? 1 : 0;
    }
  }
  return { mask: { x: left, y: top, width, height, pixels }, logits: warped };
}

function bilinear(logits: Float32Array, y: number, x: number): number {
  const top = Math.floor(y);
  const left = Math.floor(x);
  const down = y - top;
  const right = x - left;
  const upper = (1 - right) * logit(logits, top, left) + right * logit(logits, top, left + 1);
  const lower = (1 - right) * logit(logits, top + 1, left) + right * logit(logits, top + 1, left + 1);
  return (1 - down) * upper + down * lower;
}

function logit(logits: Float32Array, y: number, x: number): number {
  return y >= 0 && x >= 0 && y < MASK_SIZE && x < MASK_SIZE ? logits[y * MASK_SIZE + x] : OUTSIDE;
}

/** Takes from each of two people the pixels that the other one wins clearly. */
function settle(a: Placed, b: Placed): void {
  const [one, other] = [a.mask, b.mask];
  const right = Math.min(one.x + one.width, other.x + other.width);
  const bottom = Math.min(one.y + one.height, other.y + other.height);
  for (let y = Math.max(one.y, other.y); y < bottom; y++) {
    for (let x = Math.max(one.x, other.x); x < right; x++) {
      const i = (y - one.y) * one.width + x - one.x;
      const j = (y - other.y) * other.width + x - other.x;
      const lead = a.logits[i] - b.logits[j];
      if (lead < -LEAD) one.pixels[i] = 0;
      else if (lead > LEAD) other.pixels[j] = 0;
    }
  }
}
