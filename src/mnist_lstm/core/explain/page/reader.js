// Chapters 1, 2 and 4: the image as a sequence, the network unrolled over it, and the answer after each step.

import {doubtOf, uncertainty} from "./doubt.js";
import {first} from "./network.js";
import {about, change, images, net, pick, pixelsOf, play, reading, run, sequence, state, stop, isPlaying, whenChanged} from "./store.js";
import {byId, chart, cover, heat, make, number, onPoint, percent, ramps} from "./view.js";

const {height, width, names} = about;
const byRows = about.view === "rows";
export const nameOf = (number) => names[number];

/** How an image looks after `step` steps: what was read is dark, the rest pale. */
export function showImage(canvas, image, step = net.steps) {
  const read = new Uint8Array(height * width);
  for (const pixel of net.order.subarray(0, step * net.features)) read[pixel] = 1;
  heat(canvas, height, width, (y, x) => (image[y * width + x] / 255) * (read[y * width + x] ? 1 : 0.16), ramps.ink);
}

/** Frames the box of the pixels that a step reads. */
export function frameStep(frame, step) {
  const places = Array.from(pixelsOf(step)), rows = places.map((at) => Math.floor(at / width));
  const columns = places.map((at) => at % width), [top, left] = [Math.min(...rows), Math.min(...columns)];
  cover(frame, {rows: height, columns: width}, top, left, Math.max(...rows) - top + 1, Math.max(...columns) - left + 1);
}

const shares = () => reading.probabilities[reading.probabilities.length === 1 ? 0 : state.step - 1];

/** The sentence on when the answer was there. */
export function decision({probabilities, decided}) {
  const answer = names[first(probabilities.at(-1))], {step} = about;
  if (probabilities.length === 1) return `Answer: ${answer}. It reads from both ends, so it has no answer before.`;
  return decided === 1 ? `The answer is ${answer} from the first ${step} on.`
    : `From ${step} ${decided} of ${probabilities.length} on, the answer stays ${answer}.`;
}

/** A table of class probabilities by step as a heat map, with the step after which the answer stays. */
export function showAnswers(box, {probabilities, decided}, step) {
  const [canvas, mark, now] = box.querySelectorAll("canvas, .decided, .now"), rows = probabilities.length;
  heat(canvas, rows, names.length, (t, k) => probabilities[t][k], ramps.share);
  const size = {rows, columns: names.length};
  mark.hidden = rows === 1;
  cover(mark, size, decided - 1, 0);
  if (now) {
    now.hidden = rows === 1;
    cover(now, size, Math.min(step, rows) - 1, 0);
  }
}

/** The place for such a table, in `parent`. */
export function answerTable(parent, label, now = false) {
  const canvas = make("canvas", {role: "img", "aria-label": label});
  const heads = make("div", {class: "classes", "aria-hidden": "true"}, ...names.map((name) => make("span", {}, name)));
  const layers = [canvas, make("div", {class: "decided"}), ...(now ? [make("div", {class: "now"})] : [])];
  parent.replaceChildren(heads, make("div", {class: "map answers"}, ...layers));
  heads.classList.toggle("long", names.some((name) => name.length > 2));
  return parent;
}

/** One bar for each class, in `parent`; returns what shows probabilities on them. */
export function bars(parent) {
  const rows = names.map((name) => {
    const fill = make("i"), share = make("span", {class: "share"});
    return {row: make("li", {}, make("span", {class: "name"}, name), make("span", {class: "track"}, fill), share), fill, share};
  });
  parent.replaceChildren(...rows.map(({row}) => row));
  return (values) => rows.forEach(({row, fill, share}, k) => {
    row.classList.toggle("first", k === first(values));
    fill.style.width = `${100 * values[k]}%`;
    share.textContent = percent(values[k]);
  });
}

