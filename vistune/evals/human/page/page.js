// The rating page. State lives on the server; here is only the task on screen. All text is set as text, never as HTML.
"use strict";

const $ = (id) => document.getElementById(id);
const PREFERENCES = [["first", "A is better", "a"], ["tie", "No difference", "t"], ["second", "B is better", "b"]];
const DEGREES = ["very poor", "very good"];

let rater = "", criteria = {}, done = [], number = 0, task = null, values = {}, active = 0, busy = false;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

async function call(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  let reply;
  try {
    reply = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Your saved ratings are safe: start it again and reload.");
  }
  const value = await reply.json();
  if (!reply.ok) throw new Error(value.error);
  return value;
}

// One action at a time; what goes wrong is said on the page.
async function act(action) {
  if (busy) return;
  busy = true;
  try {
    $("error").hidden = true;
    await action();
  } catch (error) {
    $("error").textContent = error.message;
    $("error").hidden = false;
  } finally {
    busy = false;
  }
}

function show(id) {
  for (const main of document.querySelectorAll("main")) main.hidden = main.id !== id;
}

function showProgress() {
  const count = done.filter(Boolean).length;
  $("bar").style.width = `${100 * count / done.length}%`;
  $("bar").parentElement.setAttribute("aria-valuemax", done.length);
  $("bar").parentElement.setAttribute("aria-valuenow", count);
  $("count").textContent = `${count} of ${done.length} rated`;
  $("who").textContent = rater;
}

async function begin(name) {
  const progress = await call(`/api/progress?rater=${encodeURIComponent(name)}`);
  rater = name;
  ({ done, criteria } = progress);
  location.hash = name;
  document.querySelector("header").hidden = false;
  showProgress();
  await goOn(0);
}

// The next task that is not rated yet, from `start` on and then from the top.
async function goOn(start) {
  let next = done.indexOf(false, start);
  if (next < 0) next = done.indexOf(false);
  if (next < 0) show("end");
  else await open(next);
}

async function open(next) {
  task = await call(`/api/task?rater=${encodeURIComponent(rater)}&n=${next}`);
  number = next;
  values = {};
  for (const name of fields()) if (task.given && task.given[name]) values[name] = task.given[name];
  active = Math.max(0, fields().findIndex((name) => !(name in values)));
  document.activeElement?.blur();
  drawTask();
  show("task");
  scrollTo(0, 0);
}

function fields() {
  return task.ask === "rate" ? Object.keys(criteria) : ["preference"];
}

function drawTask() {
  const pair = task.ask === "compare";
  $("prompt").textContent = task.prompt;
  $("media").replaceChildren(...task.media.map(drawMedium));
  $("task").classList.toggle("text-only", task.media.length === 0);
  $("answers").classList.toggle("pair", pair);
  $("answers").replaceChildren(...task.answers.map((answer, index) =>
    element("article", { className: "answer" },
      element("h2", { textContent: pair ? `Answer ${"AB"[index]}` : "Answer" }),
      element("p", { textContent: answer, dir: "auto" }))));
  $("scales").replaceChildren(...(pair ? [drawPreference()] : fields().map(drawCriterion)));
  $("keys").replaceChildren(...(pair
    ? keys([["A", "T", "B"], "choose"], [["Enter"], "save"], [["←", "→"], "back, on"])
    : keys([["1", "…", "5"], "rate the marked line"], [["↑", "↓"], "change line"], [["Enter"], "save"], [["←", "→"], "back, on"])));
  $("back").disabled = number === 0;
  mark();
}

function keys(...groups) {
  return groups.map(([names, what]) => element("span", {}, ...names.map((name) => element("kbd", { textContent: name })), what));
}

// As wide as the column allows without growing taller than the window; a click on a picture lifts that limit.
function fit(frame, width, height) {
  frame.style.setProperty("--width", `${80 * width / height}vh`);
}

