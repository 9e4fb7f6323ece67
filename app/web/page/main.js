// The tabs, and what they share.

import { startCamera } from "./camera.js";
import { all, call, get } from "./dom.js";
import { startLive } from "./live.js";
import { startSources } from "./sources.js";
import { startVideos } from "./videos.js";

// The token is now in a cookie: keep it out of the address, the history and screenshots.
if (new URLSearchParams(location.search).has("token")) history.replaceState(null, "", location.pathname + location.hash);

const panels = {};
const tabs = all("[role=tab]");
let chosen = location.hash.slice(1);

function show(name) {
  chosen = name;
  for (const tab of tabs) {
    const here = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(here));
    tab.tabIndex = here ? 0 : -1;
    get(tab.dataset.tab).hidden = !here;
  }
  for (const [key, panel] of Object.entries(panels)) panel.show(key === name);
  if (location.hash !== `#${name}`) history.replaceState(null, "", `#${name}`);
}

for (const tab of tabs) tab.addEventListener("click", () => show(tab.dataset.tab));
get("tab-live").parentElement.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const visible = tabs.filter((tab) => !tab.hidden);
  const next = visible[(visible.indexOf(document.activeElement) + step + visible.length) % visible.length];
  next.focus();
  show(next.dataset.tab);
});
addEventListener("hashchange", () => {
  const named = tabs.find((tab) => !tab.hidden && `#${tab.dataset.tab}` === location.hash);
  if (named) show(named.dataset.tab);
});

const about = await call("GET", "/api/about").catch((error) => {
  get("banner").textContent = error.message;
  return { live: true, cameras: 1, max_upload_bytes: 0, backbone: "separable", tasks: [] };
});
panels.camera = startCamera(about);
panels.video = startVideos(about);
const several = about.sources > 1;
if (about.live) {
  const live = startLive(several);
  panels.live = several ? startSources(about.sources, live) : live;
} else get("tab-live").hidden = true;
show(chosen in panels ? chosen : about.live ? "live" : "camera");