function startPlayer() {
  const slider = byId("step"), button = byId("play");
  slider.max = net.steps;
  slider.addEventListener("input", () => {
    stop();
    change({step: Number(slider.value)});
  });
  button.addEventListener("click", () => (isPlaying() ? stop() : play()));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, button, canvas, a, summary") || event.ctrlKey || event.metaKey) return;
    const move = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (event.key === " ") isPlaying() ? stop() : play();
    else if (move) {
      stop();
      change({step: Math.min(net.steps, Math.max(1, state.step + move))});
    } else return;
    event.preventDefault();
  });
  whenChanged(() => {
    const values = shares(), most = first(values);
    slider.value = state.step;
    slider.setAttribute("aria-valuetext", `${about.step} ${state.step} of ${net.steps}`);
    byId("where").textContent = `${about.step} ${state.step} of ${net.steps}`;
    button.setAttribute("aria-label", isPlaying() ? "Pause" : "Play");
    button.classList.toggle("playing", isPlaying());
    byId("now-answer").textContent = names[most];
    byId("now-share").textContent = percent(values[most]);
    showImage(byId("thumb"), state.image, state.step);
  });
}

function startGallery() {
  const {labels, count} = run.images, shown = [];
  names.forEach((_, label) => { if (labels.includes(label)) shown.push(labels.indexOf(label)); });
  for (let n = run.images.first; n < count; n += 1) shown.push(n);
  if (!shown.length) shown.push(...images.slice(0, 10).keys());
  const thumbs = shown.slice(0, 14).map((n) => {
    const canvas = make("canvas", {"aria-hidden": "true"}), label = labels.length ? `: ${names[labels[n]]}` : "";
    return {n, canvas, button: make("button", {type: "button", "aria-label": `Test image ${n}${label}`, onclick: () => pick(n)}, canvas)};
  });
  byId("gallery").replaceChildren(...thumbs.map(({button}) => button));
  byId("another").addEventListener("click", () => pick(Math.floor(Math.random() * images.length)));
  whenChanged((changed) => {
    for (const {n, button, canvas} of thumbs) {
      button.setAttribute("aria-pressed", state.picked === n);
      if ("theme" in changed || changed === state) showImage(canvas, images[n]);
    }
  });
}

export function startSequence() {
  startPlayer();
  startGallery();
  const digit = byId("digit"), vector = byId("vector");
  onPoint(digit, (y, x) => {
    const at = net.order.indexOf(y * width + x);
    stop();
    if (at >= 0) change({step: 1 + Math.floor(at / net.features)});
  });
  whenChanged(() => {
    showImage(digit, state.image, state.step);
    frameStep(byId("digit-frame"), state.step);
    const pixels = pixelsOf(state.step);
    heat(vector, 1, pixels.length, (_, k) => state.image[pixels[k]] / 255, ramps.ink);
    byId("vector-title").textContent = `x at ${about.step} ${state.step}: ${pixels.length} ${pixels.length === 1 ? "number" : "numbers"}`;
    byId("vector-sum").textContent = `from ${number(Math.min(...Array.from(pixels, (p) => state.image[p])) / 255)} to ${
      number(Math.max(...Array.from(pixels, (p) => state.image[p])) / 255)}; 0 is paper, 1 is ink`;
    const label = run.images.labels[state.picked];
    byId("digit-name").textContent = state.picked < 0 ? "your drawing, prepared"
      : `test image ${state.picked < run.images.first ? state.picked : "that it gets wrong"}${label === undefined ? "" : `, a ${names[label]}`}`;
    const {rules} = run, ink = run.frame.paper ? state.image.map((value) => 255 - value) : state.image;
    const shape = state.picked < 0 && rules.shapes ? doubtOf(ink, width, rules) : "";
    const unsure = uncertainty(reading.probabilities.at(-1), names, rules);
    byId("doubt").hidden = !shape && !unsure;
    byId("doubt").textContent = shape ? `This does not look like one digit: ${shape}.` : `The answer is in doubt: ${unsure}.`;
  });
}

const STRIP = 12; // units in a drawing of the state

/** Chapter 2: three steps of the network side by side, with the same U, V and W. */
export function startUnrolled() {
  const place = byId("unrolled");
  const buttons = document.querySelectorAll("[data-weights]");
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const letter = button.dataset.weights;
      place.dataset.lit = place.dataset.lit === letter ? "" : letter;
      for (const each of buttons) each.setAttribute("aria-pressed", each.dataset.weights === place.dataset.lit);
    });
  }
  whenChanged(() => place.replaceChildren(unrolled(Math.min(Math.max(state.step, 2), Math.max(2, net.steps - 1)))));
}

