// Tabs, and what all of them share.

import { startCamera } from "./camera.js";
import { all, call, get } from "./dom.js";
import { startLive } from "./live.js";
import { startVideos } from "./videos.js";

// The token has become a cookie: it need not stay in the address, the history, or a screenshot.
if (new URLSearchParams(location.search).has("token")) history.replaceState(null, "", location.pathname);

const about = await call("GET", "/api/about").catch((error) => {
  get("banner").textContent = error.message;
  return { live: true, cameras: 1, max_upload_bytes: 0, backbone: "separable", tasks: [] };
});
const panels = {
  camera: startCamera(about),
  video: startVideos(about),
};
if (about.live) panels.live = startLive();
else get("tab-live").hidden = true;

function show(name) {
  for (const tab of all("[role=tab]")) {
    const chosen = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    get(tab.dataset.tab).hidden = !chosen;
  }
  for (const [key, panel] of Object.entries(panels)) panel.show(key === name);
  if (location.hash !== `#${name}`) history.replaceState(null, "", `#${name}`);
}

const tabs = all("[role=tab]").filter((tab) => !tab.hidden);
for (const tab of tabs) tab.addEventListener("click", () => show(tab.dataset.tab));
get("tab-live").parentElement.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  next.focus();
  show(next.dataset.tab);
});
const wanted = location.hash.slice(1);
show(wanted in panels ? wanted : about.live ? "live" : "camera");
