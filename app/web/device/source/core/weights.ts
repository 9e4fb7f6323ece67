// Files as they travel: compressed, and weights by byte planes.

import { decompress } from "fzstd";

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/** What is inside a gzip or zstd file; anything else as it is (a host may have unpacked it already). */
export async function unpack(file: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const begins = (magic: number[]): boolean => magic.every((byte, i) => file[i] === byte);
  if (begins(ZSTD)) return decompress(file) as Uint8Array<ArrayBuffer>;
  if (!begins(GZIP)) return file;
  const stream = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** float16 values out of two planes: first all low bytes, then all high ones. Planes compress better. */
export function joinPlanes(planes: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = planes.length / 2;
  const joined = new Uint8Array(planes.length);
  for (let i = 0; i < half; i++) {
    joined[2 * i] = planes[i];
    joined[2 * i + 1] = planes[half + i];
  }
  return joined;
}
