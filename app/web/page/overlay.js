// Draws the objects found in a frame as the server draws the live video; colors and thresholds come from the server.

/** objects: as the server lists them, in pixels of the canvas; style: {layers, bones: [[a, b, color or null]], min_joint_score, mask_opacity}. */
export function drawObjects(context, objects, style) {
  const { width, height } = context.canvas;
  const line = Math.max(1.5, Math.min(width, height) / 300);
  const size = Math.max(11, Math.round(Math.min(width, height) * 0.03));
  const ordered = [...objects].sort((a, b) => a.box[3] - b.box[3]); // the nearest is drawn last, on top
  context.lineJoin = context.lineCap = "round";
  const layers = new Set(style.layers);
  for (const one of ordered) if (one.outline && layers.has("masks")) drawMask(context, one, line, style.mask_opacity);
  for (const one of ordered) {
    const [x1, y1, x2, y2] = one.box;
    context.strokeStyle = one.color;
    context.lineWidth = line;
    if (layers.has("boxes")) context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    if (one.keypoints && layers.has("skeletons")) drawSkeleton(context, one, style, line);
  }
  context.font = `600 ${size}px system-ui, "DejaVu Sans", sans-serif`;
  context.textBaseline = "middle";
  for (const one of ordered) drawLabel(context, one, size, layers);
}

function drawMask(context, { outline, color }, line, opacity) {
  const path = new Path2D();
  for (const polygon of outline) {
    polygon.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    path.closePath();
  }
  context.globalAlpha = opacity;
  context.fillStyle = color;
  context.fill(path, "evenodd");
  context.globalAlpha = 1;
  context.strokeStyle = color;
  context.lineWidth = Math.max(1, line - 0.5);
  context.stroke(path);
}

function drawSkeleton(context, { keypoints, box, color: own }, { bones, min_joint_score }, line) {
  const { width, height } = context.canvas;
  const thickness = Math.min(2 * line, Math.max(1, Math.max(box[2] - box[0], box[3] - box[1]) / 130));
  const inside = ([x, y]) => x >= 0 && y >= 0 && x < width && y < height;
  const seen = (i) => keypoints[i][2] >= min_joint_score && inside(keypoints[i]);
  const longer = ([a, b], least) => Math.hypot(keypoints[a][0] - keypoints[b][0], keypoints[a][1] - keypoints[b][1]) > least;
  // Bones shorter than the line's thickness would be blots, and so would the joints of short ones.
  const drawn = bones.filter(([a, b]) => seen(a) && seen(b) && longer([a, b], 1.5 * thickness));
  const stroke = (list, color, lineWidth) => {
    context.strokeStyle = color;
    context.lineWidth = lineWidth;
    context.beginPath();
    for (const [a, b] of list) {
      context.moveTo(keypoints[a][0], keypoints[a][1]);
      context.lineTo(keypoints[b][0], keypoints[b][1]);
    }
    context.stroke();
  };
  stroke(drawn, "#12161c", thickness + 2);
  for (const color of new Set(drawn.map((bone) => bone[2]))) stroke(drawn.filter((bone) => bone[2] === color), color ?? own, thickness);
  context.fillStyle = "#ffffff";
  for (const i of new Set(drawn.filter((bone) => longer(bone, 4 * thickness)).flatMap(([a, b]) => [a, b]))) {
    context.beginPath();
    context.arc(keypoints[i][0], keypoints[i][1], thickness * 0.9, 0, 2 * Math.PI);
    context.fill();
  }
}

function drawLabel(context, { id, label: name, score, color, box }, size, layers) {
  const numbered = id !== null && layers.has("ids");
  const words = layers.has("labels") && !(numbered && name === "person") ? [name] : [];
  if (numbered) words.push(`#${id}`);
  if (layers.has("conf")) words.push(score.toFixed(2));
  const text = words.join(" ");
  if (!text) return;
  const width = context.measureText(text).width + size * 0.7;
  const height = size * 1.4;
  const x = Math.max(0, Math.min(box[0], context.canvas.width - width));
  const y = Math.max(0, Math.min(box[1] >= height ? box[1] - height : box[1], context.canvas.height - height));
  context.fillStyle = color;
  context.fillRect(x, y, width, height);
  context.fillStyle = "#12161c";
  context.fillText(text, x + size * 0.35, y + height / 2);
}
