// Identities that stay with people from frame to frame: the rules of pipelines/tracking/bytetrack.py.

import { assign } from "./assignment";
import { iou } from "./boxes";
import { BoxFilter } from "./kalman";
import type { Box } from "./types";

/** Thresholds; see `TrackerSettings` in models/spec.py. */
export interface TrackerSettings {
  high: number;
  new: number;
  low: number;
  first_iou: number;
  second_iou: number;
  confirm_frames: number;
  lost_s: number;
}

export interface Detection {
  box: Box;
  score: number;
}

/** Somebody who has an identity. */
export interface Tracked {
  id: number;
  box: Box;
  score: number;
  /** Index of the detection; -1 where the filter alone says where they are. */
  detection: number;
}

const NOMINAL_FPS = 30;
const CARRY_S = 0.25; // for which somebody who is missed is shown where the filter expects them
const CENTER = 0.5; // how far the center goes from where the filter sees it to where the detector does
const INSIDE = 0.005; // share of the image's sides that a carried box keeps off the border
const UNSEEN = 0.5; // share of the last score that somebody has who is not seen
const LONGEST_S = 0.5; // that a gap counts
const UNCONFIRMED = 0.3; // least IoU times score of the second sighting
const [LOW, HIGH, NEW] = [0.101, 0.7, 0.8]; // ByteTrack's own thresholds, to which scores are scaled

class Track {
  readonly filter: BoxFilter;
  id = 0; // 0 is none yet
  sightings = 1;
  missed = 0; // frames
  missedS = 0;
  lastS: number;
  lastScore: number;

  constructor({ box, score }: Detection, timeS: number) {
    this.filter = new BoxFilter(box);
    this.lastS = timeS;
    this.lastScore = score;
  }
}

/** Follows people; identities count from 1 and are never used again, not even after `reset`. */
export class Tracker {
  private tracks: Track[] = [];
  private nextId = 1;
  private clockS = 0;
  private updatedS: number | null = null;
  private lastTime: number | null = null;

  constructor(
    readonly settings: TrackerSettings,
    readonly fps = NOMINAL_FPS,
  ) {}