function drawMedium(medium, index) {
  const source = `/media/${medium.file}`;
  const isFilm = medium.kind === "video" && !medium.file.endsWith(".webp") && !medium.file.endsWith(".gif");
  const frame = element("div", { className: "frame" });
  if (medium.kind === "audio") frame.append(element("audio", { src: source, controls: true }));
  else if (isFilm) {
    const onloadedmetadata = (event) => fit(frame, event.target.videoWidth, event.target.videoHeight);
    frame.append(element("video", { src: source, controls: true, muted: true, loop: true, autoplay: true, onloadedmetadata }));
  } else {
    const onload = (event) => fit(frame, event.target.naturalWidth, event.target.naturalHeight);
    frame.append(element("img", { src: source, alt: "", onload, onclick: () => frame.classList.toggle("large") }));
  }
  task.regions.forEach((region, position) => {
    if (region.media !== index) return;
    const [x1, y1, x2, y2] = region.box;
    const box = element("div", { className: "region" }, element("b", { textContent: position + 1 }));
    Object.assign(box.style, { left: `${100 * x1}%`, top: `${100 * y1}%`, width: `${100 * (x2 - x1)}%`, height: `${100 * (y2 - y1)}%` });
    frame.append(box);
  });
  const figure = element("div", {}, frame);
  if (task.media.length > 1) figure.append(element("p", { className: "caption", textContent: `Picture ${index + 1}` }));
  return figure;
}

function drawCriterion(name, row) {
  const steps = [1, 2, 3, 4, 5].map((score) => drawStep(name, score, String(score)));
  return element("fieldset", { onclick: () => { active = row; mark(); } },
    element("legend", {}, name[0].toUpperCase() + name.slice(1), element("small", { textContent: criteria[name] })),
    element("div", { className: "steps" }, ...steps),
    element("div", { className: "ends" }, ...DEGREES.map((degree) => element("span", { textContent: degree }))));
}

function drawPreference() {
  return element("fieldset", {},
    element("legend", { textContent: "Which answer is better?" }),
    element("div", { className: "steps" }, ...PREFERENCES.map(([value, text]) => drawStep("preference", value, text))));
}

function drawStep(name, value, text) {
  const input = element("input", { type: "radio", name, value, onchange: () => choose(name, value) });
  return element("label", {}, input, element("span", { textContent: text }));
}

function choose(name, value) {
  values[name] = value;
  const open = fields().findIndex((field) => !(field in values));
  active = open < 0 ? fields().indexOf(name) : open;
  mark();
}

function mark() {
  for (const input of $("scales").querySelectorAll("input")) input.checked = String(values[input.name]) === input.value;
  const rows = [...$("scales").children];
  rows.forEach((row, index) => row.classList.toggle("active", rows.length > 1 && index === active));
  [...$("answers").children].forEach((answer, index) => answer.classList.toggle("chosen", values.preference === ["first", "second"][index]));
  $("save").disabled = !complete();
  $("state").textContent = `Task ${number + 1} of ${done.length}${done[number] ? " · rated before" : ""}`;
}

function complete() {
  return fields().every((name) => name in values);
}

async function save() {
  if (!complete()) return;
  await call("/api/rate", { rater, n: number, values });
  done[number] = true;
  showProgress();
  await goOn(number + 1);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("#name, audio, video") || (event.key === "Enter" && event.target.matches("button"))) return;
  if (!$("end").hidden && event.key === "ArrowLeft") act(() => open(number));
  if ($("task").hidden) return;
  const key = event.key.toLowerCase();
  const preference = PREFERENCES.findIndex(([, , letter], index) => key === letter || key === String(index + 1));
  if (key === "enter") act(save);
  else if (key === "arrowleft" && number > 0) act(() => open(number - 1));
  else if (key === "arrowright" && number + 1 < done.length) act(() => open(number + 1));
  else if (key === "arrowup" || key === "arrowdown") {
    active = Math.min(fields().length - 1, Math.max(0, active + (key === "arrowup" ? -1 : 1)));
    mark();
  } else if (task.ask === "rate" && /^[1-5]$/.test(key)) rateActive(Number(key));
  else if (task.ask === "compare" && preference >= 0) choose("preference", PREFERENCES[preference][0]);
  else return;
  event.preventDefault();
}

// Pressing a digit rates the marked line and moves on to the next one, rated or not, so that 4 5 4 Enter rates a task anew.
function rateActive(score) {
  values[fields()[active]] = score;
  active = Math.min(fields().length - 1, active + 1);
  mark();
}

addEventListener("keydown", onKey);
addEventListener("DOMContentLoaded", () => {
  $("enter").addEventListener("submit", (event) => {
    event.preventDefault();
    act(() => begin($("name").value.trim()));
  });
  $("save").addEventListener("click", () => act(save));
  $("back").addEventListener("click", () => act(() => open(number - 1)));
  $("revise").addEventListener("click", () => act(() => open(number)));
  show("start");
  document.querySelector("header").hidden = true;
  $("name").value = decodeURIComponent(location.hash.slice(1));
  $("name").focus();
});
