// Built by esbuild from app/web/device/source (npm run build): edit the TypeScript there.

// core/assignment.ts
function assign(values) {
  const rows = values.length;
  const columns = rows === 0 ? 0 : values[0].length;
  if (rows === 0 || columns === 0) return [];
  if (rows > columns) {
    const turned = Array.from({ length: columns }, (_, j) => values.map((row) => row[j]));
    return assign(turned).map(([column, row]) => [row, column]).sort((a, b) => a[0] - b[0]);
  }
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row++) augment(values, row, rowOf, rowPotential, columnPotential);
  const pairs = [];
  for (let column = 1; column <= columns; column++) {
    if (rowOf[column] > 0) pairs.push([rowOf[column] - 1, column - 1]);
  }
  return pairs.sort((a, b) => a[0] - b[0]);
}
function augment(values, row, rowOf, rowPotential, columnPotential) {
  const columns = rowOf.length - 1;
  const least = new Float64Array(columns + 1).fill(Infinity);
  const from = new Int32Array(columns + 1);
  const used = new Uint8Array(columns + 1);
  rowOf[0] = row;
  let column = 0;
  do {
    used[column] = 1;
    const current = rowOf[column];
    let delta = Infinity;
    let next = 0;
    for (let j = 1; j <= columns; j++) {
      if (used[j]) continue;
      const cost = -values[current - 1][j - 1] - rowPotential[current] - columnPotential[j];
      if (cost < least[j]) {
        least[j] = cost;
        from[j] = column;
      }
      if (least[j] < delta) {
        delta = least[j];
        next = j;
      }
    }
    for (let j = 0; j <= columns; j++) {
      if (used[j]) {
        rowPotential[rowOf[j]] += delta;
        columnPotential[j] -= delta;
      } else least[j] -= delta;
    }
    column = next;
  } while (rowOf[column] !== 0);
  while (column !== 0) {
    rowOf[column] = rowOf[from[column]];
    column = from[column];
  }
}

// core/types.ts
var KEYPOINTS = 17;

// core/boxes.ts
var SAME_BOX = 0.7;
var NEAR_BOX = 0.3;
var SAME_POSE = 0.7;
var BODY = 0.53;
var SIGMAS = [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89].map((one) => one / 1e3);
function area(box) {
  return (box[2] - box[0]) * (box[3] - box[1]);
}
function iou(a, b) {
  const width = Math.max(Math.min(a[2], b[2]) - Math.max(a[0], b[0]), 0);
  const height = Math.max(Math.min(a[3], b[3]) - Math.max(a[1], b[1]), 0);
  const inner = width * height;
  return inner / Math.max(area(a) + area(b) - inner, 1e-9);
}
function greedy(count, scores, same) {
  const order = Array.from({ length: count }, (_, i) => i).sort((i, j) => scores(j) - scores(i) || i - j);
  const kept = [];
  for (const i of order) if (!kept.some((j) => same(j, i))) kept.push(i);
  return kept;
}
function poseSimilarity(a, b) {
  const reach = 2 * Math.max(Math.min(area(a.box), area(b.box)), 1) * BODY;
  let sum = 0;
  for (let k = 0; k < KEYPOINTS; k++) {
    const dx = a.keypoints[3 * k] - b.keypoints[3 * k];
    const dy = a.keypoints[3 * k + 1] - b.keypoints[3 * k + 1];
    sum += Math.exp(-(dx * dx + dy * dy) / (reach * (2 * SIGMAS[k]) ** 2));
  }
  return sum / KEYPOINTS;
}
function unique(people) {
  const posed = people.map((one) => one.keypoints.some((value, i) => i % 3 === 2 && value !== 0));
  const same = (i, j) => {
    const overlap = iou(people[i].box, people[j].box);
    if (overlap > SAME_BOX) return true;
    return overlap > NEAR_BOX && posed[i] && posed[j] && poseSimilarity(people[i], people[j]) > SAME_POSE;
  };
  return greedy(people.length, (i) => people[i].score, same).map((i) => people[i]);
}

