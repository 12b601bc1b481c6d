// A trained recurrent classifier: the cells' equations, layers, directions and pooling, as torch computes them.
// Weights are torch's, (gates * H, inputs); T steps, F features, H units, K classes; sequences are flat, T * F.

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/**
 * Each kind of cell: its number of gates in torch's order, the letters of its values, which of them is its memory, and
 * `step`, a unit's new values. `x(k)` and `s(k)` are what the input and the last state add to gate k, with a bias each;
 * `before` is the unit's memory; `hold` maps letters of gates to values that they keep.
 */
export const CELLS = {
  lstm: {gates: 4, letters: "ifgoch", memory: "c", step(x, s, before, hold) {
    const i = hold.i ?? sigmoid(x(0) + s(0)), f = hold.f ?? sigmoid(x(1) + s(1));
    const g = Math.tanh(x(2) + s(2)), o = hold.o ?? sigmoid(x(3) + s(3));
    const c = f * before + i * g;
    return [i, f, g, o, c, o * Math.tanh(c)];
  }},
  gru: {gates: 3, letters: "rznh", memory: "h", step(x, s, before, hold) {
    const r = hold.r ?? sigmoid(x(0) + s(0)), z = hold.z ?? sigmoid(x(1) + s(1));
    const n = Math.tanh(x(2) + r * s(2));
    return [r, z, n, (1 - z) * n + z * before];
  }},
  rnn: {gates: 1, letters: "h", memory: "h", step: (x, s) => [Math.tanh(x(0) + s(0))]},
};

/** The network with these sizes, from its weights in one array, in the order in which they are cut off here. */
export function network(sizes, flat) {
  const {cell, hidden, layers, directions, features, classes, pooling} = sizes, rows = CELLS[cell].gates * hidden;
  let from = 0;
  const cut = (count) => new Float64Array(flat.subarray(from, (from += count)));
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

/** One layer in one direction, `way` of `ways`: writes the values of each letter into `seen`, T * (ways * H) each. */
function pass(net, layer, x, seen, way, hold) {
  const {step, letters, memory} = CELLS[net.cell], {hidden: units, width} = net;
  const out = [...letters].map((each) => seen[each]);
  const steps = seen.h.length / width, rows = layer.bias.length, back = way === 1;
  const driven = new Float64Array(rows), recalled = new Float64Array(rows), empty = new Float64Array(units);
  let u = 0;
  const input = (gate) => driven[gate * units + u], state = (gate) => recalled[gate * units + u];
  for (let k = 0; k < steps; k += 1) {
    const t = back ? steps - 1 - k : k, at = t * width + way * units, last = at + (back ? width : -width);
    product(layer.input, layer.bias, x, t * layer.inputs, layer.inputs, driven);
    product(layer.recurrent, layer.second, k ? seen.h : empty, k ? last : 0, units, recalled);
    for (u = 0; u < units; u += 1) {
      const values = step(input, state, k ? seen[memory][last + u] : 0, hold);
      for (let each = 0; each < values.length; each += 1) out[each][at + u] = values[each];
    }
  }
}

/**
 * Reads a sequence, T * F values in [0, 1], with the gates in `hold` held at every step, in each layer.
 * Returns the values of the last layer by letter, T * (directions * H); its inputs; the logits after each step (one
 * alone where the network reads both ways, or where `only` the last is wanted); their probabilities; and `decided`,
 * the step, from 1, after which the answer stays.
 */
export function read(net, sequence, hold = {}, only = false) {
  const steps = sequence.length / net.features, {letters} = CELLS[net.cell];
  let x = sequence, inputs, seen;
  for (const level of net.levels) {
    seen = Object.fromEntries([...letters].map((each) => [each, new Float64Array(steps * net.width)]));
    level.forEach((layer, way) => pass(net, layer, x, seen, way, hold));
    [inputs, x] = [x, seen.h];
  }
  const logits = readouts(net, x, steps, only || net.directions === 2), probabilities = logits.map(softmax);
  return {seen, inputs, logits, probabilities, decided: decided(probabilities)};
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

function softmax(logits) {
  const most = Math.max(...logits), raised = logits.map((logit) => Math.exp(logit - most));
  const sum = raised.reduce((a, b) => a + b);
  return raised.map((each) => each / sum);
}

export const first = (shares) => shares.indexOf(Math.max(...shares));

/** The step, from 1, after which the most probable class stays what it is in the end. */
function decided(probabilities) {
  const answers = probabilities.map(first);
  return 1 + answers.reduce((last, answer, t) => (answer === answers.at(-1) ? last : t + 1), 0);
}

/** An image, bytes, as a sequence in a pixel order, T * F in [0, 1]. */
export const sequenceOf = (image, order) => new Float64Array(order).map((pixel) => Math.fround(image[pixel] / 255));
