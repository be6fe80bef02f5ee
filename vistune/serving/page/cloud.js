// A point cloud (PLY, NPY or OFF), turned with the mouse or the arrow keys.

export function showCloud(bytes) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { className: "cloud", width: 640, height: 480, tabIndex: 0 });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Point cloud: drag or use the arrow keys to turn it");
  const points = normalised(read(bytes));
  let [turn, tilt, from] = [0.6, 0.4, null];
  const draw = () => paint(canvas, points, turn, tilt);
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); from = [event.clientX, event.clientY]; });
  canvas.addEventListener("pointerup", () => { from = null; });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    turn += (event.clientX - from[0]) / 100;
    tilt += (event.clientY - from[1]) / 100;
    from = [event.clientX, event.clientY];
    draw();
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (!step) return;
    [turn, tilt] = [turn + step[0], tilt + step[1]];
    event.preventDefault();
    draw();
  });
  draw();
  return canvas;
}

function read(bytes) {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 4096));
  if (head.startsWith("ply")) return readPly(bytes, head);
  if (head.startsWith("\x93NUMPY")) return readNpy(bytes, head);
  const numbers = head.startsWith("OFF") ? new TextDecoder().decode(bytes).split(/\s+/).slice(1).map(Number) : [];
  return Array.from({ length: numbers[0] || 0 }, (_, i) => numbers.slice(3 + 3 * i, 6 + 3 * i));
}

function readNpy(bytes, head) {
  const start = 10 + bytes[8] + 256 * bytes[9], shape = /\((\d+),\s*(\d+)/.exec(head);
  if (!shape || !/<f4/.test(head)) return [];
  const values = new Float32Array(bytes.slice(start).buffer), wide = Number(shape[2]);
  return Array.from({ length: Number(shape[1]) }, (_, i) => [...values.subarray(wide * i, wide * i + 3)]);
}

const SIZES = { char: 1, uchar: 1, int8: 1, uint8: 1, short: 2, ushort: 2, int16: 2, uint16: 2, int: 4, uint: 4, int32: 4, uint32: 4, float: 4, float32: 4, double: 8, float64: 8 };

function readPly(bytes, head) {
  const end = head.indexOf("end_header\n") + 11, header = head.slice(0, end), count = Number(/element vertex (\d+)/.exec(header)?.[1] ?? 0);
  const fields = [.../element vertex \d+\n((?:property \w+ \w+\n)*)/.exec(header)?.[1].matchAll(/property (\w+) (\w+)/g) ?? []];
  if (/format ascii/.test(header)) {
    const rows = new TextDecoder().decode(bytes.subarray(end)).split("\n").slice(0, count), order = ["x", "y", "z"].map((name) => fields.findIndex((field) => field[2] === name));
    return rows.map((row) => { const cells = row.trim().split(/\s+/).map(Number); return order.map((place) => cells[place]); });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + end), little = /little_endian/.test(header), found = [];
  const stride = fields.reduce((sum, field) => sum + SIZES[field[1]], 0);
  for (let i = 0; i < count; i++) {
    const point = {};
    let place = i * stride;
    for (const [, type, name] of fields) {
      if (SIZES[type] >= 4 && /float|double/.test(type)) point[name] = SIZES[type] === 8 ? view.getFloat64(place, little) : view.getFloat32(place, little);
      place += SIZES[type];
    }
    found.push([point.x, point.y, point.z]);
  }
  return found;
}

function normalised(points) {
  const shown = points.filter((point) => point.every(Number.isFinite)).slice(0, 20000);
  const middle = [0, 1, 2].map((axis) => shown.reduce((sum, point) => sum + point[axis], 0) / (shown.length || 1));
  const moved = shown.map((point) => point.map((value, axis) => value - middle[axis]));
  const far = moved.reduce((most, point) => Math.max(most, Math.hypot(...point)), 1e-9);
  return moved.map((point) => point.map((value) => value / far));
}

function paint(canvas, points, turn, tilt) {
  const pen = canvas.getContext("2d"), { width, height } = canvas, scale = 0.45 * Math.min(width, height);
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--main").trim();
  const [c, s, ct, st] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
  for (const [x, y, z] of points) {
    const across = c * x + s * y, deep = -s * x + c * y, depth = ct * deep - st * z, up = st * deep + ct * z;
    pen.globalAlpha = 0.35 + 0.3 * (1 - depth);
    pen.fillRect(width / 2 + scale * across, height / 2 - scale * up, 3, 3);
  }
  pen.globalAlpha = 1;
}
