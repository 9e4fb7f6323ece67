// The service worker's side of the page.

const RELOADED = "sepcam-reloaded";
const PATIENCE_MS = 60_000;

/**
 * Waits until the service worker answers for the page, so that nothing is downloaded twice; reloads the page once
 * if that lets its threads share memory. Does nothing where there is no service worker.
 */
export async function installed(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    const patience = new Promise((done) => setTimeout(done, PATIENCE_MS));
    await Promise.race([takenOver(), patience]);
  } catch {
    return; // e.g. in a private window: then the page works, but not offline
  }
  if (navigator.serviceWorker.controller === null) return;
  if (!self.crossOriginIsolated && sessionStorage.getItem(RELOADED) === null) {
    sessionStorage.setItem(RELOADED, "1");
    location.reload();
    await new Promise(() => {}); // until the page is gone
  }
}

async function takenOver(): Promise<void> {
  const control = new Promise<void>((done) => {
    navigator.serviceWorker.addEventListener("controllerchange", () => done(), { once: true });
  });
  const registration = await navigator.serviceWorker.register("sw.js");
  if (navigator.serviceWorker.controller !== null) return;
  const worker = registration.installing ?? registration.waiting;
  const failed = new Promise<void>((_, fail) => {
    worker?.addEventListener("statechange", () => worker.state === "redundant" && fail(new Error("not installed")));
  });
  await Promise.race([control, failed]);
}

/** Keeps the screen awake as long as `active` says so, also after the visitor comes back. */
export function keepAwake(active: () => boolean): () => void {
  let lock: WakeLockSentinel | null = null;
  const update = async (): Promise<void> => {
    const wanted = active() && !document.hidden;
    if (wanted && (lock === null || lock.released)) {
      lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null; // e.g. low on battery
    } else if (!wanted && lock !== null) {
      await lock.release();
      lock = null;
    }
  };
  document.addEventListener("visibilitychange", () => void update());
  return () => void update();
}
