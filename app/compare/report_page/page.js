"use strict";
const { report, image } = JSON.parse(document.getElementById("data").textContent);
const FORMS = { separable: "separable", standard: "standard", baseline: "paper’s baseline" };
const $ = (id) => document.getElementById(id);

// --- text ---------------------------------------------------------------------------------------------

function digits(value) {
  if (value === undefined || value === null) return "";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return Number(value.toPrecision(3)).toString();
}
const scaled = (value, unit, name) => (value === undefined ? "" : `${digits(value / unit)} ${name}`);
const interval = (e) => (e ? `${digits(e.median)} (${digits(e.low)} – ${digits(e.high)})` : "");
const how = (o) => `${o.runtime} ${o.precision}, ${o.device === "cuda" ? "GPU" : `${o.threads} thread${o.threads === 1 ? "" : "s"}`}`;
const title = (r) => `${r.name} (${how(r.options)})`;

function element(tag, attributes = {}, ...children) {
  const svg = ["svg", "line", "rect", "circle", "polyline", "text", "g"].includes(tag);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function table(headings, rows, words = 1) {
  const cells = (tag, values) =>
    values.map((v, i) => element(tag, i < words ? { class: "words" } : {}, ...[v].flat()));
  const made = element("table", {}, element("thead", {}, element("tr", {}, ...cells("th", headings))));
  made.append(element("tbody", {}, ...rows.map((row) =>
    element("tr", row.first ? { class: "first" } : {}, ...cells("td", row.cells)))));
  return made;
}

// --- plots --------------------------------------------------------------------------------------------

/* A plot with axes; x and y are {from, to, log, label, ticks}. */
class Plot {
  constructor(width, height, x, y, margin = {}) {
    this.margin = { left: 64, right: 20, top: 34, bottom: 46, ...margin };
    Object.assign(this, { width, height, x, y });
    this.svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
    this.axes();
  }
  at(axis, value) {
    const f = axis.log ? Math.log10 : (v) => v;
    return (f(value) - f(axis.from)) / (f(axis.to) - f(axis.from));
  }
  px(v) { return this.margin.left + this.at(this.x, v) * (this.width - this.margin.left - this.margin.right); }
  py(v) { return this.height - this.margin.bottom - this.at(this.y, v) * (this.height - this.margin.top - this.margin.bottom); }
  add(tag, attributes, tip, ...children) {
    const made = element(tag, attributes, ...children);
    if (tip) { made.dataset.tip = tip; made.classList.add("mark"); }
    this.svg.append(made);
    return made;
  }
  text(x, y, words, attributes = {}) { return this.add("text", { x, y, ...attributes }, null, words); }
  axes() {
    const { left, right, top, bottom } = this.margin;
    for (const tick of this.x.ticks) {
      const at = this.px(tick);
      this.add("line", { class: "grid", x1: at, x2: at, y1: top, y2: this.height - bottom });
      this.text(at, this.height - bottom + 16, digits(tick), { class: "soft", "text-anchor": "middle" });
    }
    for (const tick of this.y.ticks) {
      const at = this.py(tick);
      this.add("line", { class: "grid", x1: left, x2: this.width - right, y1: at, y2: at });
      this.text(left - 8, at + 4, digits(tick), { class: "soft", "text-anchor": "end" });
    }
    this.text((left + this.width - right) / 2, this.height - 10, this.x.label, { class: "soft", "text-anchor": "middle" });
    if (this.y.label) this.text(8, 18, this.y.label, { class: "soft" });
  }
  legend(forms) {
    let at = this.width - this.margin.right;
    for (const form of [...forms].reverse()) {
      const words = FORMS[form];
      at -= words.length * 7.2 + 26;
      this.add("circle", { class: form, cx: at, cy: 14, r: 5 });
      this.text(at + 10, 18, words);
    }
  }
}

function linear(values, label) {
  const to = Math.max(...values) * 1.06 || 1;
  const rough = to / 6, unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((s) => s * unit >= rough) * unit;
  const ticks = [];
  for (let t = 0; t <= to; t += step) ticks.push(Number(t.toPrecision(12)));
  return { from: 0, to, label, ticks };
}
function logarithmic(values, label) {
  const real = values.filter((v) => v > 0);
  const from = Math.min(...real) / 1.3, to = Math.max(...real) * 1.3;
  let ticks = [];
  for (let p = Math.floor(Math.log10(from)); p <= Math.log10(to); p++)
    for (const m of [1, 2, 5]) ticks.push(m * 10 ** p);
  ticks = ticks.filter((t) => t >= from && t <= to);
  if (ticks.length > 9) ticks = ticks.filter((t) => Math.abs(Math.log10(t) % 1) < 1e-9);
  return { from, to, log: true, label, ticks };
}

function ratioPlot() {
  const rows = report.results.flatMap((r) => Object.entries(r.ratios).map(([form, e]) => ({ r, form, e })));
  const left = Math.min(430, 40 + Math.max(...rows.map(({ r }) => title(r).length)) * 6.9);
  const height = 70 + rows.length * 34;
  const x = logarithmic([...rows.flatMap(({ e }) => [...e.per_round, e.low, e.high]), 0.95, 1.5], "times slower than separable");
  const plot = new Plot(1100, height, x, { from: 0, to: 1, ticks: [] }, { left, top: 30 });
  plot.legend(["standard", "baseline"].filter((form) => rows.some((row) => row.form === form)));
  rows.forEach(({ r, form, e }, i) => {
    const y = 46 + i * 34;
    if (form === "standard") {
      const words = title(r);
      const fits = Math.floor((left - 24) / 6.6);
      plot.text(left - 12, y + 4, words.length > fits ? words.slice(0, fits - 1) + "…" : words, { "text-anchor": "end" });
    }
    for (const value of e.per_round)
      plot.add("circle", { class: `${form} faint`, cx: plot.px(value), cy: y, r: 4 });
    plot.add("line", { class: form, x1: plot.px(e.low), x2: plot.px(e.high), y1: y, y2: y, "stroke-width": 4 });
    plot.add("circle", { class: form, cx: plot.px(e.median), cy: y, r: 7 },
      `${title(r)}\n${FORMS[form]}: ${interval(e)} times slower, ${e.per_round.length} rounds`);
    const wide = plot.px(Math.max(e.high, ...e.per_round)) + 12;
    const room = wide < plot.width - 60;
    plot.text(room ? wide : plot.px(Math.min(e.low, ...e.per_round)) - 12, y + 4, `${digits(e.median)}×`,
      { "text-anchor": room ? "start" : "end", "font-weight": 600 });
  });
  plot.add("line", { class: "one", x1: plot.px(1), x2: plot.px(1), y1: 30, y2: height - 46 });
  return plot.svg;
}

function roundsPlot(result) {
  const forms = Object.keys(result.variants);
  const all = forms.flatMap((f) => result.variants[f].round_ms);
  const rounds = result.variants.separable.round_ms.length;
  const x = linear([rounds], "round");
  x.from = 0.5; x.to = rounds + 0.5; x.ticks = x.ticks.filter((t) => t >= 1 && Number.isInteger(t));
  const plot = new Plot(540, 360, x, logarithmic(all, "ms"));
  plot.legend(forms);
  for (const form of forms) {
    const points = result.variants[form].round_ms.map((ms, i) => [plot.px(i + 1), plot.py(ms), ms, i + 1]);
    plot.add("polyline", { class: form, points: points.map((p) => `${p[0]},${p[1]}`).join(" ") });
    for (const [cx, cy, ms, round] of points)
      plot.add("circle", { class: form, cx, cy, r: 4 }, `round ${round}\n${FORMS[form]}: ${digits(ms)} ms`);
  }
  return plot.svg;
}

function theoryPlot(result) {
  const dots = result.pairs.flatMap((p) => Object.keys(p.measured).map((form) => (
    { form, x: p.predicted[form], y: p.measured[form], p })));
  if (!dots.length) return element("p", { class: "note" }, "The runtime does not tell the times of these layers.");
  const axis = (label) => logarithmic([...dots.flatMap((d) => [d.x, d.y]), 1, 2], label);
  const plot = new Plot(540, 360, axis("predicted ratio of multiply-adds"), axis("measured ratio of time"));
  plot.legend(["standard", "baseline"].filter((form) => dots.some((d) => d.form === form)));
  const { from, to } = plot.x;
  plot.add("line", { class: "one", x1: plot.px(from), y1: plot.py(from), x2: plot.px(to), y2: plot.py(to) });
  for (const { form, x, y, p } of dots)
    plot.add("circle", { class: form, cx: plot.px(x), cy: plot.py(y), r: 5, "fill-opacity": 0.7 },
      `${p.depthwise}\n${p.inputs} channels, ${p.kernel} × ${p.kernel}, to ${p.outputs}\n${FORMS[form]}: predicted ${digits(x)}, measured ${digits(y)}`);
  return plot.svg;
}

function layersPlot(result) {
  const forms = Object.keys(result.layers).filter((f) => result.layers[f].some((l) => l.ms !== undefined) && f !== "baseline");
  if (!forms.length) return element("p", { class: "note" }, "The runtime does not tell the times of these layers.");
  const count = result.layers.separable.length;
  const y = linear(forms.flatMap((f) => result.layers[f].map((l) => l.ms || 0)), "ms");
  const x = { from: -0.5, to: count - 0.5, label: "layer", ticks: [] };
  const plot = new Plot(1100, 320, x, y);
  plot.legend(forms);
  const slot = (plot.px(1) - plot.px(0)) * 0.86, bar = slot / forms.length;
  forms.forEach((form, f) => result.layers[form].forEach((l, i) => {
    if (l.ms === undefined) return;
    const top = plot.py(l.ms);
    plot.add("rect", { class: form, "stroke-width": 0, x: plot.px(i) - slot / 2 + f * bar, y: top, width: bar, height: plot.py(0) - top },
      `${l.name}\n${FORMS[form]}: ${l.kind} ${l.kernel} × ${l.kernel}, ${l.inputs} to ${l.outputs}\n${digits(l.ms)} ms, ${digits(l.macs / 1e6)} M multiply-adds, ${digits(l.macs / l.ms / 1e6)} GMAC/s\nroofline: ${digits(l.roofline_ms)} ms at least`);
  }));
  return plot.svg;
}

function rooflinePlot(result) {
  const same = (c) => JSON.stringify(c.options) === JSON.stringify(result.options);
  const ceiling = report.ceilings.find(same);
  const forms = Object.keys(result.layers);
  const dots = forms.flatMap((form) => result.layers[form].filter((l) => l.ms > 0 && l.macs > 0)
    .map((l) => ({ form, l, rate: l.macs / l.ms / 1e6 })));
  if (!dots.length || !ceiling) return element("p", { class: "note" }, "The runtime does not tell the times of these layers.");
  const x = logarithmic([...dots.map((d) => d.l.intensity), ceiling.ridge, ceiling.ridge * 3], "multiply-adds per byte moved");
  const y = logarithmic([...dots.map((d) => d.rate), ceiling.gmacs * 1.2], "GMAC/s");
  const plot = new Plot(1100, 460, x, y);
  plot.legend(forms);
  const start = Math.max(x.from, y.from / ceiling.gbs), roof = (v) => Math.min(v * ceiling.gbs, ceiling.gmacs);
  const points = [start, Math.min(ceiling.ridge, x.to), x.to].map((v) => `${plot.px(v)},${plot.py(roof(v))}`);
  plot.add("polyline", { class: "roof", points: points.join(" ") });
  plot.text(plot.width - 26, plot.py(ceiling.gmacs) - 8, `peak ${digits(ceiling.gmacs)} GMAC/s`, { "text-anchor": "end" });
  const half = Math.sqrt(start * Math.min(ceiling.ridge, x.to));
  plot.text(plot.px(half) - 10, plot.py(roof(half)) - 8, `${digits(ceiling.gbs)} GB/s`, { "text-anchor": "end" });
  for (const { form, l, rate } of dots) {
    const tip = `${l.name}\n${FORMS[form]}: ${l.kind} ${l.kernel} × ${l.kernel}, ${l.inputs} to ${l.outputs}\n${digits(rate)} GMAC/s, ${digits(l.intensity)} multiply-adds a byte\n${digits(l.ms)} ms; the roof allows ${digits(l.roofline_ms)}`;
    const cx = plot.px(l.intensity), cy = plot.py(rate);
    if (l.kind === "depthwise")
      plot.add("rect", { class: form, x: cx - 4.5, y: cy - 4.5, width: 9, height: 9, "fill-opacity": 0.7 }, tip);
    else plot.add("circle", { class: form, cx, cy, r: 5, "fill-opacity": 0.45 }, tip);
  }
  plot.text(plot.margin.left + 10, 18 + plot.margin.top, "squares: depthwise", { class: "soft" });
  return plot.svg;
}

// --- the page -----------------------------------------------------------------------------------------

function mainTable() {
  const energy = report.results.some((r) => Object.values(r.variants).some((v) => "energy_j" in v));
  const headings = ["what", "form", "times slower (95 % interval)", "ms (95 % interval)", "p95", "FPS", "MACs", "params",
    "weights", "activations", "peak memory", "start", ...(energy ? ["J"] : [])];
  const rows = report.results.flatMap((r) => Object.entries(r.variants).map(([form, v], i) => ({
    first: i === 0,
    cells: [
      i === 0 ? r.name : i === 1 ? element("small", {}, how(r.options)) : "",
      FORMS[form] + (v.trained ? "" : ", untrained"),
      interval(r.ratios[form]), interval(v.latency_ms), digits(v.latency_ms.p95), digits(v.fps),
      scaled(v.macs, 1e6, "M"), scaled(v.params, 1e6, "M"), scaled(v.weight_bytes, 1e6, "MB"),
      scaled(v.activation_bytes, 1e6, "MB"), scaled(v.peak_rss_bytes, 1e6, "MB"), scaled(v.start_s, 1, "s"),
      ...(energy ? [digits(v.energy_j)] : []),
    ],
  })));
  return table(headings, rows, 2);
}

function agreementTable() {
  const pipelines = report.results.filter((r) => r.difference).map((r) => ({ cells: [title(r),
    r.difference.same_objects ? "same" : "NOT the same", `${digits(r.difference.boxes_px)} px`,
    `${digits(r.difference.keypoints_px)} px`, r.difference.mask_iou.toFixed(4), ""] }));
  const networks = report.results.filter((r) => r.verification).map((r) => ({ cells: [title(r),
    r.verification.same_function ? "same function" : "NOT the same function", "", "", "",
    r.verification.largest.toExponential(1)] }));
  return table(["predictions, separable against standard", "", "boxes", "keypoints", "least mask IoU",
    "outputs on noise, relative"], [...pipelines, ...networks], 2);
}

function paperTable(result) {
  const rows = Object.entries(result.paper).map(([form, stated]) => {
    const v = result.variants[form];
    return { cells: [form === "separable" ? "depthwise separable" : "full convolutions",
      scaled(stated.macs, 1e6, "M"), scaled(v.macs, 1e6, "M"), scaled(stated.params, 1e6, "M"),
      scaled(v.params, 1e6, "M"), interval(v.latency_ms)] };
  });
  return table(["MobileNetV1 at 224 × 224", "MACs, paper", "counted", "params, paper", "counted", "ms here"], rows);
}

function showNetwork(result) {
  $("rounds").replaceChildren(roundsPlot(result));
  $("theory").replaceChildren(theoryPlot(result));
  $("layers").replaceChildren(layersPlot(result));
  $("roofline").replaceChildren(rooflinePlot(result));
}

function environment() {
  const e = report.environment, s = report.source;
  const libraries = Object.entries(e.libraries).filter(([, v]) => v).map(([n, v]) => `${n} ${v}`).join(", ");
  const weights = report.results.filter((r) => r.weights_sha256)
    .map((r) => `${r.name} ${r.weights_sha256.slice(0, 16)}`);
  const ceilings = report.ceilings.map((c) => `${digits(c.gmacs)} GMAC/s, ${digits(c.gbs)} GB/s (${how(c.options)})`);
  const rows = [
    ["Command", report.command], ["When", report.created],
    ["Source", `${s.name}, ${s.width} × ${s.height}` + (s.sha256 ? `, SHA-256 ${s.sha256}` : "")],
    ["Processor", `${e.cpu}, ${e.cpu_cores} cores` + (e.gpu ? `; ${e.gpu}` : "")],
    ["Measured limits", ceilings.join("; ")], ["System", `${e.system}, Python ${e.python}`],
    ["Libraries", libraries], ["Weights, SHA-256", [...new Set(weights)].join(", ")],
    ["Seed", String(report.settings.seed)], ["Processor flags", e.cpu_flags.join(" ")],
  ];
  for (const [name, value] of rows)
    if (value) $("environment").append(element("dt", {}, name), element("dd", {}, value));
}

function showTips() {
  const tip = $("tip");
  document.addEventListener("pointermove", (event) => {
    const words = event.target.dataset?.tip;
    tip.hidden = !words;
    if (!words) return;
    tip.textContent = words;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - width - 8)}px`;
    tip.style.top = `${event.clientY + height + 24 > innerHeight ? event.clientY - height - 12 : event.clientY + 16}px`;
  });
}

$("about").textContent = `${report.environment.cpu}, ${report.source.name}, ${report.created.slice(0, 10)}`;
for (const sentence of report.findings) {
  const bad = /SLOWER|not faster|not the same|did not|partial/.test(sentence) ? { class: "bad" } : {};
  $("findings").querySelector("ul").append(element("li", bad, sentence));
}
if (image) {
  $("image").hidden = false;
  const element = $("image").querySelector("img");
  element.src = image.data;
  element.alt = image.caption;
  $("image").querySelector("figcaption").textContent = image.caption;
}
$("ratios").append(ratioPlot());
$("table").append(mainTable());
$("agreement").append(agreementTable());
const explained = report.results.filter((r) => r.layers);
if (explained.length) {
  $("detail").hidden = false;
  explained.forEach((r, i) => $("network").append(element("option", { value: i }, title(r))));
  $("network").addEventListener("change", (event) => showNetwork(explained[event.target.value]));
  const first = Math.max(0, explained.findIndex((r) => r.name.startsWith("blazepose")));
  $("network").value = first;
  showNetwork(explained[first]);
}
const paper = report.results.find((r) => r.paper && r.variants.separable.macs);
if (paper) {
  $("paper").hidden = false;
  $("paper").querySelector(".wide").append(paperTable(paper));
}
environment();
showTips();
