// Boxes: overlap, and which finds are one and the same person (models/ops/boxes.py, models/people/merging.py).

import { type Box, KEYPOINTS, type Person } from "./types";

const SAME_BOX = 0.7;
const NEAR_BOX = 0.3;
const SAME_POSE = 0.7;
const BODY = 0.53;
const SIGMAS = [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89].map((one) => one / 1000);

export function area(box: Box): number {
  return (box[2] - box[0]) * (box[3] - box[1]);
}

export function iou(a: Box, b: Box): number {
  const width = Math.max(Math.min(a[2], b[2]) - Math.max(a[0], b[0]), 0);
  const height = Math.max(Math.min(a[3], b[3]) - Math.max(a[1], b[1]), 0);
  const inner = width * height;
  return inner / Math.max(area(a) + area(b) - inner, 1e-9);
}

/** Indices of the best of those that are the same, best first: each removes what it is. */
export function greedy(count: number, scores: (i: number) => number, same: (i: number, j: number) => boolean): number[] {
  const order = Array.from({ length: count }, (_, i) => i).sort((i, j) => scores(j) - scores(i) || i - j);
  const kept: number[] = [];
  for (const i of order) if (!kept.some((j) => same(j, i))) kept.push(i);
  return kept;
}

/** Object keypoint similarity of two poses, all keypoints counted. */
export function poseSimilarity(a: Person, b: Person): number {
  const reach = 2 * Math.max(Math.min(area(a.box), area(b.box)), 1) * BODY;
  let sum = 0;
  for (let k = 0; k < KEYPOINTS; k++) {
    const dx = a.keypoints[3 * k] - b.keypoints[3 * k];
    const dy = a.keypoints[3 * k + 1] - b.keypoints[3 * k + 1];
    sum += Math.exp(-(dx * dx + dy * dy) / (reach * (2 * SIGMAS[k]) ** 2));
  }
  return sum / KEYPOINTS;
}

/** Without the weaker finds of one person: those with a similar box, or box and pose; best first. */
export function unique(people: Person[]): Person[] {
  const posed = people.map((one) => one.keypoints.some((value, i) => i % 3 === 2 && value !== 0));
  const same = (i: number, j: number): boolean => {
    const overlap = iou(people[i].box, people[j].box);
    if (overlap > SAME_BOX) return true;
    return overlap > NEAR_BOX && posed[i] && posed[j] && poseSimilarity(people[i], people[j]) > SAME_POSE;
  };
  return greedy(people.length, (i) => people[i].score, same).map((i) => people[i]);
}
