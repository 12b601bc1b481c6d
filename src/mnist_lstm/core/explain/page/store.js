// What the page shows: the run, the image, the step, the unit; and who is to be drawn again when that changes.

import {CELLS, network, read, sequenceOf} from "./network.js";
import {byId, reduced} from "./view.js";

const decode = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;

/** Float32 from float16 bits. */
export function widened(halves) {
  return Float32Array.from(halves, (bits) => {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, rest = bits & 1023;
    if (exponent === 31) return rest ? NaN : sign * Infinity;
    return exponent ? sign * 2 ** (exponent - 15) * (1 + rest / 1024) : sign * 2 ** -14 * (rest / 1024);
  });
}

export const floats = (text, half) => half ? widened(new Uint16Array(decode(text))) : new Float32Array(decode(text));

/** A run's network with its pixel order, `steps` steps. */
export function networkOf(content, weights = content.weights, half = content.half) {
  const order = new Uint32Array(decode(content.order));
  return {...network(content, floats(weights, half)), label: content.label, order, steps: order.length / content.features};
}

export const run = JSON.parse(byId("run").textContent);
export const {about} = run;
export const net = networkOf(run.network);
export const cell = CELLS[net.cell];
const pixels = about.height * about.width, stored = new Uint8Array(decode(run.images.data));
export const images = Array.from({length: run.images.count}, (_, n) => stored.subarray(n * pixels, (n + 1) * pixels));

/** `image`: its pixels; `picked`: its number, -1 if it was drawn; `step`: from 1; `original`: before pixels changed. */
export const state = {image: images[0], picked: 0, step: net.steps, unit: 0, shown: cell.names.c ? "c" : "h",
  snapshot: run.snapshots.length, original: null};

export const sequence = (image) => sequenceOf(image, net.order);
export let reading = read(net, sequence(state.image));
state.step = reading.probabilities.length > 1 ? reading.decided : net.steps;

const drawers = [];

/** Calls `draw(changed)` now and whenever something changes; `changed` are the keys of `state`. */
export function whenChanged(draw) {
  drawers.push(draw);
}

let waiting = null;

/** Changes what the page shows. All is drawn once before the next frame. */
export function change(values) {
  Object.assign(state, values);
  if ("image" in values) reading = read(net, sequence(state.image));
  if (!waiting) requestAnimationFrame(redraw);
  waiting = {...waiting, ...values};
}

export function redraw() {
  const changed = waiting ?? state;
  waiting = null;
  for (const draw of drawers) draw(changed);
}

export const pick = (number) => {
  change({picked: number, image: images[number], original: null});
  play();
};

const SWEEP = 2600; // milliseconds for all steps
let playing = null; // the frame that comes next
export const isPlaying = () => playing !== null;

/** Reads the image again from the first step on; with reduced motion, it is read at once. */
export function play() {
  stop();
  if (reduced()) return change({step: net.steps});
  const began = performance.now();
  const next = (now) => {
    const share = Math.min(1, Math.max(0, now - began) / SWEEP);
    playing = share < 1 ? requestAnimationFrame(next) : null;
    change({step: Math.max(1, Math.ceil(share * net.steps))});
  };
  playing = requestAnimationFrame(next);
}

export function stop() {
  if (playing !== null) cancelAnimationFrame(playing);
  playing = null;
  change({});
}

/** The pixels that a step reads. */
export const pixelsOf = (step) => net.order.subarray((step - 1) * net.features, step * net.features);

const SLICE = 12; // milliseconds of work between two frames

/** Calls `visit(number)` for each stored image, a few between two frames, until `goesOn()` is false. */
export async function eachImage(visit, goesOn = () => true) {
  let began = performance.now();
  for (let n = 0; n < images.length && goesOn(); n += 1) {
    visit(n);
    if (performance.now() - began > SLICE) {
      await new Promise((done) => setTimeout(done));
      began = performance.now();
    }
  }
  return goesOn();
}
