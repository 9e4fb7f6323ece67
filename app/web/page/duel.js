// What a duel is doing, in words; of the server's source and of the visitor's camera.

import { get, setPressed, setText } from "./dom.js";

const WORDS = {
  off: "Both backbones on the same frames, in turn; the result stays.",
  preparing: "Preparing both backbones ...",
  running: "Measuring ...",
};

/** prefix: of the ids; links: those of the card's files, shown once there is a card. */
export function showDuel(prefix, { state, seconds_left: left, result }, links) {
  setText(get(`${prefix}duel-state`), state === "done" ? result.headline : WORDS[state]);
  const now = { running: `${result?.headline ?? "…"} (${Math.ceil(left)} s left)`, done: result?.agreement };
  setText(get(`${prefix}duel-now`), now[state] ?? "");
  const button = get(`${prefix}duel`);
  setPressed(button, state !== "off");
  setText(button, state === "off" ? "Start the duel" : "End the duel");
  for (const link of links) link.hidden = state !== "done" || !link.href;
}

export const NO_DUEL = { state: "off", seconds_left: 0, result: null };
