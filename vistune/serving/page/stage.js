// The stage: the conversation's media, drawn on by the person and by answers.
import { showCloud } from "./cloud.js";
import { bounds, polygonMask } from "./masks.js";
import { Picture } from "./picture.js";

const POINTS = /\.(ply|npy|off)$/i;

export function kindOf(file) {
  if (POINTS.test(file.name)) return "points";
  const kind = file.type.split("/")[0];
  return ["image", "video", "audio"].includes(kind) ? kind : null;
}

export function asUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}

export class Stage {
  // `reads()` tells which kinds of regions the model is pointed at with; `drawn(region)` is told of a new one.
  constructor(place, reads, drawn) {
    Object.assign(this, { place, reads, drawn, pictures: new Map(), regions: [], tool: "box" });
  }

  clear() {
    this.place.replaceChildren();
    this.pictures.clear();
    this.regions = [];
  }

  show(medium, remove) {
    const figure = document.createElement("figure"), frame = document.createElement("div"), caption = document.createElement("figcaption");
    figure.className = "medium";
    frame.className = "frame";
    caption.append(medium.name);
    if (remove) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Remove" });
      button.addEventListener("click", () => { figure.remove(); this.pictures.delete(medium); remove(); });
      caption.append(button);
    }
    figure.append(frame, caption);
    this.place.append(figure);
    if (medium.kind === "image") frame.append(...this.picture(medium));
    else if (medium.kind === "points") frame.append(showCloud(Uint8Array.from(atob(medium.url.slice(medium.url.indexOf(",") + 1)), (letter) => letter.charCodeAt(0))));
    else frame.append(Object.assign(document.createElement(medium.kind), { src: medium.url, controls: true }));
  }

  picture(medium) {
    const image = Object.assign(document.createElement("img"), { src: medium.url, alt: medium.name });
    const picture = new Picture(image, () => this.tool, (region) => this.take(medium, image, region));
    this.pictures.set(medium, picture);
    // As wide as the column allows without filling the window's height: on a phone the conversation stays in sight.
    image.addEventListener("load", () => { image.parentElement.style.width = `min(100%, ${(innerWidth < 740 ? 38 : 70) * image.naturalWidth / image.naturalHeight}vh)`; });
    return [image, picture.canvas];
  }

  take(medium, image, region) {
    const number = Math.max(0, ...this.regions.map((each) => each.number)) + 1;
    let said = "";
    if (region.outline) {
      const mask = polygonMask(region.outline, image.naturalWidth, image.naturalHeight), box = bounds(mask);
      if (!box) return;
      region = this.reads().includes("mask") ? { mask } : { box: box.map((value) => Math.round(value * 1e4) / 1e4) };
      if (region.box) said = "This model is pointed at with boxes: the box around your shape is asked about.";
    }
    const made = { number, medium, ...region };
    this.regions.push(made);
    this.pictures.get(medium).own.push(made);
    this.pictures.get(medium).draw();
    this.drawn(made, said);
  }

  // The regions of one answer, on the media in the order the server knows them.
  find(regions, order) {
    for (const picture of this.pictures.values()) picture.found = [];
    for (const region of regions) this.pictures.get(order[region.on])?.found.push(region);
    this.light(null);
  }

  light(region) {
    for (const picture of this.pictures.values()) {
      picture.lit = region;
      picture.draw();
    }
  }
}
