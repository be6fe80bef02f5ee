// The page: what a person does, and what is on the screen. Everything that a model or a file says is set as text, never as HTML.
import * as api from "./api.js";
import { sharedPage, spoken } from "./share.js";
import { asUrl, kindOf, Stage } from "./stage.js";
import { questionParts, Talk } from "./talk.js";
import { worded } from "./words.js";

const $ = (id) => document.getElementById(id);
const VOTES = [["first", "A is better"], ["tie", "No difference"], ["second", "B is better"]];
let talk = new Talk(), served = [], about = { votes: false }, running = null, pending = [], deciding = null;

const stage = new Stage($("media"), () => model($("model").value)?.vistune?.points ?? ["box", "point"], (region, said) => {
  const field = $("ask"), at = field.selectionStart ?? field.value.length;
  field.setRangeText(`[${region.number}]`, at, field.selectionEnd ?? at, "end");
  field.focus();
  tell(said);
});

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function button(text, act, properties = {}) {
  const made = element("button", { type: "button", textContent: text, ...properties });
  made.addEventListener("click", () => guarded(act));
  return made;
}

function tell(text) { $("state").textContent = text; }

async function guarded(act) {
  try {
    $("error").hidden = true;
    await act();
  } catch (error) {
    if (error.name === "AbortError") return;
    $("error").textContent = error.message;
    $("error").hidden = false;
  }
}

function model(name) { return served.find((each) => each.id === name); }

async function begin() {
  about = await api.settings();
  $("key").value = sessionStorage.getItem("key") ?? "";
  if (about.key && !$("key").value) {
    $("options").showModal();
    throw new Error("This server asks for an API key: give it in the settings.");
  }
  served = await api.models($("key").value);
  $("model").replaceChildren(...served.map(({ id }) => element("option", { value: id, textContent: id })));
  $("second").replaceChildren(element("option", { value: "", textContent: "none" }), ...served.map(({ id }) => element("option", { value: id, textContent: id })));
}

// --- media

async function take(files) {
  for (const file of files) {
    const kind = kindOf(file);
    if (!kind) throw new Error(`${file.name} is no picture, film, sound or point cloud.`);
    const reads = model($("model").value)?.vistune?.reads;
    if (reads && !reads.includes(kind)) throw new Error(`The model ${$("model").value} reads ${reads.join(", ") || "words alone"}: it cannot be shown a file of the kind ${kind}.`);
    attach(talk.add(kind, await asUrl(file), file.name || kind));
  }
}

function attach(medium, fresh = true) {
  if (fresh) pending.push(medium);
  stage.show(medium, fresh ? () => {
    pending = pending.filter((each) => each !== medium);
    talk.media = talk.media.filter((each) => each !== medium);
  } : null);
  $("tools").hidden = $("hint").hidden = !stage.pictures.size;
  $("stage").classList.toggle("filled", talk.media.length > 0);
}

// --- asking

function sampling(seed) {
  return { max_tokens: Number($("max_tokens").value), temperature: Number($("temperature").value), top_p: Number($("top_p").value), ...(seed === null ? {} : { seed }) };
}

async function ask() {
  const text = $("ask").value.trim();
  if (!text || running) return;
  if (deciding) await deciding(null);
  talk.turns.push({ role: "user", parts: questionParts(text, pending, stage.regions) });
  pending = [];
  $("ask").value = "";
  showUser(talk.turns.at(-1));
  for (const remove of $("media").querySelectorAll("figcaption button")) remove.remove();
  await answer();
}

async function answer(again = false) {
  const names = [$("model").value, $("second").value].filter(Boolean);
  if (names.length === 2 && crypto.getRandomValues(new Uint8Array(1))[0] % 2) names.reverse(); // which is A is a secret
  const place = element("div", { className: `turn assistant answers${names.length > 1 ? " pair" : ""}` });
  $("log").append(place);
  const seed = $("seed").value === "" || again ? null : Number($("seed").value);
  running = new AbortController();
  busy(true);
  try {
    const answers = await Promise.all(names.map((name, index) => one(name, place, names.length > 1 ? `Answer ${"AB"[index]}` : "", seed)));
    if (names.length === 1) settle(answers[0], place);
    else choose(answers, place);
  } catch (error) {
    if (error.name !== "AbortError") {
      place.remove();
      $("ask").value ||= spoken(talk.turns.at(-1));
      $("log").lastElementChild?.remove();
      pending = talk.turns.pop().parts.map((part) => part.medium).filter(Boolean);
      throw error;
    }
  } finally {
    running = null;
    busy(false);
  }
}