  /** Forgets all tracks, as at a cut. */
  reset(): void {
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
  follow(found: readonly Detection[], timeS: number | null): Tracked[] {
    this.advance(timeS);
    const { low, new: least } = this.settings;
    if (this.tracks.length === 0 && !found.some(({ score }) => score >= least)) {
      this.updatedS = null;
      return [];
    }
    this.predict();
    const pairs = this.associate(found, indices(found, (score) => score >= low));
    return pairs
      .filter(({ track }) => track.id > 0)
      .map(({ track, detection }) => ({
        id: track.id,
        box: halfway(track.filter.box, found[detection].box),
        score: found[detection].score,
        detection,
      }))
      .sort((a, b) => b.score - a.score || a.detection - b.detection);
  }

  /** Those missed a moment ago who have not left an image of this size, where they are expected. */
  coasted(height: number, width: number): Tracked[] {
    const [byX, byY] = [INSIDE * width, INSIDE * height];
    return this.tracks
      .filter((track) => track.id > 0 && track.missed > 0 && track.lastS >= this.clockS - CARRY_S)
      .map((track) => ({ id: track.id, box: track.filter.box, score: UNSEEN * track.lastScore, detection: -1 }))
      .filter(({ box }) => box[0] > byX && box[1] > byY && box[2] < width - byX && box[3] < height - byY);
  }

  private advance(timeS: number | null): void {
    const moved = timeS !== null && this.lastTime !== null && timeS > this.lastTime;
    this.clockS += moved ? Math.min(timeS - this.lastTime!, LONGEST_S) : 1 / this.fps;
    if (timeS !== null) this.lastTime = timeS;
  }

  private predict(): void {
    const elapsed = this.updatedS === null ? 1 / this.fps : this.clockS - this.updatedS;
    this.updatedS = this.clockS;
    for (const track of this.tracks) {
      track.filter.predict(elapsed * this.fps, this.fps);
      track.missed += 1;
      track.missedS += elapsed;
    }
    this.tracks = this.tracks.filter((track) => this.remembered(track));
  }

  private remembered({ missedS }: Track): boolean {
    return missedS <= Math.round(this.settings.lost_s * NOMINAL_FPS) / NOMINAL_FPS;
  }

  /** Matches strong detections, then weak ones, then those of new tracks; starts tracks of what remains. */
  private associate(found: readonly Detection[], rows: number[]): { track: Track; detection: number }[] {
    const { high, first_iou, second_iou, new: least, confirm_frames } = this.settings;
    const strong = rows.filter((i) => found[i].score >= high);
    const weak = rows.filter((i) => found[i].score < high);
    const mature = (track: Track): boolean => track.id > 0 || track.sightings >= confirm_frames;
    const confirmed = this.tracks.filter((track) => track.missed === 1 && mature(track));
    const lost = this.tracks.filter((track) => track.missed > 1);
    const fresh = this.tracks.filter((track) => track.missed === 1 && !mature(track));

    const trust = (i: number): number => this.scaled(found[i].score);
    const first = match([...confirmed, ...lost], strong, found, first_iou, trust);
    const second = match(without(confirmed, first), weak, found, second_iou, () => 1);
    const third = match(fresh, rest(strong, first), found, UNCONFIRMED, trust);
    const pairs = [...first, ...second, ...third];
    for (const { track, detection } of pairs) this.see(track, found[detection]);

    const gone = new Set(without(fresh, third));
    this.tracks = this.tracks.filter((track) => !gone.has(track));
    for (const i of rest(rest(strong, first), third)) {
      if (found[i].score >= least) this.tracks.push(new Track(found[i], this.clockS));
    }
    this.tracks = this.tracks.filter((track) => this.remembered(track) && (track.missed === 0 || mature(track)));
    return pairs;
  }

  /** The score as a detector would give it that suits ByteTrack's own thresholds. */
  private scaled(score: number): number {
    const { low, high, new: least } = this.settings;
    if (score >= least) return between(score, least, 1, NEW, 1);
    return score >= high ? between(score, high, least, HIGH, NEW) : between(score, low, high, LOW, HIGH);
  }

  private see(track: Track, { box, score }: Detection): void {
    track.filter.update(box);
    track.sightings += 1;
    track.missed = 0;
    track.missedS = 0;
    track.lastS = this.clockS;
    track.lastScore = score;
    if (track.id === 0 && track.sightings >= this.settings.confirm_frames) track.id = this.nextId++;
  }
}

function indices(found: readonly Detection[], wanted: (score: number) => boolean): number[] {
  return found.flatMap(({ score }, i) => (wanted(score) ? [i] : []));
}

function between(value: number, low: number, high: number, from: number, to: number): number {
  return from + ((to - from) * (value - low)) / (high - low);
}

type Pair = { track: Track; detection: number };

function match(
  tracks: Track[],
  rows: number[],
  found: readonly Detection[],
  least: number,
  trust: (detection: number) => number,
): Pair[] {
  const values = tracks.map((track) => {
    const { box } = track.filter;
    return rows.map((i) => iou(box, found[i].box) * trust(i));
  });
  return assign(values)
    .filter(([row, column]) => values[row][column] >= least)
    .map(([row, column]) => ({ track: tracks[row], detection: rows[column] }));
}

function without(tracks: Track[], pairs: Pair[]): Track[] {
  return tracks.filter((track) => !pairs.some((pair) => pair.track === track));
}

function rest(rows: number[], pairs: Pair[]): number[] {
  return rows.filter((i) => !pairs.some((pair) => pair.detection === i));
}

/** The filter's box, moved half the way to the center of the detector's. */
function halfway(steady: Box, seen: Box): Box {
  const x = (CENTER * (seen[0] + seen[2] - steady[0] - steady[2])) / 2;
  const y = (CENTER * (seen[1] + seen[3] - steady[1] - steady[3])) / 2;
  return [steady[0] + x, steady[1] + y, steady[2] + x, steady[3] + y];
}
