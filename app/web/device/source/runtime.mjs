// Copies ONNX Runtime Web out of node_modules to ../runtime: its code as it is, its binaries compressed by zstd,
// which has to be installed. `version.json` there says what came from where.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";

const FROM = "node_modules/onnxruntime-web";
const TO = "../runtime";

// Some hosts do not know .mjs as JavaScript, and some announce .zst as an encoding of the transfer.
const FILES = {
  "ort.wasm.min.js": "ort.wasm.min.mjs",
  "ort.webgpu.min.js": "ort.webgpu.min.mjs",
  "ort-wasm-simd-threaded.js": "ort-wasm-simd-threaded.mjs",
  "ort-wasm-simd-threaded.jsep.js": "ort-wasm-simd-threaded.jsep.mjs",
  "wasm.bin": "ort-wasm-simd-threaded.wasm",
  "webgpu.bin": "ort-wasm-simd-threaded.jsep.wasm",
};

const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");

const files = {};
for (const [name, original] of Object.entries(FILES)) {
  const [from, to] = [`${FROM}/dist/${original}`, `${TO}/${name}`];
  if (name.endsWith(".bin")) execFileSync("zstd", ["--ultra", "-22", "-q", "-f", "--no-progress", from, "-o", to]);
  else copyFileSync(from, to);
  files[name] = { original: `dist/${original}`, original_sha256: sha256(from), sha256: sha256(to), bytes: statSync(to).size };
}
const { version, license } = JSON.parse(readFileSync(`${FROM}/package.json`, "utf8"));
const locked = JSON.parse(readFileSync("package-lock.json", "utf8")).packages[FROM];
const about = { package: "onnxruntime-web", version, license, integrity: locked.integrity, files };
writeFileSync(`${TO}/version.json`, `${JSON.stringify(about, null, 2)}\n`);
