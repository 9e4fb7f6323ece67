"""The networks on WebGPU give what they give on WebAssembly; Chromium imitates the graphics processor."""

from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.app.web.device.test_page import Host, host, site  # noqa: F401 - fixtures
from tests.app.web.test_serve_page import CHROMIUM, pytestmark  # noqa: F401 - it skips

GPU = ("--enable-unsafe-webgpu", "--enable-features=Vulkan,WebGPU", "--use-webgpu-adapter=swiftshader")

COMPUTE = """async () => {
  if (!(await navigator.gpu?.requestAdapter())) return null;
  const { joinPlanes, unpack } = await import(new URL("core.js", location.href).href);
  const load = async (path) => unpack(new Uint8Array(await (await fetch(path)).arrayBuffer()));
  const weights = joinPlanes(await load("network/weights.bin"));
  const graph = async (name) => load(`network/${name}-separable.onnx`);
  const graphs = { people: await graph("people"), mask: await graph("mask") };
  const folder = new URL("runtime/", location.href).href;
  const noise = (count, most) => Array.from({ length: count }, (_, i) => ((i * 7919) % 9973) / 9973 * most);
  const outputs = {};
  for (const [backend, code, glue, binary] of [
    ["wasm", "ort.wasm.min.js", "ort-wasm-simd-threaded.js", "wasm.bin"],
    ["webgpu", "ort.webgpu.min.js", "ort-wasm-simd-threaded.jsep.js", "webgpu.bin"],
  ]) {
    const ort = await import(folder + code);
    const wasmBinary = await load(`runtime/${binary}`);
    Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths: { mjs: folder + glue }, wasmBinary });
    const session = (graph) => ort.InferenceSession.create(graph, {
      executionProviders: [backend], externalData: [{ path: "weights", data: weights }],
    });
    const look = await (await session(graphs.people)).run({
      images: new ort.Tensor("uint8", Uint8Array.from(noise(32 * 64 * 3, 255)), [1, 32, 64, 3]),
    });
    const mask = await (await session(graphs.mask)).run({
      people: new ort.Tensor("float32", Float32Array.from(noise(40 * 40 * 43, 1)), [1, 40, 40, 43]),
    });
    outputs[backend] = Object.fromEntries(
      Object.entries({ ...look, ...mask }).map(([name, tensor]) => [name, Array.from(tensor.data)]),
    );
  }
  return Object.entries(outputs.wasm).map(([name, values]) => [
    name,
    Math.max(...values.map((value, i) => Math.abs(value - outputs.webgpu[name][i]))),
    Math.max(...values.map(Math.abs)),
  ]);
}"""


def test_webgpu_computes_what_webassembly_does(host: Host) -> None:  # noqa: F811 - a fixture
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *GPU])
        try:
            page = browser.new_page()
            page.goto(f"{host.url}licenses.txt")  # of the same origin, without a policy or a service worker
            found: list[Any] | None = page.evaluate(COMPUTE)
        finally:
            browser.close()
    if found is None:
        pytest.skip("this Chromium imitates no graphics processor")
    assert len(found) == 8
    for name, apart, largest in found:
        assert apart < 1e-3 * max(largest, 1), name
