// A conversation as one HTML file that shows it anywhere: no script, every word escaped, pictures and boxes inside.

const STYLE = `body{max-width:48rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color-scheme:light dark}
figure{position:relative;display:inline-block;margin:0 1rem 1rem 0;max-width:100%}figure img,figure video{display:block;max-width:100%}
svg{position:absolute;inset:0;width:100%;height:100%}rect,circle{fill:none;stroke-width:3;vector-effect:non-scaling-stroke}
p{white-space:pre-wrap;overflow-wrap:anywhere}.user{padding:.5rem 1rem;border-radius:.6rem;background:#8883}.who{font-size:.8rem;opacity:.7}`;
const INKS = ["#d0153b", "#17803d", "#2f55d4", "#b45309", "#8020a8", "#0b7285"];

export function sharedPage(talk, models) {
  const order = talk.shown();
  const found = talk.turns.flatMap((turn) => turn.found?.regions ?? []);
  const drawn = talk.turns.flatMap((turn) => (turn.parts ?? []).map((part) => part.region).filter(Boolean));
  const figures = order.map((medium, index) => figure(medium,
    [...found.map((region, place) => [region, region.on === index, INKS[place % INKS.length]]), ...drawn.map((region) => [region, region.medium === medium, "#ffd400"])]
      .filter(([, here]) => here).map(([region, , ink]) => shape(region, ink)).join("")));
  const turns = talk.turns.map((turn) => turn.role === "user"
    ? `<div class="user"><p>${escaped(spoken(turn))}</p></div>`
    : `<div><p class="who">${escaped(turn.model ?? models)}</p><p>${escaped(turn.text)}</p></div>`);
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'">
<title>A conversation</title><style>${STYLE}</style></head><body>\n${figures.join("\n")}\n${turns.join("\n")}\n</body></html>\n`;
}

export function spoken(turn) {
  return turn.parts.map((part) => part.text ?? (part.region ? `[${part.region.number}]` : "")).join("").trim();
}

function figure(medium, shapes) {
  const source = escaped(medium.url);
  if (medium.kind === "image") return `<figure><img src="${source}" alt=""><svg viewBox="0 0 1 1" preserveAspectRatio="none">${shapes}</svg></figure>`;
  if (medium.kind === "points") return `<p>(a point cloud: ${escaped(medium.name)})</p>`;
  return `<${medium.kind} controls src="${source}"></${medium.kind}>`;
}

function shape({ box, point }, ink) {
  if (box) return `<rect x="${+box[0]}" y="${+box[1]}" width="${box[2] - box[0]}" height="${box[3] - box[1]}" stroke="${ink}"/>`;
  return point ? `<circle cx="${+point[0]}" cy="${+point[1]}" r="0.01" stroke="${ink}"/>` : "";
}

function escaped(text) {
  return String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
