// Builds ../page/*.js out of the TypeScript here. `node build.mjs FOLDER` writes to another folder.

import { build } from "esbuild";

const out = process.argv[2] ?? "../page";

await build({
  entryPoints: { core: "core/index.ts", worker: "worker.ts", main: "main.ts", sw: "sw.ts" },
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "inline",
  external: ["./core.js"],
  alias: { "@core": "./core.js" },
  banner: { js: "// Built by esbuild from app/web/device/source (npm run build): edit the TypeScript there." },
});
