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
  if (!/^C?OFF/.test(head)) return [];
  const rows = new TextDecoder().decode(bytes).split("\n").map((row) => row.split("#")[0].trim()).filter(Boolean);
  const [count] = rows[1].split(/\s+/).map(Number);
  return rows.slice(2, 2 + count).map((row) => row.split(/\s+/).map(Number)).map((row) => head[0] === "C" ? coloured(row, 255) : row.slice(0, 3));
}

function readNpy(bytes, head) {
  const start = 10 + bytes[8] + 256 * bytes[9], shape = /\((\d+),\s*(\d+)/.exec(head);
  if (!shape || !/<f4/.test(head)) return [];
  const values = new Float32Array(bytes.slice(start).buffer), wide = Number(shape[2]);
  return Array.from({ length: Number(shape[1]) }, (_, i) => coloured([...values.subarray(wide * i, wide * i + 6)], 1));
}

// x, y, z, and red, green, blue from 0 to 1 where a row has them.
function coloured(row, most) {
  const shades = row.slice(3, 6).map((value) => value / most);
  return shades.length === 3 && shades.every((value) => value >= 0 && value <= 1) ? [...row.slice(0, 3), ...shades] : row.slice(0, 3);
}

const PROPERTIES = ["x", "y", "z", "red", "green", "blue"];

const SIZES = { char: 1, uchar: 1, int8: 1, uint8: 1, short: 2, ushort: 2, int16: 2, uint16: 2, int: 4, uint: 4, int32: 4, uint32: 4, float: 4, float32: 4, double: 8, float64: 8 };

function readPly(bytes, head) {
  const end = head.indexOf("end_header\n") + 11, header = head.slice(0, end), count = Number(/element vertex (\d+)/.exec(header)?.[1] ?? 0);
  const fields = [.../element vertex \d+\n((?:property \w+ \w+\n)*)/.exec(header)?.[1].matchAll(/property (\w+) (\w+)/g) ?? []];
  const most = fields.some(([, type, name]) => name === "red" && SIZES[type] === 1) ? 255 : 1;
  if (/format ascii/.test(header)) {
    const rows = new TextDecoder().decode(bytes.subarray(end)).split("\n").slice(0, count), order = PROPERTIES.map((name) => fields.findIndex((field) => field[2] === name));
    return rows.map((row) => { const cells = row.trim().split(/\s+/).map(Number); return coloured(order.filter((place) => place >= 0).map((place) => cells[place]), most); });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + end), little = /little_endian/.test(header), found = [];
  const stride = fields.reduce((sum, field) => sum + SIZES[field[1]], 0);
  for (let i = 0; i < count; i++) {
    const point = {};
    let place = i * stride;
    for (const [, type, name] of fields) {
      if (/float|double/.test(type)) point[name] = SIZES[type] === 8 ? view.getFloat64(place, little) : view.getFloat32(place, little);
      else if (SIZES[type] === 1) point[name] = view.getUint8(place);
      place += SIZES[type];
    }
    found.push(coloured(PROPERTIES.filter((name) => name in point).map((name) => point[name]), most));
  }
  return found;
}

function normalised(points) {
  const shown = points.filter((point) => point.length >= 3 && point.every(Number.isFinite)).slice(0, 20000);
  const middle = [0, 1, 2].map((axis) => shown.reduce((sum, point) => sum + point[axis], 0) / (shown.length || 1));
  const moved = shown.map((point) => middle.map((value, axis) => point[axis] - value));
  const far = moved.reduce((most, point) => Math.max(most, Math.hypot(...point)), 1e-9);
  return moved.map((point, i) => ({ place: point.map((value) => value / far), ink: ink(shown[i].slice(3)) }));
}

function ink(shades) {
  return shades.length === 3 ? `rgb(${shades.map((value) => Math.round(255 * value)).join(" ")})` : null;
}

function paint(canvas, points, turn, tilt) {
  const pen = canvas.getContext("2d"), { width, height } = canvas, scale = 0.45 * Math.min(width, height);
  pen.clearRect(0, 0, width, height);
  const main = getComputedStyle(document.documentElement).getPropertyValue("--main").trim();
  const [c, s, ct, st] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
  for (const { place: [x, y, z], ink } of points) {
    const across = c * x + s * y, deep = -s * x + c * y, depth = ct * deep - st * z, up = st * deep + ct * z;
    pen.fillStyle = ink ?? main;
    pen.globalAlpha = 0.35 + 0.3 * (1 - depth);
    pen.fillRect(width / 2 + scale * across, height / 2 - scale * up, 3, 3);
  }
  pen.globalAlpha = 1;
}
