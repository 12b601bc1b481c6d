// A drawing as an image of the training data, step by step as core/inference/preprocess.py does it.
// Images are {width, height, data}, one byte a pixel; a drawing is dark on white paper that reaches its border.

/** Rounds half to even, as Python and numpy do. */
function round(x) {
  const down = Math.floor(x), rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2) ? down + 1 : down;
}

/** The connected parts where `inside` is set, by 8 neighbours or 4: each pixel's part, from 1, and the parts' sizes. */
export function parts(inside, width, height, corners = true) {
  const label = new Int32Array(inside.length), sizes = [0];
  for (let start = 0; start < inside.length; start += 1) {
    if (!inside[start] || label[start]) continue;
    const open = [start], number = sizes.push(0) - 1;
    label[start] = number;
    while (open.length) {
      const at = open.pop(), x = at % width, y = (at - x) / width;
      sizes[number] += 1;
      for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v += 1) {
        for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u += 1) {
          const next = v * width + u;
          if (!inside[next] || label[next] || !(corners || u === x || v === y)) continue;
          label[next] = number;
          open.push(next);
        }
      }
    }
  }
  return {label, sizes};
}

/** Ink strength of each pixel of a drawing, 0 to 255. */
function ink({data}) {
  const away = data.map((value) => 255 - value), most = away.reduce((a, b) => Math.max(a, b), 0);
  const strong = away.filter((value) => value > most / 2).sort(), half = strong.length >> 1;
  const full = strong.length % 2 ? strong[half] : (strong[half - 1] + strong[half]) / 2;
  return most ? away.map((value) => Math.trunc(Math.min(255, Math.fround(value * Math.fround(255 / full))))) : away;
}

/** The strokes of a drawing without specks: {inside, strength}; null where nothing is drawn. */
export function strokes(drawing, rules) {
  const {width, height} = drawing, strength = ink(drawing);
  const inside = strength.map((value) => (value > 255 * rules.edge ? 1 : 0)), found = parts(inside, width, height);
  const least = rules.speck * Math.max(...found.sizes);
  const kept = inside.map((is, at) => (is && found.sizes[found.label[at]] >= least ? 1 : 0));
  return found.sizes.length > 1 ? {width, height, strength, inside: kept} : null;
}

/** The box around the pixels that are set: {left, top, width, height}. */
export function boxOf(inside, width) {
  let [left, right, top, bottom] = [width, -1, Infinity, -1];
  inside.forEach((is, at) => {
    if (!is) return;
    const x = at % width, y = (at - x) / width;
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  });
  return {left, top, width: right - left + 1, height: bottom - top + 1};
}

/** The pixels of the strokes' box; ink farther than one pixel from a stroke is paper. */
function boxed({width, strength, inside}) {
  const box = boxOf(inside, width), data = new Uint8Array(box.width * box.height), beside = [-1, 0, 1];
  const at = (x, y) => (box.top + y) * width + box.left + x;
  const isSet = (x, y) => x >= 0 && y >= 0 && x < box.width && y < box.height && inside[at(x, y)];
  for (let n = 0; n < data.length; n += 1) {
    const x = n % box.width, y = (n - x) / box.width;
    if (beside.some((down) => beside.some((right) => isSet(x + right, y + down)))) data[n] = strength[at(x, y)];
  }
  return {...box, data};
}

const FILTERS = {
  box: {support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0)},
  bilinear: {support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x))},
};
const BITS = 22; // of Pillow's fixed-point weights

/** For each of `size` positions along a line of `length`: where its pixels begin, and their weights (Pillow's). */
function kernels(length, size, {support, weight}) {
  const scale = length / size, wide = Math.max(scale, 1), narrow = 1 / wide;
  return Array.from({length: size}, (_, at) => {
    const centre = (at + 0.5) * scale, from = Math.max(0, Math.trunc(centre - support * wide + 0.5));
    const to = Math.min(length, Math.trunc(centre + support * wide + 0.5));
    const weights = Array.from({length: to - from}, (__, k) => weight((k + from - centre + 0.5) * narrow));
    const sum = weights.reduce((a, b) => a + b, 0);
    return {from, weights: weights.map((each) => Math.trunc(0.5 + (each / sum) * 2 ** BITS))};
  });
}

/** Pillow's `resize`: across, then down, each pass rounded to bytes. */
function resized({width, height, data}, size, filter) {
  const line = (values, from, stride, {weights}) => {
    const sum = weights.reduce((all, weight, k) => all + weight * values[from + k * stride], 2 ** (BITS - 1));
    return Math.min(255, sum >> BITS);
  };
  const across = kernels(width, size.width, FILTERS[filter]), down = kernels(height, size.height, FILTERS[filter]);
  const wide = Uint8Array.from({length: size.width * height}, (_, at) => {
    const x = at % size.width, y = (at - x) / size.width;
    return line(data, y * width + across[x].from, 1, across[x]);
  });
  return Uint8Array.from({length: size.width * size.height}, (_, at) => {
    const x = at % size.width, y = (at - x) / size.width;
    return line(wide, down[y].from * size.width + x, size.width, down[y]);
  });
}

/** The drawing's strokes as an image of the frame: scaled to its box, centred by mass. */
export function prepared(drawn, frame) {
  const box = boxed(drawn), fit = [frame.width * frame.fill, frame.height * frame.fill];
  const scale = Math.min(fit[0] / box.width, fit[1] / box.height);
  const sides = frame.stretched ? fit : [box.width * scale, box.height * scale];
  const [width, height] = sides.map((side) => Math.max(1, round(side)));
  const scaled = resized(box, {width, height}, scale < 1 ? "box" : "bilinear"), most = Math.max(...scaled);
  const data = scaled.map((value) => round(value * (255 / most)));
  let [mass, right, low] = [0, 0, 0];
  data.forEach((value, at) => {
    mass += value;
    right += value * (at % width);
    low += value * Math.floor(at / width);
  });
  const place = (side, length, moment) =>
    Math.min(Math.max(round(side * frame.centre - moment / mass), 0), side - length);
  const left = place(frame.width, width, right), top = place(frame.height, height, low);
  const image = new Uint8Array(frame.width * frame.height);
  for (let y = 0; y < height; y += 1) {
    image.set(data.subarray(y * width, (y + 1) * width), (top + y) * frame.width + left);
  }
  return image;
}
