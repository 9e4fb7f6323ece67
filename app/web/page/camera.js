// The visitor's own camera: one frame is in flight at a time, so nothing queues up.

import { startCameraSettings } from "./camera-settings.js";
import { Chart } from "./chart.js";
import { NO_DUEL, showDuel } from "./duel.js";
import { all, figure, get, setPressed, setText, socketTo } from "./dom.js";
import { drawObjects } from "./overlay.js";
import { showRace } from "./race.js";

const QUALITY = 0.8;
const DUEL_S = 10;
const WINDOW_MS = 2000;
const SHOW_MS = 250;

export function startCamera(about) {
  const canvas = get("own-canvas");
  const context = canvas.getContext("2d");
  const still = document.createElement("canvas");
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  const chart = new Chart(get("own-fps-chart"), [{ key: "fps", width: 2 }]);
  const settings = { backbone: about.backbone, tasks: about.tasks };
  const own = startCameraSettings(change);
  let run = null; // the active run: {socket, stream, ...}
  const links = ["own-duel-image", "own-duel-figures"].map(get);
  let state = "off"; // of the duel
  let style = null; // how to draw skeletons and masks; sent by the server

  function showSettings() {
    for (const button of all("[data-own-backbone]")) setPressed(button, button.dataset.ownBackbone === settings.backbone);
    for (const button of all("[data-own-task]")) setPressed(button, settings.tasks.includes(button.dataset.ownTask));
  }

  function sendSettings() {
    showSettings();
    if (run?.socket?.readyState === WebSocket.OPEN) run.socket.send(JSON.stringify(settings));
  }

  function invite(problem = "") {
    get("own-invite").hidden = false;
    setText(get("own-problem"), problem);
    get("own-start").disabled = false;
    get("own-stop").disabled = get("own-flip").disabled = get("own-duel").disabled = true;
    setDuel(NO_DUEL);
  }

  function stop(problem = "") {
    const old = run;
    run = null;
    old?.stream?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    if (old?.socket) {
      old.socket.onclose = null;
      old.socket.close();
    }
    own.end();
    setText(get("own-status"), "");
    invite(problem);
  }

  /** Opens the camera that is chosen. Returns whether the run goes on; if not, that camera is off, and the page says why. */
  async function open(mine) {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia(own.constraints());
      if (run === mine) {
        mine.stream?.getTracks().forEach((track) => track.stop()); // of a change just before this one
        mine.stream = video.srcObject = stream;
        await video.play();
      }
    } catch (error) {
      if (run === mine && (!stream || mine.stream === stream)) stop(stream ? `The camera's video cannot be shown: ${error.message}` : explain(error));
    }
    // The visitor may have left, or chosen another camera, while this one was being opened.
    if (run !== mine || mine.stream !== stream) {
      stream?.getTracks().forEach((track) => track.stop());
      return false;
    }
    const [track] = stream.getVideoTracks();
    own.begin(track);
    track.onended = () => run === mine && stop("The camera was disconnected.");
    return true;
  }

  /** Another camera in the same run, which keeps its place on the server; few devices open two at once. */
  async function change() {
    const mine = run;
    if (!mine) return;
    mine.stream.getTracks().forEach((track) => track.stop());
    await open(mine);
  }

  async function start() {
    get("own-start").disabled = true;
    setText(get("own-problem"), "");
    if (!navigator.mediaDevices?.getUserMedia) {
      invite("Browsers allow the camera only on https:// pages and on localhost. Start the server with --tls-cert and --tls-key, and open this page over https.");
      return;
    }
    const mine = (run = { stream: null, socket: null, times: [], shownAt: 0, sentAt: 0, trip: null });
    if (!(await open(mine))) return;
    mine.socket = socketTo("/api/camera");
    get("own-stop").disabled = get("own-flip").disabled = get("own-duel").disabled = false;
    setText(get("own-status"), "getting ready ...");
    mine.socket.onmessage = ({ data }) => run === mine && receive(mine, JSON.parse(data));
    mine.socket.onclose = () => run === mine && stop("The connection was lost.");
  }

  async function receive(mine, message) {
    if (message.type === "refused") stop(message.message);
    else if (message.type === "ready") {
      mine.socket.send(JSON.stringify(settings));
      send(mine);
    } else if (message.type === "error") {
      setText(get("own-status"), message.message);
      setTimeout(() => run === mine && send(mine), 500);
    } else if (message.type === "result") {
      get("own-invite").hidden = true;
      setDuel(message.duel);
      if (message.card) offer(message.card);
      if (message.image) await showImage(mine, message.image);
      else show(mine, message);
      if (run === mine) send(mine);
    }
  }

  /** Sends the camera's newest frame; it is shown together with its result, so boxes fit the image. */
  async function send(mine) {
    // Read each time: a phone that is turned gives frames of another shape.
    const scale = Math.min(1, own.longest / Math.max(video.videoWidth, video.videoHeight, 1));
    const width = Math.round(video.videoWidth * scale);
    const height = Math.round(video.videoHeight * scale);
    if (!width || document.hidden) {
      setTimeout(() => run === mine && send(mine), 200);
      return;
    }
    Object.assign(still, { width, height });
    const drawn = still.getContext("2d");
    if (own.mirrored) drawn.setTransform(-1, 0, 0, 1, width, 0);
    drawn.drawImage(video, 0, 0, width, height);
    const blob = await new Promise((done) => still.toBlob(done, "image/jpeg", QUALITY));
    if (run !== mine || mine.socket.readyState !== WebSocket.OPEN) return;
    mine.sentAt = performance.now();
    mine.socket.send(await blob.arrayBuffer());
  }

  function setDuel(duel) {
    state = duel.state;
    showDuel("own-", duel, links);
  }

  /** The files of a duel's card. */
  function offer({ png, json }) {
    for (const [link, blob] of [[links[0], decoded(png, "image/png")], [links[1], new Blob([json], { type: "application/json" })]]) {
      URL.revokeObjectURL(link.href);
      link.href = URL.createObjectURL(blob);
      link.hidden = false;
    }
  }

  /** A duel's own image, which has both sides; the screen keeps its shape. */
  async function showImage(mine, data) {
    const bitmap = await createImageBitmap(decoded(data, "image/jpeg"));
    if (run !== mine) return;
    Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    setText(get("own-status"), "a duel of both backbones");
  }

  function show(mine, result) {
    style = result.style ?? style;
    if (canvas.width !== still.width || canvas.height !== still.height) {
      canvas.width = still.width;
      canvas.height = still.height;
      get("own-screen").style.setProperty("--aspect", `${still.width} / ${still.height}`);
    }
    context.drawImage(still, 0, 0);
    drawObjects(context, result.objects, style);
    canvas.dataset.objects = result.objects.length;
    const now = performance.now();
    mine.trip = now - mine.sentAt;
    mine.times = [...mine.times.filter((at) => at > now - WINDOW_MS), now];
    if (now < mine.shownAt + SHOW_MS) return;
    mine.shownAt = now;
    const span = (now - mine.times[0]) / 1000;
    const fps = mine.times.length > 1 ? (mine.times.length - 1) / span : null;
    setText(get("own-fps"), figure(fps));
    setText(get("own-ms"), figure(result.ms, 0));
    setText(get("own-trip"), figure(mine.trip, 0));
    setText(get("own-people"), String(result.objects.filter((one) => one.label === "person").length));
    if (fps !== null) chart.add(result.backbone, { fps });
    const waiting = result.backbone !== settings.backbone;
    for (const button of all("[data-own-backbone]")) button.classList.toggle("waiting", waiting && button.dataset.ownBackbone === settings.backbone);
    const hint = waiting ? `preparing the ${settings.backbone} backbone ...` : "Switch the backbone to compare.";
    showRace(get("own-comparison"), get("own-ratio"), result.model_fps, result.backbone, result.comparison, hint);
    setText(get("own-status"), result.notice ?? `${result.detector}, ${result.size[0]}×${result.size[1]}`);
  }

  get("own-start").addEventListener("click", start);
  get("own-stop").addEventListener("click", () => stop());
  get("own-duel").addEventListener("click", () => {
    if (run?.socket?.readyState === WebSocket.OPEN) run.socket.send(JSON.stringify({ duel: state === "off" ? DUEL_S : 0 }));
  });
  get("own-flip").addEventListener("click", () => {
    own.flip();
    change();
  });
  for (const button of all("[data-own-backbone]")) {
    button.addEventListener("click", () => {
      settings.backbone = button.dataset.ownBackbone;
      sendSettings();
    });
  }
  for (const button of all("[data-own-task]")) {
    button.addEventListener("click", () => {
      const task = button.dataset.ownTask;
      settings.tasks = settings.tasks.includes(task) ? settings.tasks.filter((one) => one !== task) : [...settings.tasks, task];
      sendSettings();
    });
  }
  showSettings();
  setDuel(NO_DUEL);
  if (about.cameras === 0) {
    invite("This server does not accept visitors' cameras (--max-cameras 0).");
    get("own-start").disabled = true;
  }

  return {
    show(visible) {
      if (!visible && run) stop();
    },
  };
}

function decoded(base64, type) {
  return new Blob([Uint8Array.from(atob(base64), (one) => one.charCodeAt(0))], { type });
}

function explain(error) {
  if (error.name === "NotAllowedError") return "Camera access was denied: allow it in the browser's address bar, then try again.";
  if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return "No camera was found on this device.";
  if (error.name === "NotReadableError") return "The camera is in use by another program.";
  return `The camera cannot be used: ${error.message}`;
}
