// One look at one image: boxes, keypoints and masks of everyone in it (models/people/network.py, a single look).

import { unique } from "./boxes";
import { decode, type Maps } from "./decoding";
import { fittedSize, Letterbox } from "./letterbox";
import { CHANNELS, GRID, maskInputs, placeMasks } from "./masks";
import type { Box, Image, Mask, Person, Size, View } from "./types";

/** What the network gives for one input. */
export interface Look extends Maps {
  features: Float32Array;
}

/** Runs the network on (1, height, width, 3) blue-green-red bytes. */
export type RunLook = (input: Uint8Array, size: Size) => Promise<Look>;

/** Runs the mask head on (N, 40, 40, 43) values; (N, 80, 80) logits. */
export type RunMasks = (inputs: Float32Array, shape: readonly number[]) => Promise<Float32Array>;

/** The people of an image, best first. */
export interface Found {
  people: Person[];
  /** Computes the masks of some of them, by index, leaving out who is not there; they overlap among these alone. */
  masks: (rows: number[]) => Promise<Mask[]>;
  /** Milliseconds by stage. */
  stages: Record<string, number>;
}

const MASKS_PER_RUN = 16;

export interface Options {
  /** Longer side of the network's input in pixels, a multiple of 32. */
  longest: number;
  /** The lowest score that is reported. */
  scoreFloor: number;
}

/** Finds people. One image at a time. */
export class PeopleNetwork {
  private letterbox: Letterbox | null = null;

  constructor(
    private readonly runLook: RunLook,
    private readonly runMasks: RunMasks,
  ) {}

  async detect(image: Image, options: Options): Promise<Found> {
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
    const masks = (rows: number[]): Promise<Mask[]> =>
      this.masks(look, rows.flatMap((row) => people[row] ?? []), view, image);
    return { people, masks, stages: clock.stages };
  }

  private async masks(look: Look, people: Person[], view: View, image: Image): Promise<Mask[]> {
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
}

/** The people of a look in pixels of the image, each once, with boxes inside it. */
function found(people: Person[], view: View, image: Image, scoreFloor: number): Person[] {
  const mapped = people.map((person) => scaled(person, 1 / view.scaleX, 1 / view.scaleY));
  for (const person of mapped) person.box = within(person.box, image);
  return unique(mapped).filter(
    ({ box, score }) => box[2] > box[0] && box[3] > box[1] && score >= scoreFloor,
  );
}

function within([x1, y1, x2, y2]: Box, { width, height }: Image): Box {
  const clip = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit);
  return [clip(x1, width), clip(y1, height), clip(x2, width), clip(y2, height)];
}

function scaled(person: Person, byX: number, byY: number): Person {
  const [x1, y1, x2, y2] = person.box;
  const keypoints = person.keypoints.map((value, i) => value * [byX, byY, 1][i % 3]);
  return { ...person, box: [x1 * byX, y1 * byY, x2 * byX, y2 * byY], keypoints };
}

class Stopwatch {
  readonly stages: Record<string, number> = {};
  private last = performance.now();

  lap(stage: string): void {
    const now = performance.now();
    this.stages[stage] = now - this.last;
    this.last = now;
  }
}
