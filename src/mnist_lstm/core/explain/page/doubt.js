// Why an image may not show one digit, as core/inference/doubt.py finds it, in the image that the network gets.

import {parts} from "./prepare.js";

/** The reason, or nothing. `ink`: 0 to 255 (height * width); `rules`: the constants of doubt.py, `side` of the box. */
export function doubtOf(ink, width, rules) {
  const inside = Array.from(ink, (value) => (value > 255 * rules.edge ? 1 : 0));
  const filled = inside.reduce((a, b) => a + b, 0) / rules.side ** 2;
  if (filled < rules.hardly) return "hardly any ink";
  if (filled > rules.full) return "ink fills its box";
  const at = inside.flatMap((is, n) => (is ? [[Math.floor(n / width), n % width]] : []));
  const [top, left] = [0, 1].map((axis) => Math.min(...at.map((place) => place[axis])));
  const [high, wide] = [0, 1].map((axis) => Math.max(...at.map((place) => place[axis])) - [top, left][axis] + 1);
  if (wide > rules.wide * high) return "wider than a digit";
  const found = parts(inside, width, ink.length / width);
  if (apart(at, found, width, high, [left, wide], rules)) return "several parts far apart";
  const box = Array.from({length: high * wide}, (_, n) => ink[(top + Math.floor(n / wide)) * width + left + (n % wide)]);
  return holes(box, wide, rules) > rules.holes ? "more loops than a digit has" : "";
}

/** Whether a large part is far from the largest, or the ink is two high parts next to each other. */
function apart(at, {label, sizes}, width, high, [left, wide], rules) {
  if (sizes.length < 3) return false;
  const of = (part) => at.filter(([y, x]) => label[y * width + x] === part);
  const largest = of(sizes.indexOf(Math.max(...sizes)));
  const far = (part) => Math.min(...of(part).flatMap(([y, x]) => largest.map(([v, u]) => Math.hypot(y - v, x - u))));
  const large = sizes.flatMap((size, part) => (part && size >= rules.part * at.length ? [part] : []));
  if (large.some((part) => far(part) >= rules.far * rules.side)) return true;
  const columns = new Set(at.map(([, x]) => x)), gaps = [];
  for (let x = left; x < left + wide; x += 1) if (!columns.has(x)) gaps.push(x);
  return gaps.length > 0 && [(x) => x < gaps[0], (x) => x > gaps.at(-1)].every((beside) => {
    const rows = at.filter(([, x]) => beside(x)).map(([y]) => y);
    return Math.max(...rows) - Math.min(...rows) + 1 >= rules.beside * high;
  });
}

/** The number of holes in a box of ink: parts of paper, with paper around the box, that touch by their sides. */
function holes(box, wide, rules) {
  const across = wide + 2, high = box.length / wide + 2;
  const paper = Array.from({length: across * high}, (_, n) => {
    const [y, x] = [Math.floor(n / across) - 1, (n % across) - 1];
    return y < 0 || x < 0 || x >= wide || y >= high - 2 || box[y * wide + x] <= 255 / 2 ? 1 : 0;
  });
  return parts(paper, across, high, false).sizes.filter((size, part) => part && size >= rules.hole).length - 1;
}

/** Why probabilities are no answer, or nothing. */
export function uncertainty(probabilities, names, rules) {
  const order = probabilities.map((share, k) => [share, k]).sort(([a], [b]) => b - a);
  if (order[0][0] >= rules.low) return "";
  return order[0][0] + order[1][0] >= rules.divided
    ? `divided between ${names[order[0][1]]} and ${names[order[1][1]]}` : "low probability";
}
