// What the modules of the analysis pass to each other. Lengths are in pixels unless it says cells.

/** Height and width. */
export type Size = readonly [number, number];

/** x1, y1, x2, y2. */
export type Box = [number, number, number, number];

/** Somebody found in one image. */
export interface Person {
  box: Box;
  /** In [0, 1], that there is a person with this box. */
  score: number;
  /** In [0, 1], the network's own score of the center. */
  center: number;
  /** 17 times x, y, score, in COCO's order. */
  keypoints: Float32Array;
}

/** A mask as a crop of the image: 1 where the person is. */
export interface Mask {
  x: number;
  y: number;
  width: number;
  height: number;
  pixels: Uint8Array;
}

export const KEYPOINTS = 17;

/** An image as browsers give it: 4 bytes a pixel, red first. */
export interface Image {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** How one input of the network shows the image: input = image * scale. */
export interface View {
  scaleX: number;
  scaleY: number;
}
