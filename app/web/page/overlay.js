// Draws the objects found in a frame with the colors and in the order that the server uses for the live video.

const LEFT = "#ffba62";
const RIGHT = "#68ceff";
const MIDDLE = "#ffffff";
const JOINT_FLOOR = 0.5;

/** objects: as the server lists them, in pixels of the canvas. */
export function drawObjects(context, objects, skeleton, sides) {
  const { width, height } = context.canvas;
  const line = Math.max(1.5, Math.min(width, height) / 300);
  const size = Math.max(11, Math.round(Math.min(width, height) * 0.03));
  const ordered = [...objects].sort((a, b) => a.box[3] - b.box[3]);
  context.lineJoin = context.lineCap = "round";
  for (const one of ordered) if (one.outline) tint(context, one, line);
  for (const one of ordered) {
    const [x1, y1, x2, y2] = one.box;
    context.strokeStyle = one.color;
    context.lineWidth = line;
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    if (one.keypoints) bones(context, one, skeleton, sides, line);
  }
  context.font = `600 ${size}px system-ui, "DejaVu Sans", sans-serif`;
  context.textBaseline = "middle";
  for (const one of ordered) label(context, one, size);
}

function tint(context, { outline, color }, line) {
  const path = new Path2D();
  for (const polygon of outline) {
    polygon.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    path.closePath();
  }
  context.globalAlpha = 0.34;
  context.fillStyle = color;
  context.fill(path, "evenodd");
  context.globalAlpha = 1;
  context.strokeStyle = color;
  context.lineWidth = Math.max(1, line - 0.5);
  context.stroke(path);
}

function bones(context, { keypoints, box }, skeleton, sides, line) {
  const thick = Math.min(2 * line, Math.max(1, Math.max(box[2] - box[0], box[3] - box[1]) / 130));
  const seen = (i) => keypoints[i][2] >= JOINT_FLOOR;
  const long = ([a, b], least) => Math.hypot(keypoints[a][0] - keypoints[b][0], keypoints[a][1] - keypoints[b][1]) > least;
  // Bones shorter than the line is thick would only be blots, and so would joints of short ones.
  const drawn = skeleton.filter((pair) => pair.every(seen) && long(pair, 1.5 * thick));
  const stroke = (pairs, color, width) => {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    for (const [a, b] of pairs) {
      context.moveTo(keypoints[a][0], keypoints[a][1]);
      context.lineTo(keypoints[b][0], keypoints[b][1]);
    }
    context.stroke();
  };
  stroke(drawn, "#12161c", thick + 2);
  for (const [side, color] of [[0, MIDDLE], [-1, RIGHT], [1, LEFT]]) {
    stroke(drawn.filter(([a, b]) => Math.sign(sides[a] + sides[b]) === side), color, thick);
  }
  context.fillStyle = "#ffffff";
  for (const i of new Set(drawn.filter((pair) => long(pair, 4 * thick)).flat())) {
    context.beginPath();
    context.arc(keypoints[i][0], keypoints[i][1], thick * 0.9, 0, 7);
    context.fill();
  }
}

function label(context, { id, label: name, score, color, box }, size) {
  const text = `${id === null ? "" : `#${id} `}${name} ${score.toFixed(2)}`;
  const wide = context.measureText(text).width + size * 0.7;
  const high = size * 1.4;
  const x = Math.max(0, Math.min(box[0], context.canvas.width - wide));
  const y = box[1] >= high ? box[1] - high : Math.max(0, box[1]);
  context.fillStyle = color;
  context.fillRect(x, y, wide, high);
  context.fillStyle = "#12161c";
  context.fillText(text, x + size * 0.35, y + high / 2);
}
