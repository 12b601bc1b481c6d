// Chapter 3: gates and states of the cell, for the step and the unit that one points at.

import {sigmoid} from "./network.js";
import {about, change, goTo, letters, memory, net, reading, state, whenChanged} from "./store.js";
import {byId, all, chart, cover, heat, number, onPoint, ramps, say} from "./view.js";

const SIGNED = "cghn"; // the others are gates, between 0 and 1
const GATES = {lstm: "ifgo", gru: "rzn", rnn: "h"}[net.cell]; // in torch's order
const FORMULAS = {
  lstm: {
    c: (v, before) => ["f · cₜ₋₁ + i · g", v.f, before.c, v.i, v.g],
    h: (v) => ["o · tanh(c)", v.o, Math.tanh(v.c)],
  },
  gru: {h: (v, before) => ["(1 − z) · n + z · hₜ₋₁", 1 - v.z, v.n, v.z, before.h]},
  rnn: {},
}[net.cell];

/** The parts of a gate's sum for a unit of the last layer at a step, both from 1: input, last state, bias. */
function sums({seen, inputs}, gate, unit, step) {
  const way = Math.floor((unit - 1) / net.hidden), layer = net.levels.at(-1)[way], {hidden: units} = net;
  const row = gate * units + ((unit - 1) % units), before = step - 1 + (way ? 1 : -1);
  const dot = (weights, size, values, at) =>
    weights.subarray(row * size, (row + 1) * size).reduce((sum, weight, k) => sum + weight * (values[at + k] ?? 0), 0);
  const there = before >= 0 && before < net.steps;
  return [dot(layer.input, layer.inputs, inputs, (step - 1) * layer.inputs),
    there ? dot(layer.recurrent, units, seen.h, before * net.width + way * units) : 0,
    layer.bias[row] + layer.second[row]];
}

const overSteps = (value) => Array.from({length: net.steps}, (_, t) => [t + 1, value(t)]); // points of a curve
const valuesAt = (step, unit) => Object.fromEntries([...letters].map((letter) =>
  [letter, step >= 1 && step <= net.steps ? reading.seen[letter][(step - 1) * net.width + unit - 1] : 0]));

/** The formula of a value with its numbers. */
function formula(letter, values, before) {
  if (FORMULAS[letter]) {
    const [words, ...factors] = FORMULAS[letter](values, before), [a, b, c, d] = factors.map((each) => number(each));
    return `${words} = ${a} · ${b}${c === undefined ? "" : ` + ${c} · ${d}`}`;
  }
  const parts = sums(reading, GATES.indexOf(letter), state.unit, state.step).map((part) => number(part));
  const sum = letter === "n" ? `${parts[0]} + r · state + bias` : parts.join(" + ").replaceAll("+ −", "− ");
  return `${SIGNED.includes(letter) ? "tanh" : "σ"}(${sum})`;
}

export function startInside() {
  const [canvas, row, pin] = all("canvas, .now, .pin", byId("inside-map")), size = [net.steps, net.width];
  onPoint(canvas, (x, y) => {
    goTo(1 + Math.floor(y));
    change({unit: 1 + Math.floor(x)});
  }, {from: () => [state.unit - 1, state.step - 1]});
  whenChanged("image shown", () => {
    const values = reading.seen[state.shown], signed = SIGNED.includes(state.shown);
    heat(canvas, ...size, (t, unit) => values[t * net.width + unit], signed ? ramps.signed : ramps.share);
    byId("inside-key").classList.toggle("signed", signed);
    say({"inside-low": signed ? "−1" : "0, shut", "inside-high": signed ? "1" : "1, open"});
  });
  whenChanged("image step unit", () => {
    const {step, unit} = state, backwards = unit > net.hidden;
    const values = valuesAt(step, unit), before = valuesAt(step + (backwards ? 1 : -1), unit);
    cover(pin, size, step - 1, unit - 1, 1, 1);
    cover(row, size, step - 1);
    const reads = backwards ? ", reading backwards" : "";
    say({"unit-title": `Unit ${unit} of ${net.width} at ${about.step} ${step}${reads}`});
    for (const line of all("#equations li")) {
      const {letter} = line.dataset, value = values[letter], bar = line.querySelector("i");
      const signed = SIGNED.includes(letter), wide = Math.min(1, Math.abs(value)) * (signed ? 50 : 100);
      Object.assign(bar.style, {left: `${signed ? 50 - (value < 0 ? wide : 0) : 0}%`, width: `${wide}%`});
      bar.classList.toggle("below", value < 0);
      line.querySelector(".formula").firstChild.textContent = formula(letter, values, before);
      line.querySelector("output").textContent = number(value);
    }
    const course = (letter) => overSteps((t) => reading.seen[letter][t * net.width + unit - 1]);
    const lines = [{points: course(memory), kind: "blue"}], keep = {lstm: "f", gru: "z"}[net.cell];
    const most = Math.max(1, ...lines[0].points.map(([, value]) => Math.abs(value)));
    if (keep) lines.push({points: course(keep), kind: "orange"});
    const axes = {x: [1, net.steps], y: [-most, most], label: (value) => number(value, 1)};
    chart("course", {...axes, lines, mark: step, use: goTo});
  });
  if (byId("bias")) startBias();
}

/** What remains of a cell state while nothing drives the forget gate: sigmoid(bias) at each step. */
function startBias() {
  const curve = (gate, kind) => ({kind, points: overSteps((t) => Math.max(-9, t * Math.log10(gate)))});
  const label = (power) => (power ? `10${{3: "⁻³", 6: "⁻⁶", 9: "⁻⁹"}[-power]}` : "1");
  whenChanged("bias", () => {
    const gate = sigmoid(state.bias), left = (100 * gate ** (net.steps - 1)).toPrecision(2);
    const bias = number(state.bias, 1), share = left.replace(/e-(.*)/, " · 10^−$1");
    say({"bias-value": bias, "bias-says": `The gate stands at σ(${bias}) = ${number(gate)}. `
      + `Of what the first ${about.step} wrote, ${share} % is left after the last.`});
    const lines = [curve(0.5, "soft"), curve(gate, "blue")];
    chart("bias-chart", {x: [1, net.steps], y: [-9, 0], ticks: [-9, -6, -3, 0], label, lines});
  });
}
