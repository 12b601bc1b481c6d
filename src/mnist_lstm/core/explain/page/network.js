// A trained recurrent classifier: the cells' equations, layers, directions and pooling, as torch computes them.
// Weights are torch's, (gates * H, inputs); T steps, F features, H units, K classes; sequences are flat, T * F.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** What a cell has, by letter, in torch's order of gates; `h` is last. `step` fills in the values of one time step. */
export const CELLS = {
  lstm: {
    gates: 4,
    names: {i: "input gate", f: "forget gate", g: "candidate", o: "output gate", c: "cell state", h: "hidden state"},
    held: ["i", "f", "o"],
    step(driven, recalled, units, hold, seen, at, before) {
      for (let u = 0; u < units; u += 1) {
        const sum = (gate) => driven[gate * units + u] + recalled[gate * units + u];
        const i = hold.i ?? sigmoid(sum(0)), f = hold.f ?? sigmoid(sum(1));
        const g = Math.tanh(sum(2)), o = hold.o ?? sigmoid(sum(3));
        const c = (before < 0 ? 0 : f * seen.c[before + u]) + i * g;
        seen.i[at + u] = i; seen.f[at + u] = f; seen.g[at + u] = g; seen.o[at + u] = o; seen.c[at + u] = c;
        seen.h[at + u] = o * Math.tanh(c);
      }
    },
  },
  gru: {
    gates: 3,
    names: {r: "reset gate", z: "update gate", n: "candidate", h: "hidden state"},
    held: ["r", "z"],
    step(driven, recalled, units, hold, seen, at, before) {
      for (let u = 0; u < units; u += 1) {
        const r = hold.r ?? sigmoid(driven[u] + recalled[u]);
        const z = hold.z ?? sigmoid(driven[units + u] + recalled[units + u]);
        const n = Math.tanh(driven[2 * units + u] + r * recalled[2 * units + u]);
        seen.r[at + u] = r; seen.z[at + u] = z; seen.n[at + u] = n;
        seen.h[at + u] = (1 - z) * n + (before < 0 ? 0 : z * seen.h[before + u]);
      }
    },
  },
  rnn: {
    gates: 1,
    names: {h: "hidden state"},
    held: [],
    step(driven, recalled, units, hold, seen, at) {
      for (let u = 0; u < units; u += 1) seen.h[at + u] = Math.tanh(driven[u] + recalled[u]);
    },
  },
};

/** The network with these sizes, from its weights in one array, in the order in which they are cut off here. */
export function network(sizes, flat) {
  const {cell, hidden, layers, directions, features, classes, pooling} = sizes, rows = CELLS[cell].gates * hidden;
  let from = 0;
  const cut = (count) => Float64Array.from(flat.subarray(from, (from += count)));
  const levels = Array.from({length: layers}, (_, level) => Array.from({length: directions}, () => {
    const inputs = level ? directions * hidden : features;
    return {inputs, input: cut(rows * inputs), recurrent: cut(rows * hidden), bias: cut(rows), second: cut(rows)};
  }));
  const width = directions * hidden, attention = pooling === "attention" ? cut(width) : null;
  return {...sizes, width, levels, attention, readout: cut(classes * width), offset: cut(classes)};
}

/** out = weights x + bias, where x begins at `at`; four sums at once are twice as fast as one. */
function product(weights, bias, x, at, inputs, out) {
  const most = inputs - (inputs % 4);
  for (let row = 0, w = 0; row < out.length; row += 1) {
    let a = bias[row], b = 0, c = 0, d = 0, k = 0;
    for (; k < most; k += 4, w += 4) {
      a += weights[w] * x[at + k];
      b += weights[w + 1] * x[at + k + 1];
      c += weights[w + 2] * x[at + k + 2];
      d += weights[w + 3] * x[at + k + 3];
    }
    for (; k < inputs; k += 1, w += 1) a += weights[w] * x[at + k];
    out[row] = a + b + c + d;
  }
}

