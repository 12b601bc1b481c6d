// The image as far as it is read, the network unrolled over it, and its answers: the first screen, chapters 1, 2 and 4.

import {about, answerAt, goTo, images, memory, nameOf, net, pick, reading, run, state, whenChanged} from "./store.js";
import {all, byId, chart, cover, heat, number, onPoint, percent, ramps, say} from "./view.js";

const {height, width, names} = about, byRows = about.view === "rows";

/** The pixels that a step reads. */
export const pixelsOf = (step) => net.order.subarray((step - 1) * net.features, step * net.features);

/** How an image looks after `step` steps: what was read is dark, the rest pale. */
export function showImage(canvas, image, step = net.steps) {
  const read = new Set(net.order.subarray(0, step * net.features));
  heat(canvas, height, width, (y, x) => (image[y * width + x] / 255) * (read.has(y * width + x) ? 1 : 0.16), ramps.ink);
}

/** Frames the box of the pixels that a step reads. */
export function frameStep(frame, step) {
  const places = Array.from(pixelsOf(step)), rows = places.map((at) => Math.floor(at / width));
  const columns = places.map((at) => at % width), [top, left] = [Math.min(...rows), Math.min(...columns)];
  cover(frame, [height, width], top, left, Math.max(...rows) - top + 1, Math.max(...columns) - left + 1);
}

/** All units of a state after a step as a patch, twice as wide as high. */
function showUnits(canvas, letter, step) {
  const {width: units} = net, columns = Math.ceil(Math.sqrt(2 * units));
  const values = reading.seen[letter].subarray((step - 1) * units, step * units);
  heat(canvas, Math.ceil(units / columns), columns, (y, x) => values[y * columns + x] ?? 0, ramps.signed);
}

/** The sentence on when the answer was there. */
export function decision(found) {
  const answer = nameOf(found.probabilities.at(-1)), {decided, probabilities} = found, {step} = about;
  if (probabilities.length === 1) return `Answer: ${answer}. It reads from both ends, so it has no answer before.`;
  return decided === 1 ? `The answer is ${answer} from the first ${step} on.`
    : `From ${step} ${decided} of ${net.steps} on, the answer stays ${answer}.`;
}

/** Class probabilities by step as a heat map, with the step from which on the answer stays, and the step now. */
export function showAnswers(id, {probabilities, decided}) {
  const [canvas, mark, now] = all("canvas, .decided, .now", byId(id)), size = [probabilities.length, names.length];
  heat(canvas, ...size, (t, k) => probabilities[t][k], ramps.share);
  mark.hidden = size[0] === 1;
  cover(mark, size, decided - 1);
  if (now) cover(now, size, Math.min(state.step, size[0]) - 1);
}

/** The first screen and the bar. */
export function startStage() {
  byId("another").addEventListener("click", () => pick(Math.floor(Math.random() * images.length)));
  for (const digit of all(".reading canvas")) {
    onPoint(digit, (x, y) => {
      const at = net.order.indexOf(Math.floor(y) * width + Math.floor(x));
      if (at >= 0) goTo(1 + Math.floor(at / net.features));
    }, {from: () => [pixelsOf(state.step)[0] % width, Math.floor(pixelsOf(state.step)[0] / width)]});
  }
  whenChanged("picked image", () => {
    for (const button of all("#gallery [data-key]")) showImage(button.firstElementChild, images[button.dataset.value]);
    const {labels, first} = run.images, chosen = state.picked < first ? state.picked : "that it gets wrong";
    const label = labels.length ? `, a ${names[labels[state.picked]]}` : "";
    say({"digit-name": state.picked < 0 ? "your drawing" : `test image ${chosen}${label}`});
  });
  whenChanged("step image", () => {
    const shares = answerAt(state.step), most = Math.max(...shares);
    const where = `${about.step} ${state.step} of ${net.steps}`;
    for (const canvas of all(".read")) showImage(canvas, state.image, state.step);
    for (const frame of all(".reading .frame")) frameStep(frame, state.step);
    showUnits(byId("memory"), memory, state.step);
    say({where, "now-answer": nameOf(shares), "now-share": percent(most)});
    byId("step").setAttribute("aria-valuetext", where);
    for (const bar of all(".bars li")) {
      const share = shares[bar.dataset.class];
      bar.classList.toggle("first", share === most);
      bar.querySelector("i").style.width = `${100 * share}%`;
      bar.querySelector(".share").textContent = percent(share);
    }
  });
  whenChanged("playing", () => byId("play").setAttribute("aria-label", state.playing ? "Pause" : "Play"));
}

/** Chapter 1: the numbers of one step. */
export function startSequence() {
  whenChanged("step image", () => {
    const values = Array.from(pixelsOf(state.step), (pixel) => state.image[pixel] / 255);
    heat(byId("vector"), 1, values.length, (_, k) => values[k], ramps.ink);
    const count = `${values.length} number${values.length === 1 ? "" : "s"}`;
    const short = (value) => number(value).replace(/^0(?=\.)|\.?00$/g, "") || "0"; // .25, 0 and 1
    say({"vector-title": `x at ${about.step} ${state.step}: ${count}`, "vector-numbers": values.map(short).join(" ")});
  });
}

/** Chapter 2: three steps of the network side by side, with the same U, V and W. */
export function startUnrolled() {
  whenChanged("lit", () => { byId("unrolled").dataset.lit = state.lit; });
  whenChanged("step image", () => {
    const middle = Math.min(Math.max(state.step, 2), Math.max(2, net.steps - 1));
    for (const [k, column] of all("#unrolled .step").entries()) {
      const step = middle - 1 + k, [answer, units, input] = all("canvas", column), text = all("p", column);
      column.hidden = step > net.steps;
      if (column.hidden) continue;
      const shares = reading.probabilities.length > 1 || step === net.steps ? answerAt(step) : null;
      column.classList.toggle("here", step === state.step);
      heat(answer, 1, names.length, (_, n) => shares?.[n] ?? 0, ramps.share);
      showUnits(units, "h", step);
      heat(input, 1, net.features, (_, n) => state.image[pixelsOf(step)[n]] / 255, ramps.ink);
      text[0].textContent = shares ? `${nameOf(shares)}, ${percent(Math.max(...shares))}` : "no answer yet";
      text[1].textContent = `state ${step}`;
      text[2].textContent = `${about.step} ${step}`;
    }
  });
}

/** Chapter 4: the table of all answers, and the accuracy on all test images. */
export function startAnswer() {
  const table = byId("answers").querySelector("canvas");
  onPoint(table, (_, y) => goTo(1 + Math.floor(y)), {from: () => [0, state.step - 1]});
  byId("answers-image").hidden = !byRows || reading.probabilities.length === 1;
  whenChanged("step image", () => {
    showAnswers("answers", reading);
    const step = reading.probabilities.length > 1 ? state.step : net.steps;
    say({"bars-title": `Probabilities after ${about.step} ${step} of ${net.steps}`, decision: decision(reading)});
    if (!byId("accuracy")) return;
    const lines = [{points: run.by_step.step.map((each, k) => [each, run.by_step.accuracy[k]]), kind: "blue"}];
    const axes = {x: [1, net.steps], y: [0, 1], label: (share) => `${100 * share} %`};
    chart("accuracy", {...axes, lines, mark: step, use: goTo});
  });
}
