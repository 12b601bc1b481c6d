// Chapter 3: gates and states of the cell, for the step and the unit that one points at.

import {about, cell, change, net, reading, state, stop, whenChanged} from "./store.js";
import {byId, chart, cover, heat, make, number, onPoint, ramps} from "./view.js";

const SIGNED = new Set(["c", "h", "g", "n"]); // the others are gates, between 0 and 1
export const rampOf = (letter) => (SIGNED.has(letter) ? ramps.signed : ramps.share);

/** How each value of a cell comes about, as words and numbers: [letter, formula, numbers]. */
const EQUATIONS = {
  lstm: (v, before) => [
    ["f", "σ(input + state + bias)", "what stays of the old cell state"],
    ["i", "σ(input + state + bias)", "how much of the candidate comes in"],
    ["g", "tanh(input + state + bias)", "what could come in"],
    ["o", "σ(input + state + bias)", "how much of the cell state shows"],
    ["c", `f · cₜ₋₁ + i · g = ${number(v.f)} · ${number(before.c)} + ${number(v.i)} · ${number(v.g)}`, "keep some, add some"],
    ["h", `o · tanh(c) = ${number(v.o)} · ${number(Math.tanh(v.c))}`, "show some"],
  ],
  gru: (v, before) => [
    ["r", "σ(input + state + bias)", "how much of the past the candidate sees"],
    ["z", "σ(input + state + bias)", "what stays of the old state"],
    ["n", "tanh(input + r · state + bias)", "what could come in"],
    ["h", `(1 − z) · n + z · hₜ₋₁ = ${number(1 - v.z)} · ${number(v.n)} + ${number(v.z)} · ${number(before.h)}`, "mix old and new"],
  ],
  rnn: () => [["h", "tanh(input + state + bias)", "the new state"]],
};

const SUM = "(input + state + bias)";

/** The three parts of a gate's sum, and the sum, for a unit (of the last layer) at a step. */
export function sums(seen, inputs, gate, unit, step) {
  const units = net.hidden, way = Math.floor(unit / units), layer = net.levels.at(-1)[way], row = gate * units + (unit % units);
  const before = way ? step + 1 : step - 1, there = before >= 1 && before <= net.steps;
  let [input, recurrent] = [0, 0];
  for (let k = 0; k < layer.inputs; k += 1) input += layer.input[row * layer.inputs + k] * inputs[(step - 1) * layer.inputs + k];
  for (let k = 0; there && k < units; k += 1) {
    recurrent += layer.recurrent[row * units + k] * seen.h[(before - 1) * net.width + way * units + k];
  }
  return {input, recurrent, bias: layer.bias[row] + layer.second[row]};
}

const valuesAt = (step, unit) => Object.fromEntries(Object.keys(cell.names).map((letter) =>
  [letter, step >= 1 && step <= net.steps ? reading.seen[letter][(step - 1) * net.width + unit] : 0]));

function equation([letter, formula, meaning], value, parts) {
  const bar = make("span", {class: SIGNED.has(letter) ? "gauge signed" : "gauge"}, make("i"));
  const share = Math.min(1, Math.abs(value)), fill = bar.firstChild;
  if (SIGNED.has(letter)) {
    Object.assign(fill.style, {left: `${value < 0 ? 50 - 50 * share : 50}%`, width: `${50 * share}%`});
    fill.classList.toggle("below", value < 0);
  } else fill.style.width = `${100 * share}%`;
  return make("li", {}, make("b", {}, letter), make("span", {class: "formula"}, parts ? formula.replace(SUM, `(${
    [parts.input, parts.recurrent, parts.bias].map((part) => number(part)).join(" + ").replaceAll("+ −", "− ")})`) : formula,
    make("small", {}, `${cell.names[letter]}: ${meaning}`)), bar, make("output", {}, number(value)));
}

export function startInside() {
  const map = byId("inside-map"), canvas = map.querySelector("canvas"), pin = map.querySelector(".pin"), row = map.querySelector(".now");
  const buttons = Object.entries(cell.names).map(([letter, name]) =>
    make("button", {type: "button", "data-letter": letter, onclick: () => change({shown: letter})}, name));
  byId("quantities").replaceChildren(...buttons);
  const go = (step, unit) => {
    stop();
    change({step: Math.min(net.steps, Math.max(1, step)), unit: (unit + net.width) % net.width});
  };
  onPoint(canvas, (t, unit) => go(t + 1, unit));
  canvas.addEventListener("keydown", (event) => {
    const move = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
    if (!move) return;
    go(state.step + move[0], state.unit + move[1]);
    event.preventDefault();
  });
  whenChanged((changed) => {
    const values = reading.seen[state.shown], size = {rows: net.steps, columns: net.width};
    if (["image", "shown", "theme"].some((key) => key in changed)) {
      heat(canvas, net.steps, net.width, (t, unit) => values[t * net.width + unit], rampOf(state.shown));
      for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.letter === state.shown);
      byId("inside-key").className = SIGNED.has(state.shown) ? "scale signed" : "scale";
      byId("inside-low").textContent = SIGNED.has(state.shown) ? "−1" : "0, shut";
      byId("inside-high").textContent = SIGNED.has(state.shown) ? "1" : "1, open";
    }
    cover(pin, size, state.step - 1, state.unit, 1, 1);
    cover(row, size, state.step - 1, 0);
    const backwards = state.unit >= net.hidden, before = valuesAt(state.step + (backwards ? 1 : -1), state.unit);
    const now = valuesAt(state.step, state.unit);
    byId("unit-title").textContent = `Unit ${state.unit + 1} of ${net.width} at ${about.step} ${state.step}${backwards ? ", reading backwards" : ""}`;
    const order = Object.keys(cell.names);
    byId("equations").replaceChildren(...EQUATIONS[net.cell](now, before).map((each) => {
      const parts = each[1].includes(SUM) ? sums(reading.seen, reading.inputs, order.indexOf(each[0]), state.unit, state.step) : null;
      return equation(each, now[each[0]], parts);
    }));
  });
  if (byId("bias")) startBias();
}

/** What remains of a cell state while nothing drives the forget gate: sigmoid(bias) at each step. */
function startBias() {
  const slider = byId("bias");
  const draw = () => {
    const bias = Number(slider.value), gate = 1 / (1 + Math.exp(-bias)), curve = (share) =>
      Array.from({length: net.steps}, (_, t) => [t + 1, share ** t]);
    byId("bias-value").textContent = number(bias, 1);
    byId("bias-says").textContent = `The gate stands at σ(${number(bias, 1)}) = ${number(gate)}. Of what the first ${about.step} wrote, ${
      (100 * gate ** (net.steps - 1)).toPrecision(2).replace(/e.*/, (power) => ` · 10^${power.slice(1)}`).replace("-", "−")} % is left after the last.`;
    chart(byId("bias-chart"), {
      series: [{points: curve(0.5), colour: "soft", name: "bias 0", soft: true}, {points: curve(gate), colour: "blue", name: `bias ${number(bias, 1)}`}],
      x: {range: [1, net.steps], title: `${about.steps} later`, ticks: [1, Math.round(net.steps / 2), net.steps]},
      y: {range: [1e-9, 1], log: true, title: "share that is left (powers of ten)", ticks: [1, 1e-3, 1e-6, 1e-9], label: (v) => `10${"⁰ ⁻³ ⁻⁶ ⁻⁹".split(" ")[Math.round(-Math.log10(v) / 3)]}`},
    });
  };
  slider.addEventListener("input", draw);
  draw();
}
