// Videos and images: uploaded with a progress bar, polled while they are processed, downloaded by the ids of their results.

import { all, call, get, make, setPressed, setText, wordsOf } from "./dom.js";

const STORAGE_KEY = "sepcam-videos"; // ids of this tab's files, so that a reload shows them again
const POLL_MS = 500;
const AGAIN_MS = 2000; // after a lost poll, or where the server has no place
const AT_ONCE = 4; // files at the server, as many as it takes

export function startVideos(about) {
  const settings = { backbone: about.backbone, tasks: about.tasks };
  const list = get("jobs");
  const queue = []; // files that wait here, with their rows
  let active = 0; // files at the server, or on their way
  const limit = about.max_upload_bytes;
  if (limit) setText(get("drop-limit"), `, up to ${Math.round(limit / 1e6)} MB`);

  const load = () => JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "[]");
  const save = (ids) => sessionStorage.setItem(STORAGE_KEY, JSON.stringify(ids));

  function row(name) {
    const state = make("span", { class: "soft" });
    const bar = make("progress", { max: "1", "aria-label": `Progress of ${name}` });
    const actions = make("div", { class: "actions" });
    const item = make("li", {}, make("div", { class: "head" }, make("b", {}, name), state), bar, actions);
    list.prepend(item);
    return { item, state, bar, actions };
  }

  function send(file) {
    setText(get("video-problem"), "");
    if (limit && file.size > limit) {
      setText(get("video-problem"), `${file.name} has ${(file.size / 1e6).toFixed(0)} MB; the limit is ${Math.round(limit / 1e6)} MB.`);
      return;
    }
    const shown = row(file.name);
    shown.actions.append(make("button", { onclick: () => drop(shown) }, "Cancel"));
    setText(shown.state, "waiting to be uploaded");
    queue.push({ file, shown, settings: { ...settings } });
    next();
  }

  function next() {
    while (active < AT_ONCE && queue.length) {
      const { file, shown, settings } = queue.shift();
      if (shown.gone) continue;
      active++;
      shown.ended = () => {
        shown.ended = null;
        active--;
        next();
      };
      upload(file, shown, settings);
    }
  }

  function drop(shown) {
    shown.gone = true;
    shown.item.remove();
    shown.request?.abort();
    shown.ended?.();
  }

  function upload(file, shown, settings) {
    if (shown.gone) return;
    const query = new URLSearchParams({ name: file.name, backbone: settings.backbone });
    for (const task of settings.tasks.length ? settings.tasks : ["none"]) query.append("tasks", task);
    const request = (shown.request = new XMLHttpRequest());
    request.open("POST", `/api/videos?${query}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => {
      shown.bar.value = loaded / total;
      setText(shown.state, `uploading, ${Math.round((loaded / total) * 100)} %`);
    };
    request.onload = () => {
      if (request.status === 429) {
        setText(shown.state, `${wordsOf(request.response?.detail) || "the server is busy"}: trying again`);
        setTimeout(upload, AGAIN_MS, file, shown, settings);
        return;
      }
      if (request.status !== 201) return fail(shown, wordsOf(request.response?.detail) || `the server refused the request (${request.status})`);
      const { id } = request.response;
      save([...load(), id]);
      follow(id, shown);
    };
    request.onerror = () => fail(shown, "the upload failed: the server cannot be reached, or refused the file");
    setText(shown.state, "uploading");
    request.send(file);
  }

  function fail(shown, message) {
    setText(shown.state, message);
    shown.state.className = "failed";
    shown.bar.remove();
    shown.actions.replaceChildren(make("button", { onclick: () => shown.item.remove() }, "Dismiss"));
    shown.ended?.();
  }

  function follow(id, shown) {
    const remove = async () => {
      shown.gone = true;
      save(load().filter((one) => one !== id));
      shown.item.remove();
      await call("DELETE", `/api/videos/${id}`).catch(() => {});
      shown.ended?.();
    };
    shown.actions.replaceChildren(make("button", { onclick: remove }, "Cancel"));
    const poll = async () => {
      if (shown.gone) return;
      let job;
      try {
        job = await call("GET", `/api/videos/${id}`);
      } catch (error) {
        if (error.status !== 404) {
          setText(shown.state, `${error.message}: trying again`);
          setTimeout(poll, AGAIN_MS);
          return;
        }
        save(load().filter((one) => one !== id));
        return fail(shown, error.message);
      }
      if (shown.gone) return;
      if (job.state === "failed") {
        save(load().filter((one) => one !== id));
        return fail(shown, job.message);
      }
      if (job.state === "done") return done(shown, job, remove);
      if (job.total) shown.bar.value = job.done / job.total;
      else shown.bar.removeAttribute("value");
      const of = job.total ? ` of ${job.total}` : "";
      setText(shown.state, job.state === "waiting" ? "waiting in the queue" : `${job.done}${of} frames`);
      setTimeout(poll, POLL_MS);
    };
    poll();
  }

  function done(shown, job, remove) {
    shown.ended?.();
    setText(shown.state, job.message);
    const { video, image, jsonl } = job.files;
    const address = `/api/files/${video ?? image}`;
    shown.bar.replaceWith(
      video
        ? make("video", { src: address, controls: true, playsinline: true, preload: "metadata", "aria-label": job.name })
        : make("img", { src: address, alt: `${job.name} with the people found in it: ${job.message}` }),
    );
    shown.actions.replaceChildren(
      make("a", { class: "button", href: address, download: "" }, video ? "Video (MP4)" : "Image (JPEG)"),
      make("a", { class: "button", href: `/api/files/${jsonl}`, download: "" }, "Results (JSON Lines)"),
      make("button", { onclick: remove }, "Remove"),
    );
  }

  const area = get("drop");
  get("file").addEventListener("change", () => {
    for (const file of get("file").files) send(file);
    get("file").value = "";
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    area.addEventListener(kind, (event) => {
      event.preventDefault();
      area.classList.toggle("over", kind === "dragover");
      if (kind === "drop") for (const file of event.dataTransfer.files) send(file);
    });
  }
  addEventListener("paste", (event) => {
    if (get("video").hidden) return;
    for (const file of event.clipboardData?.files ?? []) send(file);
  });
  const show = () => {
    for (const button of all("[data-video-backbone]")) setPressed(button, button.dataset.videoBackbone === settings.backbone);
    for (const button of all("[data-video-task]")) setPressed(button, settings.tasks.includes(button.dataset.videoTask));
  };
  for (const button of all("[data-video-backbone]")) {
    button.addEventListener("click", () => {
      settings.backbone = button.dataset.videoBackbone;
      show();
    });
  }
  for (const button of all("[data-video-task]")) {
    button.addEventListener("click", () => {
      const task = button.dataset.videoTask;
      settings.tasks = settings.tasks.includes(task) ? settings.tasks.filter((one) => one !== task) : [...settings.tasks, task];
      show();
    });
  }
  show();
  const restore = (id) =>
    call("GET", `/api/videos/${id}`).then(
      (job) => follow(id, row(job.name)),
      (error) => (error.status === 404 ? save(load().filter((one) => one !== id)) : setTimeout(restore, AGAIN_MS, id)),
    );
  load().forEach(restore);
  return { show() {} };
}
