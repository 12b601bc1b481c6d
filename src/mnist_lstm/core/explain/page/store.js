// What the page shows: the run, the image, the step, the unit; the controls that set it; who draws it again.

import {CELLS, first, network, read, sequenceOf} from "./network.js";
import {all, byId, readColours, reduced, whenSeen} from "./view.js";

function decode(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = letters.charCodeAt(at); // `from` takes seconds for a page
  return bytes.buffer;
}

/** Float32 from float16 bits. */
function widened(halves) {
  return new Float32Array(halves).map((bits) => {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, rest = bits & 1023;
    if (exponent === 31) return rest ? NaN : sign * Infinity;
    return exponent ? sign * 2 ** (exponent - 15) * (1 + rest / 1024) : sign * 2 ** -14 * (rest / 1024);
  });
}

/** A run's network with its pixel order, `steps` steps; with other weights, those of a snapshot. */
export function networkOf(content, weights = content.weights, half = content.half) {
  const order = new Uint32Array(decode(content.order)), data = decode(weights);
  const flat = half ? widened(new Uint16Array(data)) : new Float32Array(data);
  return {...network(content, flat), label: content.label, order, steps: order.length / content.features};
}

export const run = JSON.parse(byId("run").textContent);
export const {about} = run;
export const net = networkOf(run.network), {memory, letters} = CELLS[net.cell];
const floats = (text) => new Float32Array(decode(text));
/** What the training images of each class look like; null where the run does not know. */
export const typical = run.typical
  && {rules: run.typical.rules, axes: new Int8Array(decode(run.typical.axes)),
    ...Object.fromEntries(["weights", "means", "scales", "rare", "limit"].map((name) => [name, floats(run.typical[name])]))};
const pixels = about.height * about.width, stored = new Uint8Array(decode(run.images.data));
export const images = Array.from({length: run.images.count}, (_, n) => stored.subarray(n * pixels, (n + 1) * pixels));
export const tested = images.slice(0, run.images.labels.length && run.images.first); // without the chosen mistakes

/**
 * `picked`: the image's number, -1 for a drawing; `image`: its pixels; `original`: before pixels changed; `step` and
 * `unit`: from 1; `shown`: a letter of the cell; `lit`: of U, V, W; `hold_f`, ...: what a gate is held at, or nothing.
 */
export const state = {picked: 0, image: images[0], original: null, step: net.steps, unit: 1, shown: memory, lit: "",
  snapshot: run.snapshots.length, bias: 1, playing: false};

export const sequence = (image) => sequenceOf(image, net.order);
export let reading = read(net, sequence(state.image));

/** The class probabilities after a step; a network that reads both ways has one answer alone. */
export const answerAt = (step, {probabilities} = reading) => probabilities[Math.min(step, probabilities.length) - 1];
export const nameOf = (shares) => about.names[first(shares)];

const drawers = [];
let changed = new Set();

/** Calls `draw()` at first and whenever one of these keys of the state changes. */
export const whenChanged = (keys, draw) => drawers.push([keys.split(" "), draw]);

/** Changes what the page shows; it is drawn once before the next frame. */
export function change(values) {
  const fresh = Object.keys(values).filter((key) => state[key] !== values[key]);
  Object.assign(state, values);
  if (fresh.includes("image")) reading = read(net, sequence(state.image));
  if (!changed.size && fresh.length) requestAnimationFrame(() => redraw());
  for (const key of fresh) changed.add(key);
}

function redraw(everything = false) {
  const keys = changed;
  changed = new Set();
  if (everything) readColours();
  for (const [needed, draw] of drawers) if (everything || needed.some((key) => keys.has(key))) draw();
}

const SWEEP = 2600, REST = 1800; // milliseconds for all steps, and until the next image
let frame = 0, touring = false;

/** Reads the image from the first step on; with reduced motion, at once. */
export function play() {
  cancelAnimationFrame(frame);
  if (reduced()) return change({step: net.steps});
  const began = performance.now(), next = (now) => {
    const share = Math.max(0, now - began) / SWEEP, playing = share < 1 || touring;
    change({step: Math.min(net.steps, Math.max(1, Math.ceil(share * net.steps))), playing});
    if (now - began > SWEEP + REST) pick((state.picked + 1) % tested.length);
    else if (playing) frame = requestAnimationFrame(next);
  };
  frame = requestAnimationFrame(next);
}

export function stop() {
  cancelAnimationFrame(frame);
  touring = false;
  change({playing: false});
}

export function pick(number) {
  change({picked: number, image: images[number], original: null});
  play();
}

export function goTo(step) {
  stop();
  change({step: Math.min(net.steps, Math.max(1, Math.round(step)))});
}

function set(key, value) {
  touring = false;
  if (key === "picked") pick(value);
  else if (key === "step") goTo(value);
  else change({[key]: value});
}

/** Sliders and buttons name in `data-key` the part of the state that they set, buttons with `data-value`. */
function startControls() {
  for (const slider of all("input[data-key]")) {
    slider.addEventListener("input", () => set(slider.dataset.key, Number(slider.value)));
    whenChanged(slider.dataset.key, () => { slider.value = state[slider.dataset.key]; });
  }
  for (const button of all("button[data-key]")) {
    const {key} = button.dataset, value = () => button.dataset.value;
    button.addEventListener("click", () => set(key, value() === "" || isNaN(value()) ? value() : Number(value())));
    whenChanged(key, () => button.setAttribute("aria-pressed", value() === String(state[key] ?? "")));
  }
  byId("play").addEventListener("click", () => (state.playing ? stop() : play()));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, button, canvas, a") || event.ctrlKey || event.metaKey) return;
    const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (move) goTo(state.step + move);
    else byId("play").click();
  });
}

/** Draws everything for the first time; then, until somebody takes over, the page reads one image after another. */
export function start() {
  const drawAll = () => redraw(true);
  startControls();
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("resize", drawAll);
  addEventListener("pointerdown", ({target}) => { touring &&= target.closest("#play") !== null; });
  new IntersectionObserver(([{isIntersecting}]) => { touring &&= isIntersecting; }).observe(byId("stage"));
  touring = tested.length > 1;
  play();
}

const SLICE = 12, PAUSE = 200; // milliseconds of work between two frames, and before it, as a slider may still move

/** Calls `visit(item, number)` for each, a few between two frames, until `goesOn()` is false; true at the end. */
async function visitAll(items, visit, goesOn) {
  let began = performance.now();
  for (const [number, item] of items.entries()) {
    if (!goesOn()) return false;
    visit(item, number);
    if (performance.now() - began < SLICE) continue;
    await new Promise((done) => setTimeout(done));
    began = performance.now();
  }
  return true;
}

/**
 * Lets `work(each)` run between frames, once an element comes into view, and again whenever what is returned is called.
 * `await each(items, visit)` is false where a newer call began meanwhile.
 */
export function inBackground(element, work) {
  let newest = null, seen = false;
  const begin = async () => {
    const mine = newest = {}, goesOn = () => mine === newest;
    await new Promise((done) => setTimeout(done, PAUSE));
    if (goesOn()) work((items, visit) => visitAll(items, visit, goesOn));
  };
  whenSeen(element, () => {
    seen = true;
    begin();
  });
  return () => { if (seen) begin(); };
}