// One model's answer, as it comes. A stopped one keeps what was said.
async function one(name, place, title, seed) {
  const words = element("p", { dir: "auto" }), box = element("article", { className: "answer busy" }, ...(title ? [element("h2", { textContent: title })] : []), words);
  place.append(box);
  const body = () => ({ model: name, messages: talk.messages($("system").value.trim()), ...sampling(seed) });
  const made = { role: "assistant", model: name, text: "", found: {}, box, words };
  const say = (text) => {
    made.text = text;
    words.textContent = text;
    box.scrollIntoView({ block: "nearest" });
  };
  const asked = () => api.ask($("key").value, body(), say, running.signal);
  try {
    const whole = await asked().catch((error) => {
      if (error.code !== "media_not_found") throw error;
      for (const medium of talk.media) medium.sent = false; // it was forgotten: send it again
      return asked();
    });
    for (const medium of talk.shown()) medium.sent = true;
    Object.assign(made, { text: whole.text, found: whole.found });
    tell(whole.usage ? `${whole.usage.prompt_tokens} tokens read, ${whole.usage.completion_tokens} written${whole.reason === "length" ? " (the longest answer)" : ""}` : "");
  } catch (error) {
    if (error.name !== "AbortError") throw error;
    tell("Stopped.");
  }
  box.classList.remove("busy");
  draw(made);
  box.scrollIntoView({ block: "nearest" });
  return made;
}

function draw(made) {
  const regions = (made.found.regions ?? []).map((region, index) => Object.assign(region, { colour: index }));
  const order = talk.shown();
  made.words.replaceChildren(...worded(made.text, regions, (region) => { stage.find(regions, order); stage.light(region); }, () => stage.light(null), () => stage.light(null)));
  for (const { kind, url } of made.found.media ?? []) {
    made.box.append(kind === "image" || kind === "video" ? element("img", { src: url, alt: "made by the model" }) : element("a", { href: url, download: `${kind}.bin`, textContent: `the ${kind} it made` }));
  }
  stage.find(regions, order);
}

// The answer stands: the conversation goes on behind it.
function settle(made, place) {
  talk.turns.push(made);
  const acts = element("div", { className: "acts" });
  acts.append(
    button("Copy", () => copy(made.text)),
    button("Ask again", async () => {
      if (running || talk.turns.at(-1) !== made) throw new Error("Only the last answer can be asked for again: edit the question instead.");
      talk.turns.pop();
      place.remove();
      await answer(true);
    }),
  );
  made.box.append(acts);
}

function choose(answers, place) {
  const row = element("div", { className: "vote", role: "group" });
  row.setAttribute("aria-label", "Which answer is better?");
  deciding = async (vote) => {
    deciding = null;
    row.remove();
    const better = { first: 0, second: 1 }[vote] ?? null;
    if (vote && about.votes) {
      const said = Object.fromEntries(answers.map((made) => [made.model, made.text]));
      const body = { rater: $("rater").value || "guest", sample: talk.sample($("system").value.trim()), answers: said, better: better === null ? null : answers[better].model };
      const { votes } = await api.vote($("key").value, body);
      tell(`Your vote is kept (${votes} so far).`);
    }
    answers.forEach((made, index) => made.box.querySelector("h2").append(` · ${made.model}${better === index ? " ★" : ""}`));
    const kept = answers[better ?? 0];
    kept.box.classList.add("chosen");
    settle(kept, place);
  };
  row.append(...VOTES.map(([value, text]) => button(text, () => deciding?.(value), { value })));
  place.append(row);
  row.scrollIntoView({ block: "nearest" });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    tell("Copied.");
  } catch {
    throw new Error("The browser does not let this page copy: select the text instead.");
  }
}

