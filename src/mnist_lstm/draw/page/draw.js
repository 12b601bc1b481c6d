"use strict";
// Draw, ask the server at each stroke, and show what it answers. No library, no build step.

const PEN = 22;     // pixels of the pad's 280: about as wide as MNIST's strokes are beside their digit
const STRIDE = 8;   // pixels that an arrow key moves the pen
const SWEEP = 900;  // milliseconds in which the steps are shown one after the other when a stroke ends
const ARROWS = {ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0]};

const element = (id) => document.getElementById(id);
const pad = element("pad");
const ink = pad.getContext("2d", {willReadFrequently: true});

let about;           // the model: its name, its classes, what a step is
let reading = null;  // the last answer: image, beliefs, decided
let drawing = 0;     // counts the drawings, so that a late answer to an erased one is dropped
let shown = 1;       // the part of the steps that is shown, 0 to 1

// Drawing

function clear() {
  drawing += 1;
  reading = null;
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, pad.width, pad.height);
  ink.lineWidth = PEN;
  ink.lineCap = ink.lineJoin = "round";
  document.body.classList.remove("drawn");
  show();
}

function stroke(from, to) {
  ink.beginPath();
  ink.moveTo(from.x, from.y);
  ink.lineTo(to.x + 0.01, to.y);  // a line of no length would draw no dot
  ink.stroke();
  document.body.classList.add("drawn");
  shown = 1;
  ask();
}

// The server is asked once at a time; what was drawn meanwhile is asked after the answer.

let busy = false, again = false;

async function ask() {
  again = busy;
  if (busy) return;
  busy = true;
  const asked = drawing;
  const [told, trouble] = await answered();
  busy = false;
  if (asked === drawing) {
    reading = told;
    show(trouble);
  }
  if (again) ask();
}

async function answered() {
  try {
    const body = await new Promise((done) => pad.toBlob(done, "image/png"));
    const reply = await fetch("read", {method: "POST", headers: {"content-type": "image/png"}, body});
    const told = await reply.json();
    return reply.ok ? [told, ""] : [null, told.detail];
  } catch {
    return [null, "The server does not answer; start it again."];
  }
}

// Showing

function percent(share) {
  if (share >= 0.9995) return "> 99.9 %";
  return share < 0.0005 ? "0 %" : `${(100 * share).toFixed(1)} %`;
}

function show(trouble = "") {
  const shares = reading ? reading.beliefs.at(-1) : about.classes.map(() => 0);
  const first = reading ? shares.indexOf(Math.max(...shares)) : -1;
  const name = about.classes[first] ?? "–";
  element("answer").textContent = name;
  element("answer").classList.toggle("long", name.length > 3);
  element("sure").textContent = trouble || (reading ? `${percent(shares[first])} sure` : "nothing drawn yet");
  shares.forEach((share, k) => {
    const bar = element("bars").children[k];
    bar.classList.toggle("first", k === first);
    bar.querySelector(".fill").style.width = `${100 * share}%`;
    bar.querySelector(".share").textContent = reading ? percent(share) : "";
    element("classes").children[k].classList.toggle("first", k === first);
  });
  element("decided").textContent = reading ? decision(name) : "";
  showSteps();
}

function decision(name) {
  const {step} = about, {decided, beliefs} = reading;
  if (beliefs.length === 1) return "The network reads both ways, so it has an answer at the end only.";
  const since = decided === 1 ? `From the first ${step} on` : `From ${step} ${decided} of ${beliefs.length} on, at the line`;
  return `${since}, the answer stays ${name}. The network was trained to answer after the last ${step} only; here it is asked after each.`;
}

