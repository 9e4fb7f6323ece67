// A Kalman filter of a box that moves at constant velocity, with noise that grows with the box, as in BoT-SORT.

import type { Box } from "./types";

const POSITION = 0.05; // noise per side of the box
const VELOCITY = 0.00625;
const NOMINAL_S = 0.004; // a step that is as near to one frame counts as one
const SMALLEST = 1e-3; // side of a box

/**
 * The state is center x, y, width and height with a velocity each. Each of the four is a filter of its own, since
 * nothing couples them: `p` is its value, `v` its velocity per frame, `pp`, `pv`, `vv` their covariance.
 */
interface Axis {
  p: number;
  v: number;
  pp: number;
  pv: number;
  vv: number;
}

export class BoxFilter {
  private readonly axes: Axis[];

  constructor(box: Box) {
    const measured = toCenter(box);
    const [, , width, height] = measured;
    this.axes = measured.map((p, i) => {
      const side = i % 2 === 0 ? width : height;
      return { p, v: 0, pp: (2 * POSITION * side) ** 2, pv: 0, vv: (10 * VELOCITY * side) ** 2 };
    });
  }

  get box(): Box {
    const [x, y, width, height] = this.axes.map(({ p }) => p);
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
  }

  /** Moves on by so many frames of a source with so many frames per second. */
  predict(frames: number, fps: number): void {
    const [width, height] = this.sides();
    this.axes.forEach((axis, i) => {
      const side = i % 2 === 0 ? width : height;
      const velocity = (VELOCITY * side) ** 2;
      let noise = [(POSITION * side) ** 2, 0, velocity];
      if (Math.abs(frames - 1) > NOMINAL_S * fps) {
        noise = [(velocity * frames ** 4) / 4, (velocity * frames ** 3) / 2, velocity * frames ** 2];
      }
      axis.p += frames * axis.v;
      axis.pp += 2 * frames * axis.pv + frames * frames * axis.vv + noise[0];
      axis.pv += frames * axis.vv + noise[1];
      axis.vv += noise[2];
    });
    this.clamp();
  }

  /** Takes in where the box was seen. */
  update(box: Box): void {
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

  private sides(): [number, number] {
    return [Math.max(this.axes[2].p, SMALLEST), Math.max(this.axes[3].p, SMALLEST)];
  }

  private clamp(): void {
    [this.axes[2].p, this.axes[3].p] = this.sides();
  }
}

function toCenter([x1, y1, x2, y2]: Box): [number, number, number, number] {
  return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1];
}
