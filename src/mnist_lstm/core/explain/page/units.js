// Chapter 7: for a unit, the images that drive it most, and what it answers to.

import {read} from "./network.js";
import {about, change, eachImage, images, net, pick, run, sequence, state, whenChanged} from "./store.js";
import {frameStep, nameOf, showImage} from "./reader.js";
import {byId, make, number} from "./view.js";

const NINE = 9;
const letter = net.cell === "lstm" ? "c" : "h";

/**
 * What drives each unit, over images whose states are visited one by one: its largest value in each image and the
 * step of it, and the mean change at each step.
 */
export function unitStudy(width, steps, count) {
  const peak = new Float32Array(width * count), when = new Uint16Array(width * count), moves = new Float64Array(width * steps);
  return {
    visit(n, values) {
      for (let unit = 0; unit < width; unit += 1) {
        let [most, at, before] = [-Infinity, 0, 0];
        for (let t = 0; t < steps; t += 1) {
          const value = values[t * width + unit];
          moves[unit * steps + t] += Math.abs(value - before);
          before = value;
          if (Math.abs(value) > most) [most, at] = [Math.abs(value), t];
        }
        [peak[unit * count + n], when[unit * count + n]] = [values[at * width + unit], at + 1];
      }
    },
    /** The images with the largest values of a unit, the largest first. */
    best(unit) {
      const at = (n) => Math.abs(peak[unit * count + n]);
      return Array.from({length: count}, (_, n) => n).sort((a, b) => at(b) - at(a)).slice(0, NINE)
        .map((n) => ({n, step: when[unit * count + n], value: peak[unit * count + n]}));
    },
    /** The shortest run of steps, from 1, in which half of a unit's changes happen. */
    busiest(unit) {
      const own = moves.subarray(unit * steps, (unit + 1) * steps), half = own.reduce((a, b) => a + b, 0) / 2;
      let [from, sum, found] = [0, 0, [1, steps]];
      for (let to = 0; to < steps; to += 1) {
        sum += own[to];
        while (sum - own[from] >= half && from < to) sum -= own[from++];
        if (sum >= half && to - from < found[1] - found[0]) found = [from + 1, to + 1];
      }
      return found;
    },
  };
}

/** The classes that a unit speaks for and against most, by the readout's weights. */
function votes(unit) {
  const weights = Array.from({length: net.classes}, (_, k) => net.readout[k * net.width + unit]);
  const [up, down] = [weights.indexOf(Math.max(...weights)), weights.indexOf(Math.min(...weights))];
  return {up, down, weights, spread: weights[up] - weights[down]};
}

export function startUnits() {
  const study = unitStudy(net.width, net.steps, images.length), slider = byId("unit");
  let done = false, asked = false;
  slider.max = net.width;
  byId("nine").className = "waiting";
  byId("nine").textContent = "The images are being read …";
  slider.addEventListener("input", () => change({unit: Number(slider.value) - 1}));
  const loudest = Array.from({length: net.width}, (_, unit) => unit).sort((a, b) => votes(b).spread - votes(a).spread).slice(0, 12);
  state.unit = loudest[0];
  byId("loudest").replaceChildren(...loudest.map((unit) =>
    make("button", {type: "button", "data-unit": unit, onclick: () => change({unit})}, String(unit + 1))));
  const show = () => {
    slider.value = state.unit + 1;
    byId("unit-name").textContent = `Unit ${state.unit + 1}`;
    for (const button of byId("loudest").children) button.setAttribute("aria-pressed", Number(button.dataset.unit) === state.unit);
    const {up, down, weights} = votes(state.unit);
    const ends = `An h above zero speaks for ${nameOf(up)} (weight ${number(weights[up])}) and against ${nameOf(down)} (${number(weights[down])}).`;
    if (!done) {
      byId("unit-says").textContent = ends;
      return;
    }
    const best = study.best(state.unit), [from, to] = study.busiest(state.unit);
    const shown = best.map(({n}) => run.images.labels[n]), common = shown.length && mode(shown);
    byId("unit-says").textContent = `${where(from, to)} ${common && common.count >= 5 ? `${common.count} of the nine are ${nameOf(common.value)}. ` : ""}${ends}`;
    byId("nine").replaceChildren(...best.map(({n, step, value}) => {
      const canvas = make("canvas", {"aria-hidden": "true"}), frame = make("span", {class: "frame"});
      showImage(canvas, images[n]);
      frameStep(frame, step);
      return make("button", {type: "button", "aria-label": `Image ${n}, ${about.step} ${step}`, onclick: () => {
        pick(n);
        byId("sequence").scrollIntoView();
      }}, make("span", {class: "map"}, canvas, frame), make("small", {}, `${number(value, 1)} at ${about.step} ${step}`));
    }));
  };
  const where = (from, to) => {
    const part = (from + to) / 2 / net.steps, name = part < 0.4 ? "early" : part > 0.65 ? "late" : "middle";
    return to - from > 0.7 * net.steps ? `It answers all along, to no part of the image more than to others.`
      : `It answers to the ${name} ${about.steps}: half of its changes fall in ${from} to ${to}.`;
  };
  new IntersectionObserver(async (seen) => {
    if (asked || !seen.some((entry) => entry.isIntersecting)) return;
    asked = true;
    await eachImage((n) => study.visit(n, read(net, sequence(images[n])).seen[letter]));
    done = true;
    byId("nine").className = "";
    show();
  }, {rootMargin: "400px"}).observe(byId("nine"));
  whenChanged((changed) => { if ("unit" in changed || "theme" in changed) show(); });
}

/** The most frequent value, and how often it is there. */
function mode(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [value, count] = [...counts].sort((a, b) => b[1] - a[1])[0];
  return {value, count};
}
