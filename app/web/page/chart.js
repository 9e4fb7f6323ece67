// A line chart of the last minute; each segment has the color of the backbone that was running.

const SECONDS = 60;
const GAP_MS = 3000;

export class Chart {
  /** lines: [{key, width, alpha, dashed, soft}], drawn in this order; the last line's value is printed at its end. */
  constructor(canvas, lines) {
    this.canvas = canvas;
    this.lines = lines;
    this.points = [];
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** values: by key; null where there is none. */
  add(backbone, values) {
    const now = performance.now();
    this.points.push({ at: now, backbone, ...values });
    while (this.points[0].at < now - SECONDS * 1000) this.points.shift();
    this.draw();
  }

  clear() {
    this.points = [];
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!width || !height) return;
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    const color = (name) => style.getPropertyValue(name).trim();
    const left = 36;
    const right = width - 38;
    const top = 8;
    const bottom = height - 8;
    const most = niceAbove(Math.max(1, ...this.points.flatMap((p) => this.lines.map(({ key }) => p[key] ?? 0))));
    const y = (value) => bottom - (value / most) * (bottom - top);
    const now = performance.now();
    const x = (at) => right - ((now - at) / 1000 / SECONDS) * (right - left);

    context.font = `11px ${style.fontFamily}`;
    context.textBaseline = "middle";
    context.lineWidth = 1;
    for (const share of [0, 0.5, 1]) {
      context.strokeStyle = color("--line");
      context.setLineDash([]);
      context.beginPath();
      context.moveTo(left, y(most * share));
      context.lineTo(right, y(most * share));
      context.stroke();
      context.fillStyle = color("--soft");
      context.textAlign = "right";
      context.fillText(String(+(most * share).toPrecision(3)), left - 6, y(most * share));
    }
    context.lineJoin = context.lineCap = "round";
    for (const line of this.lines) this.#stroke(context, line, x, y, color);
    const last = this.points.at(-1);
    const { key } = this.lines.at(-1);
    if (last && last[key] != null) {
      context.fillStyle = color(`--${last.backbone}`);
      context.textAlign = "left";
      context.font = `600 12px ${style.fontFamily}`;
      context.fillText(last[key] >= 100 ? last[key].toFixed(0) : last[key].toFixed(1), right + 5, y(last[key]));
    }
  }

  #stroke(context, { key, width = 2, alpha = 1, dashed = false, soft = false }, x, y, color) {
    context.globalAlpha = alpha;
    context.lineWidth = width;
    context.setLineDash(dashed ? [3, 3] : []);
    for (let i = 1; i < this.points.length; i++) {
      const [a, b] = [this.points[i - 1], this.points[i]];
      if (a[key] == null || b[key] == null || b.at - a.at > GAP_MS) continue;
      context.strokeStyle = color(soft ? "--soft" : `--${b.backbone}`);
      context.beginPath();
      context.moveTo(x(a.at), y(a[key]));
      context.lineTo(x(b.at), y(b[key]));
      context.stroke();
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
  }
}

function niceAbove(value) {
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((n) => n * step).find((n) => n >= value * 1.08) ?? 20 * step;
}
