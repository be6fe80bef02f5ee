// A picture with an overlay: regions the person draws (numbered) and regions of answers (in their colours), and drawing itself.
import { eachPixel } from "./masks.js";

export const COLOURS = 6;

function colour(number) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--c${number % COLOURS}`).trim();
}

export class Picture {
  // `tool()` is box, point or free; `drawn(region)` is told of a finished region, a free one as its outline.
  constructor(image, tool, drawn) {
    this.image = image;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "overlay";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", "The picture: draw with the mouse, or move with the arrow keys and press Enter");
    this.tool = tool;
    this.drawn = drawn;
    this.own = [];
    this.found = [];
    this.lit = null;
    this.path = null;
    this.cursor = null;
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerup", () => this.up());
    this.canvas.addEventListener("pointercancel", () => { this.path = null; this.draw(); });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => { this.cursor = null; this.draw(); });
    new ResizeObserver(() => this.draw()).observe(image);
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect(), inside = (value) => Math.min(1, Math.max(0, value));
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  }

  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.path = [this.at(event)];
    this.draw();
  }

  move(event) {
    if (!this.path) return;
    this.path.push(this.at(event));
    this.draw();
  }

  up() {
    if (this.path) this.finish(this.path);
  }

  finish(path) {
    this.path = null;
    const first = path[0], last = path.at(-1), far = Math.hypot(first[0] - last[0], first[1] - last[1]) > 0.01;
    if (this.tool() === "point") this.drawn({ point: last });
    else if (this.tool() === "box" && far) this.drawn({ box: corners(first, last) });
    else if (this.tool() === "free" && path.length > 2) this.drawn({ outline: path });
    this.draw();
  }

  // The arrows move a cross; Enter sets the first corner, and Enter again the other.
  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const size = event.shiftKey ? 0.1 : 0.02;
    if (steps) {
      const [x, y] = this.cursor ?? [0.5, 0.5];
      this.cursor = [Math.min(1, Math.max(0, x + size * steps[0])), Math.min(1, Math.max(0, y + size * steps[1]))];
      if (this.path) this.path.push(this.cursor);
    } else if (event.key === "Enter" || event.key === " ") {
      this.cursor ??= [0.5, 0.5];
      if (this.path || this.tool() === "point") this.finish([...(this.path ?? []), this.cursor]);
      else this.path = [this.cursor];
    } else if (event.key === "Escape" && this.path) {
      this.path = null;
      event.stopPropagation();
    } else return;
    event.preventDefault();
    this.draw();
  }

  draw() {
    const { width, height } = this.canvas.getBoundingClientRect(), scale = devicePixelRatio || 1;
    if (!width) return;
    Object.assign(this.canvas, { width: width * scale, height: height * scale });
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    const size = [width, height];
    this.own.forEach((region) => shape(pen, size, region, "#ffd400", String(region.number), 1));
    this.found.forEach((region) => {
      if (!region.hidden) shape(pen, size, region, colour(region.colour), region.label ?? "", this.lit === null || this.lit === region ? 1 : 0.15);
    });
    if (this.path) {
      const path = this.tool() === "box" ? { box: corners(this.path[0], this.path.at(-1)) } : { outline: this.path };
      shape(pen, size, path, "#ffd400", "", 1);
    }
    if (this.cursor) cross(pen, [this.cursor[0] * width, this.cursor[1] * height]);
  }
}

export function corners([x1, y1], [x2, y2]) {
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)].map((value) => Math.round(value * 1e4) / 1e4);
}

function shape(pen, [width, height], region, ink, words, strength) {
  pen.globalAlpha = strength;
  let [x, y] = [0, 0];
  if (region.box) {
    const [x1, y1, x2, y2] = region.box;
    [x, y] = [x1 * width, y1 * height];
    outline(pen, ink, () => pen.rect(x, y, (x2 - x1) * width, (y2 - y1) * height));
  } else if (region.point) {
    [x, y] = [region.point[0] * width, region.point[1] * height];
    pen.fillStyle = ink;
    outline(pen, ink, () => pen.arc(x, y, 6, 0, 2 * Math.PI));
    pen.fill();
  } else if (region.outline) {
    [x, y] = [region.outline[0][0] * width, region.outline[0][1] * height];
    outline(pen, ink, () => region.outline.forEach(([px, py], index) => pen[index ? "lineTo" : "moveTo"](px * width, py * height)));
  } else if (region.mask) {
    const [rows, columns] = region.mask.size;
    pen.fillStyle = ink;
    pen.globalAlpha = 0.5 * strength;
    let first = true;
    eachPixel(region.mask, (px, py) => {
      if (first) [x, y, first] = [px * width / columns, py * height / rows, false];
      pen.fillRect(px * width / columns, py * height / rows, width / columns + 0.5, height / rows + 0.5);
    });
    pen.globalAlpha = strength;
  }
  if (words) label(pen, ink, words, x, y, width);
  pen.globalAlpha = 1;
}

function outline(pen, ink, trace) {
  for (const [style, width] of [["rgb(0 0 0 / .7)", 5], [ink, 3]]) {
    pen.beginPath();
    trace();
    Object.assign(pen, { strokeStyle: style, lineWidth: width });
    pen.stroke();
  }
}

function label(pen, ink, words, x, y, width) {
  pen.font = "bold 13px system-ui, sans-serif";
  const wide = pen.measureText(words).width + 8, left = Math.max(0, Math.min(x, width - wide));
  pen.fillStyle = ink;
  pen.fillRect(left, y, wide, 18);
  pen.fillStyle = matchMedia("(prefers-color-scheme: dark)").matches || ink === "#ffd400" ? "#000" : "#fff";
  pen.fillText(words, left + 4, y + 13);
}

function cross(pen, [x, y]) {
  outline(pen, "#ffd400", () => {
    pen.moveTo(x - 9, y);
    pen.lineTo(x + 9, y);
    pen.moveTo(x, y - 9);
    pen.lineTo(x, y + 9);
  });
}
