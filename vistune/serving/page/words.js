// An answer's words: coordinates in it become marks in the colour of their region, with the words that name it. Text stays text.
import { COLOURS } from "./picture.js";

// `regions` are the answer's, each with `span` (in characters) where the text writes it; `over(region)` and `out()` follow the mouse.
export function worded(text, regions, over, out, toggled) {
  const letters = Array.from(text), nodes = [];
  let place = 0;
  for (const region of regions) {
    if (!region.span || region.span[0] < place) continue;
    const before = letters.slice(place, region.span[0]).join(""), phrase = /[^.,;:!?\n]{0,40}$/.exec(before)[0];
    nodes.push(before.slice(0, before.length - phrase.length));
    if (!region.label && phrase.trim()) region.label = phrase.trim().split(/\s+/).slice(-4).join(" ");
    nodes.push(mark(phrase + letters.slice(...region.span).join(""), region, over, out, toggled));
    place = region.span[1];
  }
  nodes.push(letters.slice(place).join(""));
  const unwritten = regions.filter((region) => !region.span);
  if (unwritten.length) nodes.push("\n", ...unwritten.flatMap((region, index) => [mark(region.label ?? `region ${index + 1}`, region, over, out, toggled), " "]));
  return nodes;
}

function mark(words, region, over, out, toggled) {
  const made = document.createElement("button");
  made.className = `mark c${region.colour % COLOURS}`;
  made.type = "button";
  made.title = "Click to hide or show it on the picture";
  made.append(words);
  made.setAttribute("aria-pressed", "true");
  for (const name of ["pointerenter", "focus"]) made.addEventListener(name, () => over(region));
  for (const name of ["pointerleave", "blur"]) made.addEventListener(name, out);
  made.addEventListener("click", () => {
    region.hidden = !region.hidden;
    made.classList.toggle("off", region.hidden);
    made.setAttribute("aria-pressed", String(!region.hidden));
    toggled();
  });
  return made;
}
