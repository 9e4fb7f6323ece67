// Built by esbuild from app/web/device/source (npm run build): edit the TypeScript there.

// sw.ts
var scope = self;
var PREFIX = "sepcam-device-";
var CACHE = PREFIX + SITE.version;
async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll(SITE.files.map((file) => new Request(file, { cache: "no-cache" })));
  await scope.skipWaiting();
}
async function takeOver() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
  await scope.clients.claim();
}
async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  if (kept !== void 0) return dressed(kept);
  const fetched = await fetch(request);
  if (fetched.ok && fetched.status === 200) await cache.put(request, fetched.clone());
  return dressed(fetched);
}
function dressed(given) {
  if (given.type === "opaqueredirect" || given.status === 0) return given;
  const headers = new Headers(given.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  headers.set("Content-Security-Policy", SITE.policy);
  return new Response(given.body, { status: given.status, statusText: given.statusText, headers });
}
scope.addEventListener("install", (event) => event.waitUntil(keep()));
scope.addEventListener("activate", (event) => event.waitUntil(takeOver()));
scope.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && url.startsWith(scope.registration.scope)) event.respondWith(answer(event.request));
});
