// Chapter 6: hold a gate, change pixels, see what the end still knows; and another network on the same image.

import {first, read, sequenceOf} from "./network.js";
import {about, cell, change, net, networkOf, pixelsOf, reading, run, sequence, state, whenChanged} from "./store.js";
import {firstImages, rightAnswers} from "./learning.js";
import {answerTable, decision, nameOf, showAnswers, showImage} from "./reader.js";
import {byId, chart, make, number, onPoint, percent, pointed} from "./view.js";

const ENOUGH = 28; // groups of steps whose influence is shown
const NUDGE = 1e-3; // of the ink, for the gradient

export function startTrials() {
  if (cell.held.length) startHolding();
  startPixels();
  startInfluence();
  if (run.other) startOther();
}

function startHolding() {
  const hold = {}, table = answerTable(byId("held"), "Class probabilities with gates held");
  let asked = 0, usual = null;
  const says = byId("held-accuracy");
  async function count() {
    const mine = (asked += 1), goesOn = () => mine === asked, images = firstImages();
    if (!run.images.labels.length) return;
    const found = await rightAnswers(net, hold, goesOn, (right, of) => {
      byId("held-bar").style.width = `${(100 * right) / images}%`;
      says.textContent = `${right} right of ${of} …`;
    });
    if (found === null) return;
    if (!Object.keys(hold).length) usual = found;
    says.textContent = `${found} of ${images} right (${percent(found / images)})${usual === null ? "" : `; as trained ${usual}`}`;
  }
  const choose = (letter, value) => {
    if (value === null) delete hold[letter];
    else hold[letter] = value;
    for (const button of byId("holds").querySelectorAll(`[data-letter="${letter}"]`)) {
      button.setAttribute("aria-pressed", button.dataset.value === String(value));
    }
    show();
    count();
  };
  byId("holds").replaceChildren(...cell.held.map((letter) => make("div", {role: "group", "aria-label": cell.names[letter]},
    make("span", {}, cell.names[letter]), ...[["as trained", null], ["shut, 0", 0], ["open, 1", 1]].map(([words, value]) =>
      make("button", {type: "button", "data-letter": letter, "data-value": String(value), "aria-pressed": String(value === null),
        onclick: () => choose(letter, value)}, words)))));
  const show = () => {
    const held = Object.keys(hold).length ? read(net, sequence(state.image), hold) : reading;
    showAnswers(table, held);
    byId("held-says").textContent = decision(held);
  };
  whenChanged((changed) => { if ("image" in changed || "theme" in changed) show(); });
  new IntersectionObserver((seen, watcher) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    count();
  }).observe(says);
}

/** The image before and after someone changed pixels, and how far apart the states are after each step. */
function startPixels() {
  const canvas = byId("editor"), {width} = about;
  const alter = (alteration) => {
    const image = Uint8Array.from(state.image);
    alteration(image);
    change({image, original: state.original ?? state.image});
  };
  let ink = 255;
  canvas.addEventListener("pointerdown", (event) => {
    const [y, x] = pointed(event, canvas);
    ink = state.image[y * width + x] > 127 ? 0 : 255;
  });
  onPoint(canvas, (y, x) => alter((image) => { image[y * width + x] = ink; }));
  byId("erase").addEventListener("click", () => alter((image) => { for (const pixel of pixelsOf(state.step)) image[pixel] = 0; }));
  byId("fill").addEventListener("click", () => alter((image) => { for (const pixel of pixelsOf(state.step)) image[pixel] = 255; }));
  byId("restore").addEventListener("click", () => { if (state.original) change({image: state.original, original: null}); });
  whenChanged((changed) => {
    byId("erase").textContent = `Erase ${about.step} ${state.step}`;
    byId("fill").textContent = `Fill ${about.step} ${state.step}`;
    if (!("image" in changed) && !("theme" in changed)) return;
    showImage(canvas, state.image);
    byId("restore").disabled = !state.original;
    const before = state.original ? read(net, sequence(state.original)) : reading, apart = distance(before.seen.h, reading.seen.h);
    chart(byId("apart"), {series: [{points: apart.map((d, t) => [t + 1, d]), colour: "blue"}],
      x: {range: [1, net.steps], title: `after ${about.step}`, ticks: [1, Math.round(net.steps / 2), net.steps]},
      y: {range: [0, 1], title: "how far the states are apart", ticks: [0, 0.5, 1]}});
    const [was, is] = [before, reading].map(({probabilities}) => probabilities.at(-1));
    byId("apart-says").textContent = state.original
      ? `Was ${nameOf(first(was))} (${percent(Math.max(...was))}), is ${nameOf(first(is))} (${percent(Math.max(...is))}). `
        + `At the end, the state still differs by ${percent(apart.at(-1))} of its length.`
      : `Nothing is changed yet: press on pixels, or erase the ${about.step}.`;
  });
}

/** For each step, |a - b| relative to the larger of |a| and |b|. */
export function distance(a, b) {
  return Array.from({length: net.steps}, (_, t) => {
    let [apart, long, other] = [0, 0, 0];
    for (let u = t * net.width; u < (t + 1) * net.width; u += 1) {
      apart += (a[u] - b[u]) ** 2;
      long += a[u] ** 2;
      other += b[u] ** 2;
    }
    return Math.min(1, Math.sqrt(apart / (Math.max(long, other) || 1)));
  });
}

/** For each group of steps: the change of the answer's logit without its ink, and its gradient along that ink. */
export function influence(network, values) {
  const size = Math.ceil(network.steps / ENOUGH), {logits: [usual]} = read(network, values, {}, true), answer = first(usual);
  return Array.from({length: Math.ceil(network.steps / size)}, (_, group) => {
    const [from, to] = [group * size * network.features, (group + 1) * size * network.features];
    const logit = (factor) => read(network, values.map((v, at) => (at >= from && at < to ? v * factor : v)), {}, true).logits[0][answer];
    return {step: group * size + 1, erased: usual[answer] - logit(0), gradient: (logit(1 + NUDGE) - logit(1 - NUDGE)) / (2 * NUDGE)};
  });
}

function startInfluence() {
  let timer = 0;
  whenChanged((changed) => {
    if (!("image" in changed) && !("theme" in changed)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const found = influence(net, sequence(state.image)), both = found.flatMap(({erased, gradient}) => [erased, gradient]);
      const [low, high] = [Math.min(0, ...both), Math.max(0.5, ...both)];
      chart(byId("influence"), {
        series: [{points: found.map((each) => [each.step, each.erased]), colour: "blue", name: "lost without the ink", dots: found.length < 40},
          {points: found.map((each) => [each.step, each.gradient]), colour: "orange", name: "gradient along the ink"}],
        x: {range: [1, net.steps], title: about.step, ticks: [1, Math.round(net.steps / 2), net.steps]},
        y: {range: [low, high], title: `the logit of ${nameOf(first(reading.probabilities.at(-1)))}`, ticks: [low, 0, high].filter((v, k, all) => all.indexOf(v) === k), label: (v) => number(v, 1)}});
    }, 300);
  });
}

/** The same image, read by the network of another run. */
function startOther() {
  const other = networkOf(run.other), table = answerTable(byId("other"), `Class probabilities of ${other.label}`);
  whenChanged((changed) => {
    if (!("image" in changed) && !("theme" in changed)) return;
    const found = read(other, sequenceOf(state.image, other.order));
    showAnswers(table, found);
    byId("other-says").textContent = `${other.label}: ${decision(found)}`;
  });
}