// core/decoding.ts
var STRIDE = 4;
var DUPLICATE = 0.7;
var SMALLEST = 0.5;
var NEAR = 1.8;
var MARGIN = 0.1;
var LEAST_MARGIN = 2;
var MOST = 100;
function decode(maps, scoreFloor) {
  const cells = findCenters(maps, scoreFloor);
  const boxes = cells.map((cell) => boxAt(maps, cell));
  const kept = greedy(
    cells.length,
    (i) => maps.center[cells[i]],
    (i, j) => iou(boxes[i], boxes[j]) > DUPLICATE
  );
  return kept.map((i) => {
    const keypoints = keypointsAt(maps, cells[i], boxes[i]);
    let sum = 0;
    for (let k = 0; k < KEYPOINTS; k++) sum += keypoints[3 * k + 2];
    const center = maps.center[cells[i]];
    return {
      box: boxes[i].map((value) => value * STRIDE),
      score: center * Math.sqrt(sum / KEYPOINTS),
      center,
      keypoints
    };
  });
}
function findCenters({ center, rows, columns }, scoreFloor) {
  const found2 = [];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const score = center[y * columns + x];
      if (score >= scoreFloor && isHighest(center, rows, columns, y, x)) found2.push(y * columns + x);
    }
  }
  return found2.sort((a, b) => center[b] - center[a] || a - b).slice(0, MOST);
}
function isHighest(center, rows, columns, y, x) {
  const score = center[y * columns + x];
  for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, rows - 1); v++) {
    for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, columns - 1); u++) {
      if (center[v * columns + u] > score) return false;
    }
  }
  return true;
}
function boxAt({ rows, columns, boxScale, boxOffset }, cell) {
  const plane = rows * columns;
  const halfHeight = Math.max(boxScale[cell], SMALLEST) / 2;
  const halfWidth = Math.max(boxScale[plane + cell], SMALLEST) / 2;
  const y = boxOffset[cell] + Math.floor(cell / columns);
  const x = boxOffset[plane + cell] + cell % columns;
  return [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
}
function keypointsAt(maps, cell, box) {
  const { rows, columns, heatmap, regress, offset } = maps;
  const plane = rows * columns;
  const [left, right] = searched(box[0], box[2], columns);
  const [top, bottom] = searched(box[1], box[3], rows);
  const found2 = new Float32Array(3 * KEYPOINTS);
  for (let k = 0; k < KEYPOINTS; k++) {
    const startY = regress[2 * k * plane + cell] + Math.floor(cell / columns);
    const startX = regress[(2 * k + 1) * plane + cell] + cell % columns;
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
    found2[3 * k] = (at % columns + offset[(2 * k + 1) * plane + at]) * STRIDE;
    found2[3 * k + 1] = (Math.floor(at / columns) + offset[2 * k * plane + at]) * STRIDE;
    found2[3 * k + 2] = heatmap[k * plane + at];
  }
  return found2;
}
function searched(low, high, size) {
  const margin = Math.max(MARGIN * (high - low), LEAST_MARGIN);
  const first = Math.floor(Math.min(Math.max(low - margin, 0), size - 2));
  const end = Math.ceil(high + margin) + 1;
  return [first, Math.min(Math.max(end, first + 2), size)];
}

// core/letterbox.ts
var STEP = 32;
function fittedSize(height, width, longest) {
  const spare = longest - longest * Math.min(height, width) / Math.max(height, width);
  const short = Math.max(longest - Math.floor(spare / STEP) * STEP, longest % STEP || STEP);
  return height <= width ? [short, longest] : [longest, short];
}
var Letterbox = class {
  constructor(size) {
    this.size = size;
    this.input = new Uint8Array(size[0] * size[1] * 3);
  }
  size;
  input;
  fill(image) {
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
};
function halved(image, rows, columns) {
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
function taps(from, to) {
  return to < from ? averaging(from, to) : bilinear(from, to);
}
function averaging(from, to) {
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
function bilinear(from, to) {
  const first = new Int32Array(to);
  const weights = new Float32Array(to * 2);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max((i + 0.5) * from / to - 0.5, 0), from - 1);
    first[i] = Math.min(Math.floor(at), Math.max(from - 2, 0));
    weights[2 * i + 1] = from > 1 ? at - first[i] : 0;
    weights[2 * i] = 1 - weights[2 * i + 1];
  }
  return { count: to, reach: 2, first, weights };
}
function resample(image, down, across, put) {
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

// core/masks.ts
var GRID = 40;
var MASK_SIZE = 2 * GRID;
var FEATURES = 24;
var CHANNELS = FEATURES + KEYPOINTS + 2;
var GROW = 1.15;
var LEAST = 1;
var SIGMA = 0.12;
var OCTAVES = 4;
var BOX_GROW = 0.025;
var LEAD = 2;
var OUTSIDE = -100;
function areaOf(box) {
  const [x1, y1, x2, y2] = box.map((value) => value / STRIDE);
  return {
    x: (x1 + x2) / 2,
    y: (y1 + y2) / 2,
    halfX: Math.max((x2 - x1) / 2 * GROW, LEAST),
    halfY: Math.max((y2 - y1) / 2 * GROW, LEAST)
  };
}
function maskInputs(features, rows, columns, people) {
  const out = new Float32Array(people.length * GRID * GRID * CHANNELS);
  people.forEach((person, i) => {
    const grid = out.subarray(i * GRID * GRID * CHANNELS, (i + 1) * GRID * GRID * CHANNELS);
    sampleFeatures(grid, features, rows, columns, person.box);
    drawKeypoints(grid, person);
  });
  return out;
}
function sampleFeatures(grid, features, rows, columns, box) {
  const { x, y, halfX, halfY } = areaOf(box);
  const stepX = 2 * halfX / GRID;
  const stepY = 2 * halfY / GRID;
  for (let v = 0; v < GRID; v++) {
    const atY = y - halfY + stepY * (v + 0.5) - 0.5;
    for (let u = 0; u < GRID; u++) {
      const atX = x - halfX + stepX * (u + 0.5) - 0.5;
      addSample(grid, (v * GRID + u) * CHANNELS, features, rows, columns, atY, atX);
    }
  }
}
function addSample(grid, target, features, rows, columns, y, x) {
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
function drawKeypoints(grid, { box, keypoints }) {
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
function placeMasks(logits, shown, view, boxes, height, width) {
  const plane = MASK_SIZE * MASK_SIZE;
  const placed = boxes.map((box, i) => {
    const rect = rectangle(box, height, width);
    return place(logits.subarray(i * plane, (i + 1) * plane), shown[i].box, view, rect);
  });
  for (let i = 0; i < placed.length; i++) {
    for (let j = i + 1; j < placed.length; j++) settle(placed[i], placed[j]);
  }
  return placed.map(({ mask }) => mask);
}
function rectangle([x1, y1, x2, y2], height, width) {
  const growX = (x2 - x1) * BOX_GROW;
  const growY = (y2 - y1) * BOX_GROW;
  const clip = (value, limit) => Math.min(Math.max(roundHalfEven(value), 0), limit);
  const rect = [clip(x1 - growX, width), clip(y1 - growY, height), clip(x2 + growX, width), clip(y2 + growY, height)];
  return rect[2] > rect[0] && rect[3] > rect[1] ? rect : [0, 0, 0, 0];
}
function roundHalfEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
function place(logits, inputBox, view, [left, top, right, bottom]) {
  const { x, y, halfX, halfY } = areaOf(inputBox);
  const cellX = STRIDE / view.scaleX;
  const cellY = STRIDE / view.scaleY;
  const stepX = 2 * halfX * cellX / MASK_SIZE;
  const stepY = 2 * halfY * cellY / MASK_SIZE;
  const originX = (x - halfX) * cellX + stepX / 2 - 0.5;
  const originY = (y - halfY) * cellY + stepY / 2 - 0.5;
  const width = right - left;
  const height = bottom - top;
  const warped = new Float32Array(width * height);
  const pixels = new Uint8Array(width * height);
  for (let v = 0; v < height; v++) {
    const atY = (top + v - originY) / stepY;
    for (let u = 0; u < width; u++) {
      const value = bilinear2(logits, atY, (left + u - originX) / stepX);
      warped[v * width + u] = value;
      pixels[v * width + u] = value > 0 ? 1 : 0;
    }
  }
  return { mask: { x: left, y: top, width, height, pixels }, logits: warped };
}
function bilinear2(logits, y, x) {
  const top = Math.floor(y);
  const left = Math.floor(x);
  const down = y - top;
  const right = x - left;
  const upper = (1 - right) * logit(logits, top, left) + right * logit(logits, top, left + 1);
  const lower = (1 - right) * logit(logits, top + 1, left) + right * logit(logits, top + 1, left + 1);
  return (1 - down) * upper + down * lower;
}
function logit(logits, y, x) {
  return y >= 0 && x >= 0 && y < MASK_SIZE && x < MASK_SIZE ? logits[y * MASK_SIZE + x] : OUTSIDE;
}
function settle(a, b) {
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

// core/network.ts
var MASKS_PER_RUN = 16;
var PeopleNetwork = class {
  constructor(runLook, runMasks) {
    this.runLook = runLook;
    this.runMasks = runMasks;
  }
  runLook;
  runMasks;
  letterbox = null;
  async detect(image, options) {
    const clock = new Stopwatch();
    const size = fittedSize(image.height, image.width, options.longest);
    if (this.letterbox === null || this.letterbox.size.some((side, i) => side !== size[i])) {
      this.letterbox = new Letterbox(size);
    }
    const view = this.letterbox.fill(image);
    clock.lap("input");
    const look = await this.runLook(this.letterbox.input, size);
    clock.lap("network");
    const people = found(decode(look, options.scoreFloor), view, image, options.scoreFloor);
    clock.lap("decode");
    const masks = (rows) => this.masks(look, rows.flatMap((row) => people[row] ?? []), view, image);
    return { people, masks, stages: clock.stages };
  }
  async masks(look, people, view, image) {
    if (people.length === 0) return [];
    const shown = people.map((person) => scaled(person, view.scaleX, view.scaleY));
    const logits = new Float32Array(people.length * 4 * GRID * GRID);
    for (let start = 0; start < shown.length; start += MASKS_PER_RUN) {
      const batch = shown.slice(start, start + MASKS_PER_RUN);
      const inputs = maskInputs(look.features, look.rows, look.columns, batch);
      logits.set(await this.runMasks(inputs, [batch.length, GRID, GRID, CHANNELS]), start * 4 * GRID * GRID);
    }
    const boxes = people.map((person) => person.box);
    return placeMasks(logits, shown, view, boxes, image.height, image.width);
  }
};
function found(people, view, image, scoreFloor) {
  const mapped = people.map((person) => scaled(person, 1 / view.scaleX, 1 / view.scaleY));
  for (const person of mapped) person.box = within(person.box, image);
  return unique(mapped).filter(
    ({ box, score }) => box[2] > box[0] && box[3] > box[1] && score >= scoreFloor
  );
}
function within([x1, y1, x2, y2], { width, height }) {
  const clip = (value, limit) => Math.min(Math.max(value, 0), limit);
  return [clip(x1, width), clip(y1, height), clip(x2, width), clip(y2, height)];
}
function scaled(person, byX, byY) {
  const [x1, y1, x2, y2] = person.box;
  const keypoints = person.keypoints.map((value, i) => value * [byX, byY, 1][i % 3]);
  return { ...person, box: [x1 * byX, y1 * byY, x2 * byX, y2 * byY], keypoints };
}
var Stopwatch = class {
  stages = {};
  last = performance.now();
  lap(stage) {
    const now = performance.now();
    this.stages[stage] = now - this.last;
    this.last = now;
  }
};

// core/stats.ts
var RESAMPLES = 1e3;
var TAIL = 0.025;
var LEAST_PAIRS = 5;
function percentile(values, share) {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}
function estimate(values) {
  const random = generator(values.length);
  const medians = Array.from(
    { length: RESAMPLES },
    () => percentile(
      values.map(() => values[Math.floor(random() * values.length)]),
      0.5
    )
  );
  return {
    median: percentile(values, 0.5),
    low: percentile(medians, TAIL),
    high: percentile(medians, 1 - TAIL)
  };
}
function generator(seed) {
  let state = seed;
  return () => {
    state = state + 1831565813 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}
var Recent = class {
  constructor(most) {
    this.most = most;
  }
  most;
  values = [];
  add(value) {
    this.values.push(value);
    if (this.values.length > this.most) this.values.shift();
  }
  get median() {
    return percentile(this.values, 0.5);
  }
  get p95() {
    return percentile(this.values, 0.95);
  }
  clear() {
    this.values.length = 0;
  }
};

// core/kalman.ts
var POSITION = 0.05;
var VELOCITY = 625e-5;
var NOMINAL_S = 4e-3;
var SMALLEST2 = 1e-3;
var BoxFilter = class {
  axes;
  constructor(box) {
    const measured = toCenter(box);
    const [, , width, height] = measured;
    this.axes = measured.map((p, i) => {
      const side = i % 2 === 0 ? width : height;
      return { p, v: 0, pp: (2 * POSITION * side) ** 2, pv: 0, vv: (10 * VELOCITY * side) ** 2 };
    });
  }
  get box() {
    const [x, y, width, height] = this.axes.map(({ p }) => p);
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
  }
  /** Moves on by so many frames of a source with so many frames per second. */
  predict(frames, fps) {
    const [width, height] = this.sides();
    this.axes.forEach((axis, i) => {
      const side = i % 2 === 0 ? width : height;
      const velocity = (VELOCITY * side) ** 2;
      let noise = [(POSITION * side) ** 2, 0, velocity];
      if (Math.abs(frames - 1) > NOMINAL_S * fps) {
        noise = [velocity * frames ** 4 / 4, velocity * frames ** 3 / 2, velocity * frames ** 2];
      }
      axis.p += frames * axis.v;
      axis.pp += 2 * frames * axis.pv + frames * frames * axis.vv + noise[0];
      axis.pv += frames * axis.vv + noise[1];
      axis.vv += noise[2];
    });
    this.clamp();
  }
  /** Takes in where the box was seen. */
  update(box) {
    const [width, height] = this.sides();
    toCenter(box).forEach((seen, i) => {
      const axis = this.axes[i];
      const noise = (POSITION * (i % 2 === 0 ? width : height)) ** 2;
      const total = axis.pp + noise;
      const gain = axis.pp / total;
      const velocityGain = axis.pv / total;
      const off = seen - axis.p;
      axis.p += gain * off;
      axis.v += velocityGain * off;
      axis.vv -= velocityGain * axis.pv;
      axis.pv *= 1 - gain;
      axis.pp *= 1 - gain;
    });
    this.clamp();
  }
  sides() {
    return [Math.max(this.axes[2].p, SMALLEST2), Math.max(this.axes[3].p, SMALLEST2)];
  }
  clamp() {
    [this.axes[2].p, this.axes[3].p] = this.sides();
  }
};
function toCenter([x1, y1, x2, y2]) {
  return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1];
}

// core/tracker.ts
var NOMINAL_FPS = 30;
var CARRY_S = 0.25;
var CENTER = 0.5;
var INSIDE = 5e-3;
var UNSEEN = 0.5;
var LONGEST_S = 0.5;
var UNCONFIRMED = 0.3;
var [LOW, HIGH, NEW] = [0.101, 0.7, 0.8];
var Track = class {
  filter;
  id = 0;
  // 0 is none yet
  sightings = 1;
  missed = 0;
  // frames
  missedS = 0;
  lastS;
  lastScore;
  constructor({ box, score }, timeS) {
    this.filter = new BoxFilter(box);
    this.lastS = timeS;
    this.lastScore = score;
  }
};
var Tracker = class {
  constructor(settings, fps = NOMINAL_FPS) {
    this.settings = settings;
    this.fps = fps;
  }
  settings;
  fps;
  tracks = [];
  nextId = 1;
  clockS = 0;
  updatedS = null;
  lastTime = null;
  /** Forgets all tracks, as at a cut. */
  reset() {
    this.tracks = [];
    this.lastTime = null;
    this.updatedS = null;
  }
  /**
   * Follows everyone into the next frame.
   *
   * @param found what was detected in it, weak detections too.
   * @param timeS the frame's time; one that is missing, repeated or goes back counts as one frame.
   * @returns those with an identity, best score first.
   */
  follow(found2, timeS) {
    this.advance(timeS);
    const { low, new: least } = this.settings;
    if (this.tracks.length === 0 && !found2.some(({ score }) => score >= least)) {
      this.updatedS = null;
      return [];
    }
    this.predict();
    const pairs = this.associate(found2, indices(found2, (score) => score >= low));
    return pairs.filter(({ track }) => track.id > 0).map(({ track, detection }) => ({
      id: track.id,
      box: halfway(track.filter.box, found2[detection].box),
      score: found2[detection].score,
      detection
    })).sort((a, b) => b.score - a.score || a.detection - b.detection);
  }
  /** Those missed a moment ago who have not left an image of this size, where they are expected. */
  coasted(height, width) {
    const [byX, byY] = [INSIDE * width, INSIDE * height];
    return this.tracks.filter((track) => track.id > 0 && track.missed > 0 && track.lastS >= this.clockS - CARRY_S).map((track) => ({ id: track.id, box: track.filter.box, score: UNSEEN * track.lastScore, detection: -1 })).filter(({ box }) => box[0] > byX && box[1] > byY && box[2] < width - byX && box[3] < height - byY);
  }
  advance(timeS) {
    const moved = timeS !== null && this.lastTime !== null && timeS > this.lastTime;
    this.clockS += moved ? Math.min(timeS - this.lastTime, LONGEST_S) : 1 / this.fps;
    if (timeS !== null) this.lastTime = timeS;
  }
  predict() {
    const elapsed = this.updatedS === null ? 1 / this.fps : this.clockS - this.updatedS;
    this.updatedS = this.clockS;
    for (const track of this.tracks) {
      track.filter.predict(elapsed * this.fps, this.fps);
      track.missed += 1;
      track.missedS += elapsed;
    }
    this.tracks = this.tracks.filter((track) => this.remembered(track));
  }
  remembered({ missedS }) {
    return missedS <= Math.round(this.settings.lost_s * NOMINAL_FPS) / NOMINAL_FPS;
  }
  /** Matches strong detections, then weak ones, then those of new tracks; starts tracks of what remains. */
  associate(found2, rows) {
    const { high, first_iou, second_iou, new: least, confirm_frames } = this.settings;
    const strong = rows.filter((i) => found2[i].score >= high);
    const weak = rows.filter((i) => found2[i].score < high);
    const mature = (track) => track.id > 0 || track.sightings >= confirm_frames;
    const confirmed = this.tracks.filter((track) => track.missed === 1 && mature(track));
    const lost = this.tracks.filter((track) => track.missed > 1);
    const fresh = this.tracks.filter((track) => track.missed === 1 && !mature(track));
    const trust = (i) => this.scaled(found2[i].score);
    const first = match([...confirmed, ...lost], strong, found2, first_iou, trust);
    const second = match(without(confirmed, first), weak, found2, second_iou, () => 1);
    const third = match(fresh, rest(strong, first), found2, UNCONFIRMED, trust);
    const pairs = [...first, ...second, ...third];
    for (const { track, detection } of pairs) this.see(track, found2[detection]);
    const gone = new Set(without(fresh, third));
    this.tracks = this.tracks.filter((track) => !gone.has(track));
    for (const i of rest(rest(strong, first), third)) {
      if (found2[i].score >= least) this.tracks.push(new Track(found2[i], this.clockS));
    }
    this.tracks = this.tracks.filter((track) => this.remembered(track) && (track.missed === 0 || mature(track)));
    return pairs;
  }
  /** The score as a detector would give it that suits ByteTrack's own thresholds. */
  scaled(score) {
    const { low, high, new: least } = this.settings;
    if (score >= least) return between(score, least, 1, NEW, 1);
    return score >= high ? between(score, high, least, HIGH, NEW) : between(score, low, high, LOW, HIGH);
  }
  see(track, { box, score }) {
    track.filter.update(box);
    track.sightings += 1;
    track.missed = 0;
    track.missedS = 0;
    track.lastS = this.clockS;
    track.lastScore = score;
    if (track.id === 0 && track.sightings >= this.settings.confirm_frames) track.id = this.nextId++;
  }
};
function indices(found2, wanted) {
  return found2.flatMap(({ score }, i) => wanted(score) ? [i] : []);
}
function between(value, low, high, from, to) {
  return from + (to - from) * (value - low) / (high - low);
}
function match(tracks, rows, found2, least, trust) {
  const values = tracks.map((track) => {
    const { box } = track.filter;
    return rows.map((i) => iou(box, found2[i].box) * trust(i));
  });
  return assign(values).filter(([row, column]) => values[row][column] >= least).map(([row, column]) => ({ track: tracks[row], detection: rows[column] }));
}
function without(tracks, pairs) {
  return tracks.filter((track) => !pairs.some((pair) => pair.track === track));
}
function rest(rows, pairs) {
  return rows.filter((i) => !pairs.some((pair) => pair.detection === i));
}
function halfway(steady, seen) {
  const x = CENTER * (seen[0] + seen[2] - steady[0] - steady[2]) / 2;
  const y = CENTER * (seen[1] + seen[3] - steady[1] - steady[3]) / 2;
  return [steady[0] + x, steady[1] + y, steady[2] + x, steady[3] + y];
}

// node_modules/fzstd/esm/index.mjs
var ab = ArrayBuffer;
var u8 = Uint8Array;
var u16 = Uint16Array;
var i16 = Int16Array;
var i32 = Int32Array;
var slc = function(v, s, e) {
  if (u8.prototype.slice)
    return u8.prototype.slice.call(v, s, e);
  if (s == null || s < 0)
    s = 0;
  if (e == null || e > v.length)
    e = v.length;
  var n = new u8(e - s);
  n.set(v.subarray(s, e));
  return n;
};
var fill = function(v, n, s, e) {
  if (u8.prototype.fill)
    return u8.prototype.fill.call(v, n, s, e);
  if (s == null || s < 0)
    s = 0;
  if (e == null || e > v.length)
    e = v.length;
  for (; s < e; ++s)
    v[s] = n;
  return v;
};
var cpw = function(v, t, s, e) {
  if (u8.prototype.copyWithin)
    return u8.prototype.copyWithin.call(v, t, s, e);
  if (s == null || s < 0)
    s = 0;
  if (e == null || e > v.length)
    e = v.length;
  while (s < e) {
    v[t++] = v[s++];
  }
};
var ec = [
  "invalid zstd data",
  "window size too large (>2046MB)",
  "invalid block type",
  "FSE accuracy too high",
  "match distance too far back",
  "unexpected EOF"
];
var err = function(ind, msg, nt) {
  var e = new Error(msg || ec[ind]);
  e.code = ind;
  if (Error.captureStackTrace)
    Error.captureStackTrace(e, err);
  if (!nt)
    throw e;
  return e;
};
var rb = function(d, b, n) {
  var i = 0, o = 0;
  for (; i < n; ++i)
    o |= d[b++] << (i << 3);
  return o;
};
var b4 = function(d, b) {
  return (d[b] | d[b + 1] << 8 | d[b + 2] << 16 | d[b + 3] << 24) >>> 0;
};
var rzfh = function(dat, w) {
  var n3 = dat[0] | dat[1] << 8 | dat[2] << 16;
  if (n3 == 3126568 && dat[3] == 253) {
    var flg = dat[4];
    var ss = flg >> 5 & 1, cc = flg >> 2 & 1, df = flg & 3, fcf = flg >> 6;
    if (flg & 8)
      err(0);
    var bt = 6 - ss;
    var db = df == 3 ? 4 : df;
    var di = rb(dat, bt, db);
    bt += db;
    var fsb = fcf ? 1 << fcf : ss;
    var fss = rb(dat, bt, fsb) + (fcf == 1 && 256);
    var ws = fss;
    if (!ss) {
      var wb = 1 << 10 + (dat[5] >> 3);
      ws = wb + (wb >> 3) * (dat[5] & 7);
    }
    if (ws > 2145386496)
      err(1);
    var buf = new u8((w == 1 ? fss || ws : w ? 0 : ws) + 12);
    buf[0] = 1, buf[4] = 4, buf[8] = 8;
    return {
      b: bt + fsb,
      y: 0,
      l: 0,
      d: di,
      w: w && w != 1 ? w : buf.subarray(12),
      e: ws,
      o: new i32(buf.buffer, 0, 3),
      u: fss,
      c: cc,
      m: Math.min(131072, ws)
    };
  } else if ((n3 >> 4 | dat[3] << 20) == 25481893) {
    return b4(dat, 4) + 8;
  }
  err(0);
};
var msb = function(val) {
  var bits = 0;
  for (; 1 << bits <= val; ++bits)
    ;
  return bits - 1;
};
var rfse = function(dat, bt, mal) {
  var tpos = (bt << 3) + 4;
  var al = (dat[bt] & 15) + 5;
  if (al > mal)
    err(3);
  var sz = 1 << al;
  var probs = sz, sym = -1, re = -1, i = -1, ht = sz;
  var buf = new ab(512 + (sz << 2));
  var freq = new i16(buf, 0, 256);
  var dstate = new u16(buf, 0, 256);
  var nstate = new u16(buf, 512, sz);
  var bb1 = 512 + (sz << 1);
  var syms = new u8(buf, bb1, sz);
  var nbits = new u8(buf, bb1 + sz);
  while (sym < 255 && probs > 0) {
    var bits = msb(probs + 1);
    var cbt = tpos >> 3;
    var msk = (1 << bits + 1) - 1;
    var val = (dat[cbt] | dat[cbt + 1] << 8 | dat[cbt + 2] << 16) >> (tpos & 7) & msk;
    var msk1fb = (1 << bits) - 1;
    var msv = msk - probs - 1;
    var sval = val & msk1fb;
    if (sval < msv)
      tpos += bits, val = sval;
    else {
      tpos += bits + 1;
      if (val > msk1fb)
        val -= msv;
    }
    freq[++sym] = --val;
    if (val == -1) {
      probs += val;
      syms[--ht] = sym;
    } else
      probs -= val;
    if (!val) {
      do {
        var rbt = tpos >> 3;
        re = (dat[rbt] | dat[rbt + 1] << 8) >> (tpos & 7) & 3;
        tpos += 2;
        sym += re;
      } while (re == 3);
    }
  }
  if (sym > 255 || probs)
    err(0);
  var sympos = 0;
  var sstep = (sz >> 1) + (sz >> 3) + 3;
  var smask = sz - 1;
  for (var s = 0; s <= sym; ++s) {
    var sf = freq[s];
    if (sf < 1) {
      dstate[s] = -sf;
      continue;
    }
    for (i = 0; i < sf; ++i) {
      syms[sympos] = s;
      do {
        sympos = sympos + sstep & smask;
      } while (sympos >= ht);
    }
  }
  if (sympos)
    err(0);
  for (i = 0; i < sz; ++i) {
    var ns = dstate[syms[i]]++;
    var nb = nbits[i] = al - msb(ns);
    nstate[i] = (ns << nb) - sz;
  }
  return [tpos + 7 >> 3, {
    b: al,
    s: syms,
    n: nbits,
    t: nstate
  }];
};
var rhu = function(dat, bt) {
  var i = 0, wc = -1;
  var buf = new u8(292), hb = dat[bt];
  var hw = buf.subarray(0, 256);
  var rc = buf.subarray(256, 268);
  var ri = new u16(buf.buffer, 268);
  if (hb < 128) {
    var _a = rfse(dat, bt + 1, 6), ebt = _a[0], fdt = _a[1];
    bt += hb;
    var epos = ebt << 3;
    var lb = dat[bt];
    if (!lb)
      err(0);
    var st1 = 0, st2 = 0, btr1 = fdt.b, btr2 = btr1;
    var fpos = (++bt << 3) - 8 + msb(lb);
    for (; ; ) {
      fpos -= btr1;
      if (fpos < epos)
        break;
      var cbt = fpos >> 3;
      st1 += (dat[cbt] | dat[cbt + 1] << 8) >> (fpos & 7) & (1 << btr1) - 1;
      hw[++wc] = fdt.s[st1];
      fpos -= btr2;
      if (fpos < epos)
        break;
      cbt = fpos >> 3;
      st2 += (dat[cbt] | dat[cbt + 1] << 8) >> (fpos & 7) & (1 << btr2) - 1;
      hw[++wc] = fdt.s[st2];
      btr1 = fdt.n[st1];
      st1 = fdt.t[st1];
      btr2 = fdt.n[st2];
      st2 = fdt.t[st2];
    }
    if (++wc > 255)
      err(0);
  } else {
    wc = hb - 127;
    for (; i < wc; i += 2) {
      var byte = dat[++bt];
      hw[i] = byte >> 4;
      hw[i + 1] = byte & 15;
    }
    ++bt;
  }
  var wes = 0;
  for (i = 0; i < wc; ++i) {
    var wt = hw[i];
    if (wt > 11)
      err(0);
    wes += wt && 1 << wt - 1;
  }
  var mb = msb(wes) + 1;
  var ts = 1 << mb;
  var rem = ts - wes;
  if (rem & rem - 1)
    err(0);
  hw[wc++] = msb(rem) + 1;
  for (i = 0; i < wc; ++i) {
    var wt = hw[i];
    ++rc[hw[i] = wt && mb + 1 - wt];
  }
  var hbuf = new u8(ts << 1);
  var syms = hbuf.subarray(0, ts), nb = hbuf.subarray(ts);
  ri[mb] = 0;
  for (i = mb; i > 0; --i) {
    var pv = ri[i];
    fill(nb, i, pv, ri[i - 1] = pv + rc[i] * (1 << mb - i));
  }
  if (ri[0] != ts)
    err(0);
  for (i = 0; i < wc; ++i) {
    var bits = hw[i];
    if (bits) {
      var code = ri[bits];
      fill(syms, i, code, ri[bits] = code + (1 << mb - bits));
    }
  }
  return [bt, {
    n: nb,
    b: mb,
    s: syms
  }];
};
var dllt = rfse(/* @__PURE__ */ new u8([
  81,
  16,
  99,
  140,
  49,
  198,
  24,
  99,
  12,
  33,
  196,
  24,
  99,
  102,
  102,
  134,
  70,
  146,
  4
]), 0, 6)[1];
var dmlt = rfse(/* @__PURE__ */ new u8([
  33,
  20,
  196,
  24,
  99,
  140,
  33,
  132,
  16,
  66,
  8,
  33,
  132,
  16,
  66,
  8,
  33,
  68,
  68,
  68,
  68,
  68,
  68,
  68,
  68,
  36,
  9
]), 0, 6)[1];
var doct = rfse(/* @__PURE__ */ new u8([
  32,
  132,
  16,
  66,
  102,
  70,
  68,
  68,
  68,
  68,
  36,
  73,
  2
]), 0, 5)[1];
var b2bl = function(b, s) {
  var len = b.length, bl = new i32(len);
  for (var i = 0; i < len; ++i) {
    bl[i] = s;
    s += 1 << b[i];
  }
  return bl;
};
var llb = /* @__PURE__ */ new u8((/* @__PURE__ */ new i32([
  0,
  0,
  0,
  0,
  16843009,
  50528770,
  134678020,
  202050057,
  269422093
])).buffer, 0, 36);
var llbl = /* @__PURE__ */ b2bl(llb, 0);
var mlb = /* @__PURE__ */ new u8((/* @__PURE__ */ new i32([
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  16843009,
  50528770,
  117769220,
  185207048,
  252579084,
  16
])).buffer, 0, 53);
var mlbl = /* @__PURE__ */ b2bl(mlb, 3);
var dhu = function(dat, out, hu) {
  var len = dat.length, ss = out.length, lb = dat[len - 1], msk = (1 << hu.b) - 1, eb = -hu.b;
  if (!lb)
    err(0);
  var st = 0, btr = hu.b, pos = (len << 3) - 8 + msb(lb) - btr, i = -1;
  for (; pos > eb && i < ss; ) {
    var cbt = pos >> 3;
    var val = (dat[cbt] | dat[cbt + 1] << 8 | dat[cbt + 2] << 16) >> (pos & 7);
    st = (st << btr | val) & msk;
    out[++i] = hu.s[st];
    pos -= btr = hu.n[st];
  }
  if (pos != eb || i + 1 != ss)
    err(0);
};
var dhu4 = function(dat, out, hu) {
  var bt = 6;
  var ss = out.length, sz1 = ss + 3 >> 2, sz2 = sz1 << 1, sz3 = sz1 + sz2;
  dhu(dat.subarray(bt, bt += dat[0] | dat[1] << 8), out.subarray(0, sz1), hu);
  dhu(dat.subarray(bt, bt += dat[2] | dat[3] << 8), out.subarray(sz1, sz2), hu);
  dhu(dat.subarray(bt, bt += dat[4] | dat[5] << 8), out.subarray(sz2, sz3), hu);
  dhu(dat.subarray(bt), out.subarray(sz3), hu);
};
var rzb = function(dat, st, out) {
  var _a;
  var bt = st.b;
  var b0 = dat[bt], btype = b0 >> 1 & 3;
  st.l = b0 & 1;
  var sz = b0 >> 3 | dat[bt + 1] << 5 | dat[bt + 2] << 13;
  var ebt = (bt += 3) + sz;
  if (btype == 1) {
    if (bt >= dat.length)
      return;
    st.b = bt + 1;
    if (out) {
      fill(out, dat[bt], st.y, st.y += sz);
      return out;
    }
    return fill(new u8(sz), dat[bt]);
  }
  if (ebt > dat.length)
    return;
  if (btype == 0) {
    st.b = ebt;
    if (out) {
      out.set(dat.subarray(bt, ebt), st.y);
      st.y += sz;
      return out;
    }
    return slc(dat, bt, ebt);
  }
  if (btype == 2) {
    var b3 = dat[bt], lbt = b3 & 3, sf = b3 >> 2 & 3;
    var lss = b3 >> 4, lcs = 0, s4 = 0;
    if (lbt < 2) {
      if (sf & 1)
        lss |= dat[++bt] << 4 | (sf & 2 && dat[++bt] << 12);
      else
        lss = b3 >> 3;
    } else {
      s4 = sf;
      if (sf < 2)
        lss |= (dat[++bt] & 63) << 4, lcs = dat[bt] >> 6 | dat[++bt] << 2;
      else if (sf == 2)
        lss |= dat[++bt] << 4 | (dat[++bt] & 3) << 12, lcs = dat[bt] >> 2 | dat[++bt] << 6;
      else
        lss |= dat[++bt] << 4 | (dat[++bt] & 63) << 12, lcs = dat[bt] >> 6 | dat[++bt] << 2 | dat[++bt] << 10;
    }
    ++bt;
    var buf = out ? out.subarray(st.y, st.y + st.m) : new u8(st.m);
    var spl = buf.length - lss;
    if (lbt == 0)
      buf.set(dat.subarray(bt, bt += lss), spl);
    else if (lbt == 1)
      fill(buf, dat[bt++], spl);
    else {
      var hu = st.h;
      if (lbt == 2) {
        var hud = rhu(dat, bt);
        lcs += bt - (bt = hud[0]);
        st.h = hu = hud[1];
      } else if (!hu)
        err(0);
      (s4 ? dhu4 : dhu)(dat.subarray(bt, bt += lcs), buf.subarray(spl), hu);
    }
    var ns = dat[bt++];
    if (ns) {
      if (ns == 255)
        ns = (dat[bt++] | dat[bt++] << 8) + 32512;
      else if (ns > 127)
        ns = ns - 128 << 8 | dat[bt++];
      var scm = dat[bt++];
      if (scm & 3)
        err(0);
      var dts = [dmlt, doct, dllt];
      for (var i = 2; i > -1; --i) {
        var md = scm >> (i << 1) + 2 & 3;
        if (md == 1) {
          var rbuf = new u8([0, 0, dat[bt++]]);
          dts[i] = {
            s: rbuf.subarray(2, 3),
            n: rbuf.subarray(0, 1),
            t: new u16(rbuf.buffer, 0, 1),
            b: 0
          };
        } else if (md == 2) {
          _a = rfse(dat, bt, 9 - (i & 1)), bt = _a[0], dts[i] = _a[1];
        } else if (md == 3) {
          if (!st.t)
            err(0);
          dts[i] = st.t[i];
        }
      }
      var _b = st.t = dts, mlt = _b[0], oct = _b[1], llt = _b[2];
      var lb = dat[ebt - 1];
      if (!lb)
        err(0);
      var spos = (ebt << 3) - 8 + msb(lb) - llt.b, cbt = spos >> 3, oubt = 0;
      var lst = (dat[cbt] | dat[cbt + 1] << 8) >> (spos & 7) & (1 << llt.b) - 1;
      cbt = (spos -= oct.b) >> 3;
      var ost = (dat[cbt] | dat[cbt + 1] << 8) >> (spos & 7) & (1 << oct.b) - 1;
      cbt = (spos -= mlt.b) >> 3;
      var mst = (dat[cbt] | dat[cbt + 1] << 8) >> (spos & 7) & (1 << mlt.b) - 1;
      for (++ns; --ns; ) {
        var llc = llt.s[lst];
        var lbtr = llt.n[lst];
        var mlc = mlt.s[mst];
        var mbtr = mlt.n[mst];
        var ofc = oct.s[ost];
        var obtr = oct.n[ost];
        cbt = (spos -= ofc) >> 3;
        var ofp = 1 << ofc;
        var off = ofp + ((dat[cbt] | dat[cbt + 1] << 8 | dat[cbt + 2] << 16 | dat[cbt + 3] << 24) >>> (spos & 7) & ofp - 1);
        cbt = (spos -= mlb[mlc]) >> 3;
        var ml = mlbl[mlc] + ((dat[cbt] | dat[cbt + 1] << 8 | dat[cbt + 2] << 16) >> (spos & 7) & (1 << mlb[mlc]) - 1);
        cbt = (spos -= llb[llc]) >> 3;
        var ll = llbl[llc] + ((dat[cbt] | dat[cbt + 1] << 8 | dat[cbt + 2] << 16) >> (spos & 7) & (1 << llb[llc]) - 1);
        cbt = (spos -= lbtr) >> 3;
        lst = llt.t[lst] + ((dat[cbt] | dat[cbt + 1] << 8) >> (spos & 7) & (1 << lbtr) - 1);
        cbt = (spos -= mbtr) >> 3;
        mst = mlt.t[mst] + ((dat[cbt] | dat[cbt + 1] << 8) >> (spos & 7) & (1 << mbtr) - 1);
        cbt = (spos -= obtr) >> 3;
        ost = oct.t[ost] + ((dat[cbt] | dat[cbt + 1] << 8) >> (spos & 7) & (1 << obtr) - 1);
        if (off > 3) {
          st.o[2] = st.o[1];
          st.o[1] = st.o[0];
          st.o[0] = off -= 3;
        } else {
          var idx = off - (ll != 0);
          if (idx) {
            off = idx == 3 ? st.o[0] - 1 : st.o[idx];
            if (idx > 1)
              st.o[2] = st.o[1];
            st.o[1] = st.o[0];
            st.o[0] = off;
          } else
            off = st.o[0];
        }
        for (var i = 0; i < ll; ++i) {
          buf[oubt + i] = buf[spl + i];
        }
        oubt += ll, spl += ll;
        var stin = oubt - off;
        if (stin < 0) {
          var len = -stin;
          var bs = st.e + stin;
          if (len > ml)
            len = ml;
          for (var i = 0; i < len; ++i) {
            buf[oubt + i] = st.w[bs + i];
          }
          oubt += len, ml -= len, stin = 0;
        }
        for (var i = 0; i < ml; ++i) {
          buf[oubt + i] = buf[stin + i];
        }
        oubt += ml;
      }
      if (oubt != spl) {
        while (spl < buf.length) {
          buf[oubt++] = buf[spl++];
        }
      } else
        oubt = buf.length;
      if (out)
        st.y += oubt;
      else
        buf = slc(buf, 0, oubt);
    } else if (out) {
      st.y += lss;
      if (spl) {
        for (var i = 0; i < lss; ++i) {
          buf[i] = buf[spl + i];
        }
      }
    } else if (spl)
      buf = slc(buf, spl);
    st.b = ebt;
    return buf;
  }
  err(2);
};
var cct = function(bufs, ol) {
  if (bufs.length == 1)
    return bufs[0];
  var buf = new u8(ol);
  for (var i = 0, b = 0; i < bufs.length; ++i) {
    var chk = bufs[i];
    buf.set(chk, b);
    b += chk.length;
  }
  return buf;
};
function decompress(dat, buf) {
  var bufs = [], nb = +!buf;
  var bt = 0, ol = 0;
  for (; dat.length; ) {
    var st = rzfh(dat, nb || buf);
    if (typeof st == "object") {
      if (nb) {
        buf = null;
        if (st.w.length == st.u) {
          bufs.push(buf = st.w);
          ol += st.u;
        }
      } else {
        bufs.push(buf);
        st.e = 0;
      }
      for (; !st.l; ) {
        var blk = rzb(dat, st, buf);
        if (!blk)
          err(5);
        if (buf)
          st.e = st.y;
        else {
          bufs.push(blk);
          ol += blk.length;
          cpw(st.w, 0, blk.length);
          st.w.set(blk, st.w.length - blk.length);
        }
      }
      bt = st.b + st.c * 4;
    } else
      bt = st;
    dat = dat.subarray(bt);
  }
  return cct(bufs, ol);
}

// core/weights.ts
var GZIP = [31, 139];
var ZSTD = [40, 181, 47, 253];
async function unpack(file) {
  const begins = (magic) => magic.every((byte, i) => file[i] === byte);
  if (begins(ZSTD)) return decompress(file);
  if (!begins(GZIP)) return file;
  const stream = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
function joinPlanes(planes) {
  const half = planes.length / 2;
  const joined = new Uint8Array(planes.length);
  for (let i = 0; i < half; i++) {
    joined[2 * i] = planes[i];
    joined[2 * i + 1] = planes[half + i];
  }
  return joined;
}
export {
  LEAST_PAIRS,
  Letterbox,
  PeopleNetwork,
  Recent,
  Tracker,
  assign,
  decode,
  estimate,
  fittedSize,
  iou,
  joinPlanes,
  maskInputs,
  percentile,
  placeMasks,
  unique,
  unpack
};