/** One layer in one direction: an array (T * H) for each letter of the cell. */
function pass(net, layer, x, steps, backwards, hold) {
  const cell = CELLS[net.cell], units = net.hidden, rows = cell.gates * units;
  const seen = Object.fromEntries(Object.keys(cell.names).map((name) => [name, new Float64Array(steps * units)]));
  const driven = new Float64Array(rows), recalled = new Float64Array(rows), empty = new Float64Array(units);
  for (let k = 0; k < steps; k += 1) {
    const t = backwards ? steps - 1 - k : k, before = k ? (backwards ? t + 1 : t - 1) * units : -1;
    product(layer.input, layer.bias, x, t * layer.inputs, layer.inputs, driven);
    product(layer.recurrent, layer.second, k ? seen.h : empty, k ? before : 0, units, recalled);
    cell.step(driven, recalled, units, hold, seen, t * units, before);
  }
  return seen;
}

/** The outputs of all directions side by side, T * (directions * H). */
function joined(ways, steps, units) {
  if (ways.length === 1) return ways[0];
  const out = new Float64Array(steps * units * ways.length);
  for (let t = 0; t < steps; t += 1) {
    ways.forEach((way, d) => out.set(way.subarray(t * units, (t + 1) * units), (t * ways.length + d) * units));
  }
  return out;
}

export function softmax(logits) {
  const most = Math.max(...logits), raised = logits.map((logit) => Math.exp(logit - most));
  const sum = raised.reduce((a, b) => a + b);
  return raised.map((each) => each / sum);
}

/**
 * Reads a sequence, T * F values in [0, 1].
 * `hold` maps letters of gates to values that they keep at every step, in each layer.
 * Returns the cell's values of the last layer by letter, T * (directions * H); its inputs; the logits after each step (one alone
 * where the network reads both ways, or `only` the last is asked for); their probabilities; and `decided`, the step,
 * from 1, after which the answer stays.
 */
export function read(net, sequence, hold = {}, only = false) {
  const steps = sequence.length / net.features;
  let x = sequence, inputs, seen;
  for (const level of net.levels) {
    const ways = level.map((layer, d) => pass(net, layer, x, steps, d === 1, hold));
    seen = Object.fromEntries(Object.keys(ways[0]).map((name) =>
      [name, joined(ways.map((way) => way[name]), steps, net.hidden)]));
    [inputs, x] = [x, seen.h];
  }
  const logits = readouts(net, x, steps, only || net.directions === 2);
  const probabilities = logits.map(softmax);
  return {steps, seen, inputs, logits, probabilities, decided: decided(probabilities)};
}

/** The logits after each step: of its hidden state, or of the mean, weighted by attention or not, of all so far. */
function readouts(net, outputs, steps, only) {
  const {width, hidden} = net, logits = [], sum = new Float64Array(width), state = new Float64Array(width);
  let total = 0, highest = -Infinity;
  for (let t = 0; t < steps; t += 1) {
    const at = t * width;
    if (net.pooling === "last") {
      for (let u = 0; u < width; u += 1) state[u] = outputs[(u < hidden || !only ? at : 0) + u];
    } else {
      const score = net.attention ? net.attention.reduce((a, w, u) => a + w * Math.tanh(outputs[at + u]), 0) : 0;
      const shrink = Math.exp(Math.min(0, highest - score)), weight = Math.exp(Math.min(0, score - highest));
      highest = Math.max(highest, score);
      total = total * shrink + weight;
      for (let u = 0; u < width; u += 1) state[u] = (sum[u] = sum[u] * shrink + weight * outputs[at + u]) / total;
    }
    if (only && t < steps - 1) continue;
    const out = new Float64Array(net.classes);
    product(net.readout, net.offset, state, 0, width, out);
    logits.push(Array.from(out));
  }
  return logits;
}

export const first = (shares) => shares.indexOf(Math.max(...shares));

/** The step, from 1, after which the most probable class stays what it is in the end. */
export function decided(probabilities) {
  const answers = probabilities.map(first);
  return 1 + answers.reduce((last, answer, t) => (answer === answers.at(-1) ? last : t + 1), 0);
}

/** An image, bytes, as a sequence in a pixel order, T * F in [0, 1]. */
export const sequenceOf = (image, order) => Float64Array.from(order, (pixel) => Math.fround(image[pixel] / 255));
