// Small helpers for the page.

export const get = (id) => document.getElementById(id);

/** The dialog that is open, if any: while it is, keys are for it alone. */
export const openDialog = () => document.querySelector("dialog[open]");

export const all = (selector) => [...document.querySelectorAll(selector)];

/** A number for display: rounded, a dash where there is none. */
export function figure(value, digits = 1) {
  if (value === null || value === undefined) return "–";
  return value >= 100 ? String(Math.round(value)) : value.toFixed(digits);
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setPressed(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

/** An element with attributes and children; text is never parsed as HTML. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** A note at the bottom of the page; one with something to click stays for longer. */
export function toast(...content) {
  const note = make("p", {}, ...content);
  get("toasts").append(note);
  setTimeout(() => note.remove(), note.children.length ? 60_000 : 6000);
}

/** Calls the server; returns its answer, or throws an error with the server's own message, and its status if it answered. */
export async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("the server cannot be reached");
  }
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const error = new Error(wordsOf(value.detail) || `the server refused the request (${answer.status})`);
    throw Object.assign(error, { status: answer.status });
  }
  return value;
}

export function wordsOf(detail) {
  return Array.isArray(detail) ? detail.map((one) => one.msg).join("; ") : detail;
}

export function socketTo(path) {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
  socket.binaryType = "arraybuffer";
  return socket;
}
