// Chapter 7: for a unit, the images that drive it most, and what it answers to.

import {read} from "./network.js";
import {frameStep, showImage} from "./reader.js";
import {about, change, images, inBackground, memory, net, run, sequence, state, whenChanged} from "./store.js";
import {all, byId, number, say} from "./view.js";

/** Of each unit: its largest value in each image with the step of it, and how much it changes at each step. */
const largest = Array.from({length: net.width}, () => []);
const moves = largest.map(() => new Float64Array(net.steps));

function visit(image, n) {
  const values = read(net, sequence(image)).seen[memory];
  for (let unit = 0; unit < net.width; unit += 1) {
    const own = Array.from({length: net.steps}, (_, t) => values[t * net.width + unit]), sizes = own.map(Math.abs);
    const at = sizes.indexOf(Math.max(...sizes));
    own.forEach((value, t) => { moves[unit][t] += Math.abs(value - (own[t - 1] ?? 0)); });
    largest[unit].push({n, step: at + 1, value: own[at]});
  }
}

/** The nine images with the largest values of a unit, the largest first. */
const best = (unit) => [...largest[unit]].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 9);

/** The shortest run of steps, from 1, in which half of a unit's changes happen. */
function busiest(unit) {
  const own = moves[unit], half = own.reduce((a, b) => a + b) / 2;
  let [from, sum, found] = [0, 0, [1, net.steps]];
  for (let to = 0; to < net.steps; to += 1) {
    sum += own[to];
    while (sum - own[from] >= half && from < to) sum -= own[from++];
    if (sum >= half && to - from < found[1] - found[0]) found = [from + 1, to + 1];
  }
  return found;
}

/** The classes that a unit speaks for and against most, by the readout's weights, and how far these are apart. */
function votes(unit) {
  const weights = about.names.map((_, k) => net.readout[k * net.width + unit]);
  const [most, least] = [Math.max(...weights), Math.min(...weights)];
  return {up: about.names[weights.indexOf(most)], down: about.names[weights.indexOf(least)], most, least};
}

/** What a unit does, in a sentence, from when its changes are known. */
function describe(unit) {
  const [from, to] = busiest(unit), part = (from + to) / 2 / net.steps, {steps} = about;
  if (to - from > 0.7 * net.steps) return "It answers all along, to no part of the image more than to others. ";
  const where = part < 0.4 ? "early" : part > 0.65 ? "late" : "middle";
  return `It answers to the ${where} ${steps}: half of its changes fall in ${from} to ${to}. `;
}

/** Which class is shown by five or more of the nine images, if one is. */
function common(shown) {
  const labels = shown.map(({n}) => about.names[run.images.labels[n]]).sort(), middle = labels[4];
  const times = labels.filter((label) => label === middle).length; // five of nine, sorted, reach the middle
  return times >= 5 && middle ? `${times} of the nine are ${middle}. ` : "";
}

export function startUnits() {
  let known = false;
  const spread = (unit) => votes(unit).most - votes(unit).least;
  const loudest = Array.from({length: net.width}, (_, unit) => unit).sort((a, b) => spread(b) - spread(a));
  for (const [k, button] of all("#loudest button").entries()) {
    button.dataset.value = button.textContent = loudest[k] + 1;
  }
  change({unit: loudest[0] + 1});
  const show = () => {
    const unit = state.unit - 1, {up, down, most, least} = votes(unit), nine = known ? best(unit) : [];
    const ends = `An h above zero speaks for ${up} (weight ${number(most)}) and against ${down} (${number(least)}).`;
    say({"unit-name": `Unit ${state.unit}`, "unit-says": known ? describe(unit) + common(nine) + ends : ends});
    for (const [k, {n, step, value}] of nine.entries()) {
      const button = byId("nine").children[k], [canvas, frame, text] = all("canvas, .frame, small", button);
      button.dataset.value = n;
      button.setAttribute("aria-label", `Image ${n}, ${about.step} ${step}`);
      showImage(canvas, images[n]);
      frameStep(frame, step);
      text.textContent = `${number(value, 1)} at ${about.step} ${step}`;
    }
  };
  whenChanged("unit", show);
  inBackground(byId("nine-waits"), async (each) => {
    await each(images, visit);
    known = true;
    byId("nine").hidden = false;
    byId("nine-waits").hidden = true;
    show();
  });
}
