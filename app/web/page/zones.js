// Lines and zones drawn on the live video; each change is saved at once.

import { call, get, openDialog, setPressed, setText, toast } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const CORNER_PX = 9;
const CLOSE_PX = 14; // from the first corner, where a click closes a zone
const STEP = 0.01;
const USUAL = "#ffc83c";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function startZones() {
  let base = "/api";
  const layer = get("zone-layer");
  const size = { width: 1, height: 1 };
  let zones = [];
  let chosen = null;
  let drawing = null; // {kind, points}
  let drag = null; // {zone, corner or null, from, moved}
  let editing = false;
  let unsaved = null; // {path, body}: what is to be sent once the server has answered
  let saving = false;
  const pathOf = () => `${base}/live/zones`;

  // --- saving

  function take(answer) {
    const name = zones[chosen]?.name;
    const of = (kind, items) => items.map((item) => ({ kind, ...item }));
    zones = [...of("line", answer.lines), ...of("zone", answer.zones)];
    chosen = zones.findIndex((zone) => zone.name === name);
    if (chosen < 0) chosen = null;
    show();
  }

  /** Shows what has changed and sends it; one request at a time, so that none overtakes another. */
  async function save() {
    show();
    const of = (kind) => zones.filter((zone) => zone.kind === kind).map(({ name, points, color }) => ({ name, points, color: color ?? "" }));
    unsaved = { path: pathOf(), body: { lines: of("line"), zones: of("zone") } };
    if (saving) return;
    saving = true;
    try {
      while (unsaved) {
        const { path, body } = unsaved;
        unsaved = null;
        const answer = await call("PUT", path, body);
        if (path !== pathOf() || unsaved) continue;
        if (!drag) take(answer);
        setText(get("zone-hint"), `saved to ${answer.file}`);
      }
      saving = false;
    } catch (error) {
      unsaved = null;
      saving = false;
      toast(error.message);
      await load();
    }
  }

  async function load() {
    const path = pathOf();
    try {
      const answer = await call("GET", path);
      if (path !== pathOf() || saving) return; // what is being saved is newer
      drag = null;
      take(answer);
    } catch (error) {
      toast(error.message);
    }
  }

  // --- showing

  function element(tag, attributes, text = "") {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  }

  const scale = () => layer.getScreenCTM()?.a || 1; // CSS pixels per unit of the layer
  const pixels = (points) => points.map(([x, y]) => [x * size.width, y * size.height]);
  const path = (points, closed) => `M${pixels(points).map((point) => point.join(" ")).join("L")}${closed ? "Z" : ""}`;

  function show() {
    if (!editing) return;
    layer.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    const focused = document.activeElement?.dataset?.corner;
    const parts = zones.flatMap((zone, index) => shape(zone, index));
    if (drawing) {
      parts.push(element("path", { d: path(drawing.points, false), class: "draft" }));
      parts.push(...corners(drawing.points, "new"));
    }
    layer.replaceChildren(...parts);
    if (focused !== undefined) layer.querySelector(`[data-corner="${focused}"]`)?.focus();
    const zone = zones[chosen];
    for (const id of ["zone-name", "zone-delete", "zone-color"]) get(id).disabled = !zone;
    get("zone-color").value = zone?.color || USUAL;
    if (document.activeElement !== get("zone-name")) get("zone-name").value = zone?.name ?? "";
    for (const kind of ["zone", "line"]) setPressed(get(`zone-add-${kind}`), drawing?.kind === kind);
  }

  function shape(zone, index) {
    const outline = element("path", { d: path(zone.points, zone.kind === "zone"), class: index === chosen ? `${zone.kind} chosen` : zone.kind, "data-zone": index });
    if (index !== chosen) outline.style.stroke = zone.color || USUAL;
    const [x, y] = pixels(zone.points)[0];
    const name = element("text", { x: x + 8 / scale(), y: y - 8 / scale(), "font-size": 14 / scale() }, zone.name);
    return [outline, name, ...(index === chosen ? corners(zone.points, zone.name) : [])];
  }

  function corners(points, name) {
    return pixels(points).map(([x, y], corner) =>
      element("circle", {
        cx: x, cy: y, r: CORNER_PX / scale(), "data-corner": corner, tabindex: drawing ? -1 : 0, role: "button",
        "aria-label": `Corner ${corner + 1} of ${name}: arrow keys move it`,
      }),
    );
  }

  // --- the mouse

  function place(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(layer.getScreenCTM().inverse());
    const within = (value) => Math.min(1, Math.max(0, Math.round(value * 1e4) / 1e4));
    return [within(point.x / size.width), within(point.y / size.height)];
  }

  function distance(a, b) {
    return Math.hypot((a[0] - b[0]) * size.width, (a[1] - b[1]) * size.height) * scale();
  }

  layer.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const at = place(event);
    if (drawing) {
      event.preventDefault();
      extend(at);
      return;
    }
    const { corner, zone } = event.target.dataset;
    if (zone !== undefined) chosen = Number(zone);
    else if (corner === undefined) chosen = null;
    if (chosen !== null) {
      drag = { corner: corner === undefined ? null : Number(corner), from: at, points: zones[chosen].points, moved: false };
      layer.setPointerCapture(event.pointerId);
    }
    show();
  });

  layer.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const at = place(event);
    const by = [at[0] - drag.from[0], at[1] - drag.from[1]];
    drag.moved ||= distance(at, drag.from) > 2;
    if (!drag.moved) return;
    const inside = (value) => Math.min(1, Math.max(0, Math.round(value * 1e4) / 1e4));
    zones[chosen].points = drag.points.map(([x, y], i) => (drag.corner === null || drag.corner === i ? [inside(x + by[0]), inside(y + by[1])] : [x, y]));
    show();
  });

  for (const kind of ["pointerup", "pointercancel"]) {
    layer.addEventListener(kind, () => {
      const { moved } = drag ?? {};
      drag = null;
      if (moved) save();
    });
  }

  function extend(at) {
    const { kind, points } = drawing;
    const closes = points.length > 2 && distance(at, points[0]) < CLOSE_PX;
    if (!closes && (!points.length || distance(at, points.at(-1)) > 3)) points.push(at);
    if (closes || (kind === "line" && points.length === 2)) finish();
    else show();
  }

  layer.addEventListener("dblclick", () => drawing?.points.length > 2 && finish());

  function finish() {
    const { kind, points } = drawing;
    const names = new Set(zones.map((zone) => zone.name));
    let number = 1;
    while (names.has(`${kind} ${number}`)) number++;
    zones.push({ kind, name: `${kind} ${number}`, points });
    chosen = zones.length - 1;
    drawing = null;
    save();
    get("zone-name").value = zones[chosen].name;
    get("zone-name").select();
  }

  // --- the buttons

  function draw(kind) {
    drawing = drawing?.kind === kind ? null : { kind, points: [] };
    chosen = null;
    const hints = { zone: "Click each corner; click the first one again to close it.", line: "Click both ends. In is from its right to its left." };
    setText(get("zone-hint"), drawing ? hints[kind] : "");
    show();
  }

  function edit(wanted) {
    editing = wanted;
    drawing = drag = chosen = null;
    layer.toggleAttribute("hidden", !editing);
    get("zone-bar").hidden = !editing;
    setPressed(get("edit-zones"), editing);
    setText(get("zone-hint"), editing ? "Choose one to change it, or add one." : "");
    if (editing) load();
    else layer.replaceChildren();
  }

  get("edit-zones").addEventListener("click", () => edit(!editing));
  get("zone-done").addEventListener("click", () => edit(false));
  for (const kind of ["zone", "line"]) get(`zone-add-${kind}`).addEventListener("click", () => draw(kind));
  get("zone-delete").addEventListener("click", () => {
    if (!zones[chosen]) return;
    zones.splice(chosen, 1);
    chosen = null;
    save();
  });
  get("zone-name").addEventListener("change", () => {
    const name = get("zone-name").value.trim();
    if (!zones[chosen] || !name || name === zones[chosen].name) return;
    if (zones.some((zone) => zone.name === name)) {
      toast(`there is a ${name} already: give each its own name`);
      show();
      return;
    }
    zones[chosen].name = name;
    save();
  });
  get("zone-color").addEventListener("change", () => {
    if (!zones[chosen]) return;
    zones[chosen].color = get("zone-color").value;
    save();
  });
  addEventListener("keydown", (event) => {
    if (!editing || openDialog()) return;
    const { corner } = event.target.dataset ?? {};
    const arrow = ARROWS[event.key];
    if (event.key === "Escape") drawing ? draw(drawing.kind) : edit(false);
    else if (event.key === "Enter" && drawing?.points.length > 2) finish();
    else if (corner !== undefined && arrow && zones[chosen]) {
      const points = zones[chosen].points.map(([x, y], i) => (i === Number(corner) ? [x + arrow[0] * STEP, y + arrow[1] * STEP].map((value) => Math.min(1, Math.max(0, +value.toFixed(4)))) : [x, y]));
      zones[chosen].points = points;
      save();
    } else return;
    event.preventDefault();
  });
  new ResizeObserver(show).observe(layer.parentElement);

  return {
    /** Those of another source, by the beginning of its addresses. */
    of(next) {
      edit(false);
      base = next;
      zones = [];
      chosen = drawing = drag = null;
    },
    /** width and height of the source in pixels. */
    fit({ width, height }) {
      if (width === size.width && height === size.height) return;
      Object.assign(size, { width, height });
      show();
    },
  };
}