/** A drawing of the step `middle`, and the ones before and after it. */
function unrolled(middle) {
  const drawn = make("svg:svg", {viewBox: "0 0 640 330", role: "img", "aria-label": "Three steps of the network, unrolled"});
  const text = (x, y, words, kind = "") => make("svg:text", {x, y, "text-anchor": "middle", class: kind}, words);
  const arrow = (letter, path, x, y) => drawn.append(make("svg:path", {d: path, class: `arrow ${letter}`, "marker-end": "url(#head)"}),
    make("svg:circle", {cx: x, cy: y, r: 12, class: `weight ${letter}`}), text(x, y + 5, letter, `letter ${letter}`));
  drawn.append(make("svg:defs", {}, make("svg:marker", {id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto"},
    make("svg:path", {d: "M0 0L8 4L0 8z"}))));
  const strip = (values, x, y, wide, high, ramp) => values.forEach((value, k) => drawn.append(make("svg:rect", {
    x: x + (k * wide) / values.length, y, width: wide / values.length + 0.3, height: high, fill: `rgb(${ramp(value).map(Math.round)})`})));
  arrow("W", "M8 160H42", 24, 160);
  [middle - 1, middle, middle + 1].forEach((step, k) => {
    const x = 48 + k * 200, gone = step > net.steps;
    if (gone) return;
    const cellBox = {x, y: 125, width: 144, height: 70, rx: 8, class: step === state.step ? "cell here" : "cell"};
    drawn.append(make("svg:rect", cellBox));
    const units = Array.from(reading.seen.h.subarray((step - 1) * net.width, (step - 1) * net.width + STRIP));
    strip(units, x + 12, 148, 120, 20, ramps.signed);
    drawn.append(make("svg:rect", {x: x + 12, y: 148, width: 120, height: 20, class: "outline"}), text(x + 72, 141, `state after ${about.step} ${step}`),
      text(x + 72, 186, net.width > STRIP ? `${STRIP} of ${net.width} units` : `${net.width} units`, "quiet"));
    strip(Array.from(pixelsOf(step), (p) => state.image[p] / 255), x, 275, 144, 18, ramps.ink);
    drawn.append(make("svg:rect", {x, y: 275, width: 144, height: 18, class: "outline"}), text(x + 72, 312, `${about.step} ${step}`));
    arrow("U", `M${x + 72} 270V200`, x + 72, 236);
    if (step < net.steps) arrow("W", `M${x + 147} 160H${x + 194}`, x + 170, 160);
    const all = reading.probabilities, answer = all.length > 1 ? all[step - 1] : step === net.steps ? all[0] : null;
    if (!answer) return;
    arrow("V", `M${x + 72} 122V58`, x + 72, 92);
    strip(answer, x, 32, 144, 18, ramps.share);
    drawn.append(make("svg:rect", {x, y: 32, width: 144, height: 18, class: "outline"}),
      text(x + 72, 22, `${names[first(answer)]}, ${percent(Math.max(...answer))}`));
  });
  return drawn;
}

/** Chapter 4: bars now, the table of all steps, and the accuracy on all test images. */
export function startAnswer() {
  const show = bars(byId("bars")), table = answerTable(byId("answers"), "Probability of each class after each step", true);
  onPoint(table.querySelector("canvas"), (t) => {
    stop();
    if (reading.probabilities.length > 1) change({step: t + 1});
  });
  byId("answers-image").parentElement.hidden = !byRows || reading.probabilities.length === 1;
  whenChanged(() => {
    show(shares());
    byId("bars-title").textContent = `Probabilities after ${about.step} ${reading.probabilities.length > 1 ? state.step : net.steps} of ${net.steps}`;
    showAnswers(table, reading, state.step);
    showImage(byId("answers-image"), state.image, state.step);
    byId("decision").textContent = decision(reading);
    const {by_step: tested} = run;
    if (!tested || tested.step.length < 2) return;
    chart(byId("accuracy"), {
      series: [{points: tested.step.map((step, k) => [step, tested.accuracy[k]]), colour: "blue"}],
      x: {range: [1, net.steps], title: `${about.steps} read`, ticks: [1, Math.round(net.steps / 4), Math.round(net.steps / 2), Math.round((3 * net.steps) / 4), net.steps]},
      y: {range: [0, 1], title: `share of ${about.tested.toLocaleString("en")} test images that are right`, ticks: [0, 0.5, 1], label: (v) => `${100 * v} %`},
      mark: state.step, use: (x) => { stop(); change({step: Math.round(x)}); },
    });
  });
}
