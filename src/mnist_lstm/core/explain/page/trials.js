// Chapter 6: change pixels, and see what the end still knows of them and which steps count.

import {first, read} from "./network.js";
import {pixelsOf, showImage} from "./reader.js";
import {about, change, inBackground, nameOf, net, reading, sequence, state, whenChanged} from "./store.js";
import {byId, chart, number, onPoint, percent, say} from "./view.js";

/** For each step, |a - b| relative to the larger of |a| and |b|. */
function distance(a, b) {
  const length = (values) => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
  return Array.from({length: net.steps}, (_, t) => {
    const [one, two] = [a, b].map((values) => values.subarray(t * net.width, (t + 1) * net.width));
    return Math.min(1, length(one.map((value, u) => value - two[u])) / (Math.max(length(one), length(two)) || 1));
  });
}

/** The image before and after someone changed pixels, and how far apart the states are after each step. */
export function startPixels() {
  const canvas = byId("editor"), {width} = about;
  const paint = (pixels, ink) => {
    const image = Uint8Array.from(state.image);
    for (const pixel of pixels) image[pixel] = ink;
    change({image, original: state.original ?? state.image});
  };
  let ink = 255;
  onPoint(canvas, (x, y, pressed) => {
    const pixel = Math.floor(y) * width + Math.floor(x);
    if (pressed) ink = state.image[pixel] > 127 ? 0 : 255;
    paint([pixel], ink);
  }, {pen: byId("editor-pen")});
  byId("erase").addEventListener("click", () => paint(pixelsOf(state.step), 0));
  byId("fill").addEventListener("click", () => paint(pixelsOf(state.step), 255));
  byId("restore").addEventListener("click", () => change({image: state.original, original: null}));
  whenChanged("step", () => {
    const where = `${about.step} ${state.step}`;
    say({erase: `Erase ${where}`, fill: `Fill ${where}`});
  });
  whenChanged("image original", () => {
    showImage(canvas, state.image);
    byId("restore").disabled = !state.original;
    const before = state.original ? read(net, sequence(state.original)) : reading;
    const apart = distance(before.seen.h, reading.seen.h), points = apart.map((far, t) => [t + 1, far]);
    chart("apart", {x: [1, net.steps], y: [0, 1], lines: [{points, kind: "blue"}]});
    const [was, is] = [before, reading].map(({probabilities}) => probabilities.at(-1));
    say({"apart-says": state.original
      ? `Was ${nameOf(was)} (${percent(Math.max(...was))}), is ${nameOf(is)} (${percent(Math.max(...is))}). `
        + `At the end, the state still differs by ${percent(apart.at(-1))} of its length.`
      : `Nothing is changed yet: press on pixels, or erase the ${about.step}.`});
  });
}

const ENOUGH = 28; // groups of steps whose influence is shown
const NUDGE = 1e-3; // of the ink, for the gradient

/** For each group of steps: the change of the answer's logit without its ink, and its gradient along that ink. */
export function startInfluence() {
  const size = Math.ceil(net.steps / ENOUGH);
  const steps = Array.from({length: Math.ceil(net.steps / size)}, (_, group) => group * size);
  const again = inBackground(byId("influence"), async (each) => {
    const values = sequence(state.image), erased = [], gradients = [];
    const {logits: [usual]} = read(net, values, {}, true), answer = first(usual);
    const finished = await each(steps, (step) => {
      const inStep = (at) => at >= step * net.features && at < (step + size) * net.features;
      const logit = (factor) => {
        const inked = values.map((value, at) => (inStep(at) ? value * factor : value));
        return read(net, inked, {}, true).logits[0][answer];
      };
      erased.push([step + 1, usual[answer] - logit(0)]);
      gradients.push([step + 1, (logit(1 + NUDGE) - logit(1 - NUDGE)) / (2 * NUDGE)]);
    });
    if (!finished) return;
    const both = [...erased, ...gradients].map(([, logit]) => logit);
    const y = [Math.min(0, ...both), Math.max(0.5, ...both)];
    const ticks = [y[0], 0, y[1]].filter((tick, k) => k === 1 || Math.abs(tick) > (y[1] - y[0]) / 6);
    const lines = [{points: erased, kind: "blue"}, {points: gradients, kind: "orange"}];
    chart("influence", {x: [1, net.steps], y, ticks, label: (logit) => number(logit, 1), lines});
    say({"influence-of": about.names[answer]});
  });
  whenChanged("image", again);
}
