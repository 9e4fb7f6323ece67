// Fits an image into the network's input, as models/ops/letterbox.py and models/detectors/fitted.py do.

import type { Image, Size, View } from "./types";

const STEP = 32;

/** The input that an image of this size fills best: as long as wanted, as short as its shape allows. */
export function fittedSize(height: number, width: number, longest: number): Size {
  const spare = longest - (longest * Math.min(height, width)) / Math.max(height, width);
  const short = Math.max(longest - Math.floor(spare / STEP) * STEP, longest % STEP || STEP);
  return height <= width ? [short, longest] : [longest, short];
}

/** Scales images into (1, height, width, 3) blue-green-red bytes; the rest stays black. */
export class Letterbox {
  readonly input: Uint8Array;

  constructor(readonly size: Size) {
    this.input = new Uint8Array(size[0] * size[1] * 3);
  }

  fill(image: Image): View {
    const [height, width] = this.size;
    const scale = Math.min(height / image.height, width / image.width);
    const rows = Math.max(Math.trunc(image.height * scale), 1);
    const columns = Math.max(Math.trunc(image.width * scale), 1);
    const near = scale < 1 ? halved(image, rows, columns) : image;
    this.input.fill(0);
    resample(near, taps(near.height, rows), taps(near.width, columns), (x, y, red, green, blue) => {
      const target = (y * width + x) * 3;
      this.input[target] = blue + 0.5;
      this.input[target + 1] = green + 0.5;
      this.input[target + 2] = red + 0.5;
    });
    return { scaleX: columns / image.width, scaleY: rows / image.height };
  }
}

/** The image at half the size as often as it stays as large as wanted: the network was measured with this. */
function halved(image: Image, rows: number, columns: number): Image {
  let near = image;
  while (near.height >> 1 >= rows && near.width >> 1 >= columns) {
    const [height, width] = [near.height >> 1, near.width >> 1];
    const data = new Uint8ClampedArray(height * width * 4);
    resample(near, taps(near.height, height), taps(near.width, width), (x, y, red, green, blue) => {
      const target = (y * width + x) * 4;
      data[target] = red;
      data[target + 1] = green;
      data[target + 2] = blue;
    });
    near = { width, height, data };
  }
  return near;
}

/** For each output pixel, the first input pixel and the weights of those from there on; they add up to 1. */
interface Taps {
  count: number;
  reach: number;
  first: Int32Array;
  weights: Float32Array;
}

function taps(from: number, to: number): Taps {
  return to < from ? averaging(from, to) : bilinear(from, to);
}

/** Each input pixel counts by as much of it as the output pixel covers. */
function averaging(from: number, to: number): Taps {
  const step = from / to;
  const reach = Math.ceil(step) + 1;
  const first = new Int32Array(to);
  const weights = new Float32Array(to * reach);
  for (let i = 0; i < to; i++) {
    const low = i * step;
    const high = low + step;
    first[i] = Math.floor(low);
    for (let k = 0; k < reach; k++) {
      const pixel = first[i] + k;
      const covered = Math.min(high, pixel + 1) - Math.max(low, pixel);
      if (pixel < from && covered > 0) weights[i * reach + k] = covered / step;
    }
  }
  return { count: to, reach, first, weights };
}

function bilinear(from: number, to: number): Taps {
  const first = new Int32Array(to);
  const weights = new Float32Array(to * 2);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    first[i] = Math.min(Math.floor(at), Math.max(from - 2, 0));
    weights[2 * i + 1] = from > 1 ? at - first[i] : 0;
    weights[2 * i] = 1 - weights[2 * i + 1];
  }
  return { count: to, reach: 2, first, weights };
}

type Put = (x: number, y: number, red: number, green: number, blue: number) => void;

function resample(image: Image, down: Taps, across: Taps, put: Put): void {
  const line = new Float32Array(image.width * 4);
  const { data } = image;
  for (let y = 0; y < down.count; y++) {
    line.fill(0);
    for (let k = 0; k < down.reach; k++) {
      const weight = down.weights[y * down.reach + k];
      if (weight === 0) continue;
      const start = (down.first[y] + k) * image.width * 4;
      for (let i = 0; i < line.length; i++) line[i] += weight * data[start + i];
    }
    for (let x = 0; x < across.count; x++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = 0; k < across.reach; k++) {
        const weight = across.weights[x * across.reach + k];
        if (weight === 0) continue;
        const from = (across.first[x] + k) * 4;
        red += weight * line[from];
        green += weight * line[from + 1];
        blue += weight * line[from + 2];
      }
      put(x, y, red, green, blue);
    }
  }
}
