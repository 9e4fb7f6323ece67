// The service worker: keeps the page for use without a network, and gives its answers the headers that let threads
// share memory and that keep everything on this device. Static hosts need not be set up for either.

/** Put in front of this file by the export: a digest of the page, the files to keep, and the policy. */
declare const SITE: { version: string; files: string[]; policy: string };

const scope = self as unknown as ServiceWorkerGlobalScope;
const PREFIX = "sepcam-device-";
const CACHE = PREFIX + SITE.version;

interface ExtendableEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface ServiceWorkerGlobalScope {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
}

async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(SITE.files.map((file) => new Request(file, { cache: "no-cache" })));
  await scope.skipWaiting();
}

async function takeOver(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  if (kept !== undefined) return dressed(kept);
  const fetched = await fetch(request);
  if (fetched.ok && fetched.status === 200) await cache.put(request, fetched.clone());
  return dressed(fetched);
}

function dressed(given: Response): Response {
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

export {};