// By rows, the image and the beliefs stand side by side, and appear together row by row.
function showSteps() {
  const steps = reading ? reading.beliefs.length : 0, until = Math.ceil(shown * steps);
  const aligned = about.by_rows && steps === (reading?.image.length ?? 0);
  paint(element("beliefs"), reading?.beliefs, until, 1);
  paint(element("seen"), reading?.image, aligned ? until : Infinity, 255);
  for (const id of ["seen", "beliefs"]) {
    const line = element(id).nextElementSibling;
    line.hidden = !reading || until < reading.decided || (id === "seen" && !aligned);
    if (!line.hidden) line.style.top = `${100 * (reading.decided - 1) / steps}%`;
  }
}

function paint(canvas, rows, until, strongest) {
  const surface = canvas.getContext("2d");
  [canvas.height, canvas.width] = rows ? [rows.length, rows[0].length] : [1, 1];
  if (!rows) return;
  const pixels = surface.createImageData(canvas.width, canvas.height);
  const light = rgb("--paper"), dark = rgb("--ink");
  rows.forEach((row, y) => row.forEach((value, x) => {
    const share = y < until ? value / strongest : 0;
    const colour = light.map((level, c) => level + (dark[c] - level) * share);
    pixels.data.set([...colour, 255], 4 * (y * row.length + x));
  }));
  surface.putImageData(pixels, 0, 0);
}

function rgb(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

function sweep() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const began = performance.now(), of = drawing;
  requestAnimationFrame(function next(now) {
    if (of !== drawing || held) return;
    shown = Math.min(1, Math.max(0, now - began) / SWEEP);
    showSteps();
    if (shown < 1) requestAnimationFrame(next);
  });
}

// Mouse and finger

let held = null;  // where the pointer draws

function place(event) {
  const box = pad.getBoundingClientRect();
  return {x: (event.clientX - box.left) * pad.width / box.width, y: (event.clientY - box.top) * pad.height / box.height};
}

pad.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  pad.setPointerCapture(event.pointerId);
  hidePen();
  held = place(event);
  stroke(held, held);
});
pad.addEventListener("pointermove", (event) => {
  if (!held) return;
  const to = place(event);
  stroke(held, to);
  held = to;
});
for (const end of ["pointerup", "pointercancel"]) {
  pad.addEventListener(end, () => {
    if (!held) return;
    held = null;
    sweep();
  });
}

// Keyboard: arrows move the pen, and draw while Space is held

let pen = null, down = false;

function hidePen() {
  pen = null;
  element("pen").hidden = true;
}

function movePen([x, y]) {
  const from = pen ?? {x: pad.width / 2, y: pad.height / 2}, within = (at) => Math.min(Math.max(at, 0), pad.width);
  pen = {x: within(from.x + x * STRIDE), y: within(from.y + y * STRIDE)};
  element("pen").hidden = false;
  element("pen").style.left = `${100 * pen.x / pad.width}%`;
  element("pen").style.top = `${100 * pen.y / pad.height}%`;
  if (down) stroke(from, pen);
}

pad.addEventListener("keydown", (event) => {
  if (event.key in ARROWS) movePen(ARROWS[event.key]);
  else if (event.key === " ") {
    if (!event.repeat) {
      down = true;
      movePen([0, 0]);
    }
  } else return;
  event.preventDefault();
});
pad.addEventListener("keyup", (event) => {
  if (event.key !== " ") return;
  down = false;
  sweep();
});
pad.addEventListener("blur", () => { down = false; });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });
element("clear").addEventListener("click", clear);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showSteps);

// The model's facts, and an empty page

function item(parent, ...children) {
  const made = document.createElement("li");
  made.append(...children);
  parent.append(made);
}

function part(kind, text = "", ...children) {
  const made = document.createElement("span");
  made.className = kind;
  made.append(text, ...children);
  return made;
}

async function start() {
  about = await (await fetch("model")).json();
  element("model").textContent = about.model;
  element("step").textContent = about.step;
  for (const name of about.classes) {
    item(element("bars"), part("name", name), part("track", "", part("fill")), part("share"));
    item(element("classes"), name);
  }
  clear();
}

start();
