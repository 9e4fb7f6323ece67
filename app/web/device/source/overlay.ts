// Draws the people of a frame, as app/web/page/overlay.js does.

import type { Mask } from "@core";
import type { Settings, Shown } from "./protocol";

type Context = CanvasRenderingContext2D;

/** What is drawn. */
export interface Layers {
  tracking: boolean;
  pose: boolean;
  masks: boolean;
}

const INK = "#12161c";
const scratch = document.createElement("canvas");

export function colorOf(id: number, settings: Settings): string {
  return settings.colors[id % settings.colors.length];
}

export function drawPeople(context: Context, people: Shown[], settings: Settings, layers: Layers): void {
  const { width, height } = context.canvas;
  const line = Math.max(1.5, Math.min(width, height) / 300);
  const ordered = [...people].sort((a, b) => a.box[3] - b.box[3]); // the nearest is drawn last, on top
  context.lineJoin = context.lineCap = "round";
  if (layers.masks) {
    for (const { mask, id } of ordered) if (mask !== null) drawMask(context, mask, colorOf(id, settings), settings);
  }
  for (const person of ordered) {
    drawBox(context, person, colorOf(person.id, settings), line);
    if (layers.pose && person.keypoints !== null) drawSkeleton(context, person, settings, line);
  }
  for (const person of ordered) drawLabel(context, person, colorOf(person.id, settings), layers);
}

function drawBox(context: Context, { box: [x1, y1, x2, y2], keypoints }: Shown, color: string, line: number): void {
  context.strokeStyle = color;
  context.lineWidth = line;
  context.setLineDash(keypoints === null ? [4 * line, 3 * line] : []); // dashed where the tracker expects them
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  context.setLineDash([]);
}

function drawMask(context: Context, mask: Mask, color: string, settings: Settings): void {
  if (mask.width === 0 || mask.height === 0) return;
  const image = new ImageData(mask.width, mask.height);
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
  const alpha = Math.round(255 * settings.mask_opacity);
  for (let i = 0; i < mask.pixels.length; i++) {
    if (mask.pixels[i] === 0) continue;
    image.data[4 * i] = red;
    image.data[4 * i + 1] = green;
    image.data[4 * i + 2] = blue;
    image.data[4 * i + 3] = alpha;
  }
  scratch.width = mask.width;
  scratch.height = mask.height;
  scratch.getContext("2d")!.putImageData(image, 0, 0);
  context.drawImage(scratch, mask.x, mask.y);
}

function drawSkeleton(context: Context, { keypoints, box }: Shown, settings: Settings, line: number): void {
  const points = keypoints!;
  const { width, height } = context.canvas;
  const thickness = Math.min(2 * line, Math.max(1, Math.max(box[2] - box[0], box[3] - box[1]) / 130));
  const at = (i: number): [number, number] => [points[3 * i], points[3 * i + 1]];
  const seen = (i: number): boolean => {
    const [x, y] = at(i);
    return points[3 * i + 2] >= settings.min_joint_score && x >= 0 && y >= 0 && x < width && y < height;
  };
  const length = (a: number, b: number): number => Math.hypot(at(a)[0] - at(b)[0], at(a)[1] - at(b)[1]);
  // Bones shorter than the line's thickness would be blots, and so would the joints of short ones.
  const bones = settings.bones.filter(([a, b]) => seen(a) && seen(b) && length(a, b) > 1.5 * thickness);
  const stroke = (list: Settings["bones"], color: string, lineWidth: number): void => {
    context.strokeStyle = color;
    context.lineWidth = lineWidth;
    context.beginPath();
    for (const [a, b] of list) {
      context.moveTo(...at(a));
      context.lineTo(...at(b));
    }
    context.stroke();
  };
  stroke(bones, INK, thickness + 2);
  for (const color of new Set(bones.map((bone) => bone[2]))) {
    stroke(
      bones.filter((bone) => bone[2] === color),
      color,
      thickness,
    );
  }
  context.fillStyle = "#ffffff";
  for (const i of new Set(bones.filter(([a, b]) => length(a, b) > 4 * thickness).flatMap(([a, b]) => [a, b]))) {
    context.beginPath();
    context.arc(...at(i), thickness * 0.9, 0, 2 * Math.PI);
    context.fill();
  }
}

function drawLabel(context: Context, { id, score, box }: Shown, color: string, { tracking }: Layers): void {
  const { width: most, height: bottom } = context.canvas;
  const size = Math.max(11, Math.round(Math.min(most, bottom) * 0.03));
  const text = `${tracking ? `#${id} ` : "person "}${score.toFixed(2)}`;
  context.font = `600 ${size}px system-ui, "DejaVu Sans", sans-serif`;
  context.textBaseline = "middle";
  const width = context.measureText(text).width + size * 0.7;
  const height = size * 1.4;
  const x = Math.max(0, Math.min(box[0], most - width));
  const y = Math.max(0, Math.min(box[1] >= height ? box[1] - height : box[1], bottom - height));
  context.fillStyle = color;
  context.fillRect(x, y, width, height);
  context.fillStyle = INK;
  context.fillText(text, x + size * 0.35, y + height / 2);
}
