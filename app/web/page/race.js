// Two bars: the frame rate that each backbone reaches, as the server measured it.

import { figure, setText } from "./dom.js";

export function showRace(card, words, modelFps, active, comparison, hint) {
  const most = Math.max(1e-9, ...Object.values(modelFps));
  for (const row of card.querySelectorAll(".race")) {
    const fps = modelFps[row.dataset.kind];
    row.classList.toggle("active", row.dataset.kind === active);
    row.querySelector("u").style.width = fps === undefined ? "0" : `${Math.max(1, (fps / most) * 100)}%`;
    setText(row.querySelector("b"), fps === undefined ? "–" : `${figure(fps)} FPS`);
  }
  setText(words, comparison ?? hint);
}
