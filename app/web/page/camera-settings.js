// What the visitor's camera offers: which one, size, rate, exposure.

import { get, make, setPressed, toast } from "./dom.js";

const SIZES = [[320, 240], [640, 480], [1280, 720], [1920, 1080]];
const RATES = [10, 15, 24, 30, 60];
const USUAL = { width: 1280, height: 720 };
const USUAL_LONGEST = 640;
const EXPOSURES = 6;
const MS = 10; // exposureTime counts in 0.1 ms

/** restart is called when another camera has been chosen. */
export function startCameraSettings(restart) {
  const device = get("own-device");
  const size = get("own-size");
  const rate = get("own-rate");
  const exposure = get("own-exposure");
  const mirror = get("own-mirror");
  let facing = "user";
  let track = null;

  const chosenSize = () => (size.value ? size.value.split("x").map(Number) : null);

  function wanted() {
    const [width, height] = chosenSize() ?? [USUAL.width, USUAL.height];
    const asked = { width: { ideal: width }, height: { ideal: height } };
    if (rate.value) asked.frameRate = { ideal: Number(rate.value) };
    return asked;
  }

  function fill(list, options, usual) {
    const before = list.value;
    list.replaceChildren(make("option", { value: "" }, usual), ...options.map(([value, label]) => make("option", { value }, label)));
    list.value = options.some(([value]) => value === before) ? before : "";
    list.disabled = options.length < 1;
  }

  function exposures({ exposureMode = [], exposureTime = {} }) {
    const { min, max, step } = exposureTime;
    if (!exposureMode.includes("manual") || !(max > min)) return [];
    const by = step || 1;
    const least = Math.max(min, by);
    const times = Array.from({ length: EXPOSURES }, (_, i) => {
      const time = least * (max / least) ** (i / (EXPOSURES - 1));
      return least + by * Math.round((time - least) / by);
    });
    return [...new Set(times)].map((time) => [String(time), `${Number((time / MS).toPrecision(2))} ms`]);
  }

  async function fillDevices() {
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "videoinput");
    if (!track) return;
    fill(device, cameras.map((one, i) => [one.deviceId, one.label || `camera ${i + 1}`]), "automatic");
    device.value = track.getSettings().deviceId ?? "";
  }

  /** Exposure goes first and by itself: Chromium takes no mixture of both, and leaves it when the size changes. */
  async function apply() {
    const modes = track?.getCapabilities?.().exposureMode ?? [];
    try {
      if (exposure.value) {
        await track?.applyConstraints({ advanced: [{ exposureMode: "manual", exposureTime: Number(exposure.value) }] });
      } else if (modes.includes("continuous")) {
        await track?.applyConstraints({ advanced: [{ exposureMode: "continuous" }] });
      }
      await track?.applyConstraints(wanted());
    } catch (error) {
      toast(`the camera refuses that: ${error.message || error.name}`);
    }
  }

  for (const list of [size, rate, exposure]) list.addEventListener("change", apply);
  device.addEventListener("change", restart);
  mirror.addEventListener("click", () => setPressed(mirror, mirror.getAttribute("aria-pressed") !== "true"));

  return {
    /** What to ask getUserMedia for. */
    constraints() {
      const which = device.value ? { deviceId: { exact: device.value } } : { facingMode: facing };
      return { video: { ...which, ...wanted() }, audio: false };
    },

    /** Another camera than the present one: the one that looks the other way. */
    flip() {
      facing = facing === "user" ? "environment" : "user";
      device.value = "";
    },

    /** A camera has started: show what it offers. */
    begin(started) {
      track = started;
      const able = track.getCapabilities?.() ?? {};
      const most = [able.width?.max ?? Infinity, able.height?.max ?? Infinity];
      const longest = Math.max(...most);
      const sizes = SIZES.filter(([width, height]) => width <= longest && height <= longest);
      fill(size, sizes.map(([width, height]) => [`${width}x${height}`, `${width}×${height}`]), "automatic");
      const rates = RATES.filter((one) => one <= (able.frameRate?.max ?? Infinity));
      fill(rate, rates.map((one) => [String(one), `${one} FPS`]), "automatic");
      fill(exposure, exposures(able), "automatic");
      if (exposure.value) apply();
      mirror.disabled = false;
      fillDevices();
    },

    /** It has stopped; what was chosen is kept for the next time. */
    end() {
      track = null;
      for (const control of [size, rate, exposure, mirror]) control.disabled = true;
    },

    get mirrored() {
      return mirror.getAttribute("aria-pressed") === "true";
    },

    /** The longer side of the frames to send, in pixels. */
    get longest() {
      return Math.max(...(chosenSize() ?? [USUAL_LONGEST]));
    },
  };
}
