// From the network's maps to people in pixels of its input, as models/people/decoding.py reads them.

import { greedy, iou } from "./boxes";
import { type Box, KEYPOINTS, type Person } from "./types";

/** Pixels of the network's input per cell. */
export const STRIDE = 4;

const DUPLICATE = 0.7;
const SMALLEST = 0.5; // cells
const NEAR = 1.8; // cells
const MARGIN = 0.1; // of the box's side
const LEAST_MARGIN = 2; // cells
const MOST = 100;

/** What the network says about one image, for each of rows x columns cells; see `Maps` in Python. */
export interface Maps {
  rows: number;
  columns: number;
  center: Float32Array;
  heatmap: Float32Array;
  regress: Float32Array;
  offset: Float32Array;
  boxScale: Float32Array;
  boxOffset: Float32Array;
}

/** The people that the network finds, in pixels of its input, best center first. */
export function decode(maps: Maps, scoreFloor: number): Person[] {
  const cells = findCenters(maps, scoreFloor);
  const boxes = cells.map((cell) => boxAt(maps, cell));
  const kept = greedy(
    cells.length,
    (i) => maps.center[cells[i]],
    (i, j) => iou(boxes[i], boxes[j]) > DUPLICATE,
  );
  return kept.map((i) => {
    const keypoints = keypointsAt(maps, cells[i], boxes[i]);
    let sum = 0;
    for (let k = 0; k < KEYPOINTS; k++) sum += keypoints[3 * k + 2];
    const center = maps.center[cells[i]];
    return {
      box: boxes[i].map((value) => value * STRIDE) as Box,
      score: center * Math.sqrt(sum / KEYPOINTS),
      center,
      keypoints,
    };
  });
}

/** Indices of the cells that are the highest of their 3 x 3 neighborhood, best first. */
export function findCenters({ center, rows, columns }: Maps, scoreFloor: number): number[] {
  const found: number[] = [];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const score = center[y * columns + x];
      if (score >= scoreFloor && isHighest(center, rows, columns, y, x)) found.push(y * columns + x);
    }
  }
  return found.sort((a, b) => center[b] - center[a] || a - b).slice(0, MOST);
}

function isHighest(center: Float32Array, rows: number, columns: number, y: number, x: number): boolean {
  const score = center[y * columns + x];
  for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, rows - 1); v++) {
    for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, columns - 1); u++) {
      if (center[v * columns + u] > score) return false;
    }
  }
  return true;
}

/** The box, in cells, of the person whose center is in a cell. */
function boxAt({ rows, columns, boxScale, boxOffset }: Maps, cell: number): Box {
  const plane = rows * columns;
  const halfHeight = Math.max(boxScale[cell], SMALLEST) / 2;
  const halfWidth = Math.max(boxScale[plane + cell], SMALLEST) / 2;
  const y = boxOffset[cell] + Math.floor(cell / columns);
  const x = boxOffset[plane + cell] + (cell % columns);
  return [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
}

/** The keypoints, in pixels, of the person with this center and box. */
function keypointsAt(maps: Maps, cell: number, box: Box): Float32Array {
  const { rows, columns, heatmap, regress, offset } = maps;
  const plane = rows * columns;
  const [left, right] = searched(box[0], box[2], columns);
  const [top, bottom] = searched(box[1], box[3], rows);
  const found = new Float32Array(3 * KEYPOINTS);
  for (let k = 0; k < KEYPOINTS; k++) {
    const startY = regress[2 * k * plane + cell] + Math.floor(cell / columns);
    const startX = regress[(2 * k + 1) * plane + cell] + (cell % columns);
    let best = -1;
    let at = top * columns + left;
    for (let y = top; y < bottom; y++) {
      const dy = y - startY;
      for (let x = left; x < right; x++) {
        const dx = x - startX;
        const weight = heatmap[k * plane + y * columns + x] / (Math.sqrt(dy * dy + dx * dx) + NEAR);
        if (weight > best) {
          best = weight;
          at = y * columns + x;
        }
      }
    }
    found[3 * k] = ((at % columns) + offset[(2 * k + 1) * plane + at]) * STRIDE;
    found[3 * k + 1] = (Math.floor(at / columns) + offset[2 * k * plane + at]) * STRIDE;
    found[3 * k + 2] = heatmap[k * plane + at];
  }
  return found;
}

/** First and end (exclusive) of the cells along one axis that keypoints are searched in. */
function searched(low: number, high: number, size: number): [number, number] {
  const margin = Math.max(MARGIN * (high - low), LEAST_MARGIN);
  const first = Math.floor(Math.min(Math.max(low - margin, 0), size - 2));
  const end = Math.ceil(high + margin) + 1;
  return [first, Math.min(Math.max(end, first + 2), size)];
}