function busy(on) {
  $("stop").hidden = !on;
  $("send").disabled = on;
}

// --- the log

function showUser(turn) {
  const media = turn.parts.filter((part) => part.medium).map((part) => part.medium.name);
  const box = element("div", { className: "turn user" }, element("p", { textContent: spoken(turn), dir: "auto" }));
  if (media.length) box.append(element("p", { className: "shown", textContent: `shows ${media.join(", ")}` }));
  box.append(element("div", { className: "acts" }, button("Edit", () => edit(turn))));
  $("log").append(box);
}

// An earlier question goes back into the field, and what followed it goes.
function edit(turn) {
  if (running) throw new Error("Stop the answer first.");
  const place = talk.turns.indexOf(turn);
  deciding = null;
  talk.turns.length = place;
  pending = turn.parts.map((part) => part.medium).filter(Boolean);
  $("ask").value = spoken(turn);
  rebuild();
  $("ask").focus();
}

function rebuild() {
  const own = stage.regions.length ? stage.regions : talk.turns.flatMap((turn) => (turn.parts ?? []).map((part) => part.region).filter(Boolean));
  stage.clear();
  $("log").replaceChildren();
  for (const medium of talk.media) attach(medium, false);
  stage.regions = own;
  for (const region of own) stage.pictures.get(region.medium)?.own.push(region);
  const turns = talk.turns;
  talk.turns = [];
  for (const turn of turns) {
    if (turn.role === "user") {
      talk.turns.push(turn);
      showUser(turn);
    } else {
      const words = element("p", { dir: "auto" }), box = element("article", { className: "answer" }, words);
      const place = element("div", { className: "turn assistant answers" }, box);
      $("log").append(place);
      Object.assign(turn, { box, words });
      draw(turn);
      settle(turn, place);
    }
  }
}

// --- files

function download(name, type, text) {
  const link = element("a", { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function load(file) {
  const record = JSON.parse((await file.text()).trim().split("\n")[0]), [opened, system] = Talk.from(record);
  talk = opened;
  pending = [];
  stage.regions = [];
  $("system").value = system;
  rebuild();
}

function fresh() {
  $("stage").classList.remove("filled");
  running?.abort();
  deciding = null;
  talk = new Talk();
  pending = [];
  rebuild();
  tell("");
}

// --- wiring

$("composer").addEventListener("submit", (event) => { event.preventDefault(); guarded(ask); });
$("ask").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    guarded(ask);
  }
});
$("stop").addEventListener("click", () => running?.abort());
addEventListener("keydown", (event) => { if (event.key === "Escape" && running) running.abort(); });
$("new").addEventListener("click", () => guarded(fresh));
$("settings").addEventListener("click", () => $("options").showModal());
$("options").addEventListener("close", () => guarded(async () => {
  sessionStorage.setItem("key", $("key").value);
  if (about.key && !served.length) await begin();
}));
$("save").addEventListener("click", () => download(`${talk.id}.json`, "application/json", JSON.stringify(talk.sample($("system").value.trim())) + "\n"));
$("share").addEventListener("click", () => download(`${talk.id}.html`, "text/html", sharedPage(talk, $("model").value)));
$("open").addEventListener("click", () => $("opened").click());
$("opened").addEventListener("change", () => guarded(() => load($("opened").files[0])));
$("choose").addEventListener("click", () => $("file").click());
$("photo").addEventListener("click", () => $("camera").click());
for (const id of ["file", "camera"]) $(id).addEventListener("change", () => guarded(() => take([...$(id).files]).finally(() => { $(id).value = ""; })));
for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", over);
    if (name === "drop") guarded(() => take([...event.dataTransfer.files]));
  });
}
document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) {
    event.preventDefault();
    guarded(() => take(files));
  }
});
for (const tool of $("tools").querySelectorAll("button")) {
  tool.addEventListener("click", () => {
    stage.tool = tool.dataset.tool;
    for (const each of $("tools").querySelectorAll("button")) each.setAttribute("aria-checked", String(each === tool));
  });
}
guarded(begin);
