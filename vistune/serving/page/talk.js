// A conversation: media, and turns of text, media and regions; as messages of the protocol, and as a sample of ours.
//
// medium  { kind, url, name, uuid, sent }
// turn    { role: "user", parts: [{ text } | { medium } | { region }] }  or  { role: "assistant", text, found, model }
import { fromSample, toSample } from "./masks.js";

const KINDS = { image: "image_url", video: "video_url" };
const MIMES = { image: "image/png", video: "video/mp4", audio: "audio/wav", points: "application/octet-stream" };

export class Talk {
  constructor() {
    this.media = [];
    this.turns = [];
    this.id = `chat-${uuid()}`;
  }

  add(kind, url, name) {
    const medium = { kind, url, name, uuid: uuid(), sent: false };
    this.media.push(medium);
    return medium;
  }

  // Media in the order in which the messages show them, which is how the server numbers them.
  shown() {
    return [...new Set(this.turns.flatMap((turn) => (turn.parts ?? []).map((part) => part.medium).filter(Boolean)))];
  }

  messages(system) {
    const order = this.shown(), begun = system ? [{ role: "system", content: system }] : [];
    return [...begun, ...this.turns.map((turn) => turn.role === "assistant"
      ? { role: "assistant", content: turn.text }
      : { role: "user", content: turn.parts.map((part) => asPart(part, order)) })];
  }

  // As `Sample.from_json` reads it.
  sample(system) {
    const order = this.shown(), begun = system ? [{ role: "system", content: [{ text: system }] }] : [];
    const turns = this.turns.map((turn) => turn.role === "assistant"
      ? { role: "assistant", content: [{ text: turn.text }] }
      : { role: "user", content: turn.parts.map((part) => asSamplePart(part, order)) });
    return { id: this.id, media: order.map(({ kind, url }) => ({ kind, bytes: url.slice(url.indexOf(",") + 1) })), turns: [...begun, ...turns] };
  }

  static from(sample) {
    const talk = new Talk();
    talk.id = sample.id ?? talk.id;
    for (const [index, { kind, bytes }] of (sample.media ?? []).entries()) {
      if (!bytes) throw new Error("This sample names files, which a page cannot open: save it with its media inside.");
      talk.add(kind, `data:${kind === "image" ? imageMime(bytes) : MIMES[kind]};base64,${bytes}`, `${kind} ${index + 1}`);
    }
    let system = "";
    for (const { role, content } of sample.turns) {
      const text = content.map((part) => part.text ?? "").join("");
      if (role === "system") system = text;
      else if (role === "assistant") talk.turns.push({ role, text, found: {} });
      else talk.turns.push({ role, parts: content.map((part) => fromPart(part, talk.media)) });
    }
    return [talk, system];
  }
}

// "What is [1]?" -> text, region, text; what was drawn and is not named stays unsaid.
export function questionParts(text, media, regions) {
  const pieces = text.split(/\[(\d+)\]/), parts = media.map((medium) => ({ medium }));
  pieces.forEach((piece, index) => {
    const region = index % 2 ? regions.find((each) => each.number === Number(piece)) : null;
    if (region) parts.push({ region });
    else {
      const words = index % 2 ? `[${piece}]` : piece;
      if (words && parts.at(-1)?.text !== undefined) parts.at(-1).text += words;
      else if (words) parts.push({ text: words });
    }
  });
  return parts;
}

function asPart({ text, medium, region }, order) {
  if (text !== undefined) return { type: "text", text };
  if (region) return { type: "vistune", vistune: { region: { on: order.indexOf(region.medium), ...geometry(region) } } };
  const content = medium.sent ? null : { url: medium.url };
  if (medium.kind === "audio" && content) {
    const format = { "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/flac": "flac", "audio/ogg": "ogg" }[medium.url.slice(5, medium.url.indexOf(";"))] ?? "wav";
    return { type: "input_audio", input_audio: { data: medium.url.slice(medium.url.indexOf(",") + 1), format }, uuid: medium.uuid };
  }
  if (medium.kind === "audio") return { type: "input_audio", input_audio: null, uuid: medium.uuid };
  if (medium.kind === "points") return { type: "vistune", vistune: { points_url: content }, uuid: medium.uuid };
  return { type: KINDS[medium.kind], [KINDS[medium.kind]]: content, uuid: medium.uuid };
}

function geometry({ box, point, mask }) {
  return box ? { box } : point ? { point } : { mask };
}

function asSamplePart({ text, medium, region }, order) {
  if (text !== undefined) return { text };
  if (medium) return { media: order.indexOf(medium) };
  return { on: order.indexOf(region.medium), ...(region.mask ? toSample(region.mask) : geometry(region)) };
}

let loaded = 0;
function fromPart(part, media) {
  if (part.media !== undefined) return { medium: media[part.media] };
  if (part.text !== undefined) return { text: part.text };
  const region = { number: 100 + ++loaded, medium: media[part.on ?? 0], box: part.box, point: part.point };
  return { region: part.mask ? { ...region, mask: fromSample(part) } : region };
}

function imageMime(bytes) {
  return bytes.startsWith("/9j/") ? "image/jpeg" : bytes.startsWith("R0lG") ? "image/gif" : bytes.startsWith("UklG") ? "image/webp" : "image/png";
}

export function uuid() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
