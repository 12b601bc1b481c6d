// Why an image may not show one digit, as core/inference/doubt.py finds it, in the image that the network gets.

import {boxOf, parts} from "./prepare.js";

const spread = (values) => Math.max(...values) - Math.min(...values) + 1;

/** The reason, or nothing. `ink`: 0 to 255 (height * width); `rules`: the constants of doubt.py, `side` of the box. */
export function doubtOf(ink, width, rules) {
  const inside = Array.from(ink, (value) => value > 255 * rules.edge), box = boxOf(inside, width);
  const at = inside.flatMap((is, n) => (is ? [[Math.floor(n / width), n % width]] : []));
  if (at.length / rules.side ** 2 < rules.hardly) return "hardly any ink";
  if (at.length / rules.side ** 2 > rules.full) return "ink fills its box";
  if (box.width > rules.wide * box.height) return "wider than a digit";
  if (apart(at, parts(inside, width, ink.length / width), width, box, rules)) return "several parts far apart";
  return holes(ink, width, box, rules) > rules.holes ? "more loops than a digit has" : "";
}

/** Whether a large part is far from the largest, or the ink is two high parts next to each other. */
function apart(at, {label, sizes}, width, box, rules) {
  if (sizes.length < 3) return false;
  const of = (part) => at.filter(([y, x]) => label[y * width + x] === part);
  const largest = of(sizes.indexOf(Math.max(...sizes)));
  const far = (part) => Math.min(...of(part).flatMap(([y, x]) => largest.map(([v, u]) => Math.hypot(y - v, x - u))));
  const large = sizes.flatMap((size, part) => (part && size >= rules.part * at.length ? [part] : []));
  if (large.some((part) => far(part) >= rules.far * rules.side)) return true;
  const columns = new Set(at.map(([, x]) => x));
  const gaps = Array.from({length: box.width}, (_, x) => box.left + x).filter((x) => !columns.has(x));
  const sides = [at.filter(([, x]) => x < gaps[0]), at.filter(([, x]) => x > gaps.at(-1))];
  return gaps.length > 0 && sides.every((side) => spread(side.map(([y]) => y)) >= rules.beside * box.height);
}

/** The number of holes in a box of ink: parts of paper, with paper around the box, that touch by their sides. */
function holes(ink, width, box, rules) {
  const [across, high] = [box.width + 2, box.height + 2];
  const paper = Array.from({length: across * high}, (_, n) => {
    const [y, x] = [Math.floor(n / across) - 1, (n % across) - 1];
    const outside = y < 0 || x < 0 || x >= box.width || y >= box.height;
    return outside || ink[(box.top + y) * width + box.left + x] <= 255 / 2;
  });
  return parts(paper, across, high, false).sizes.filter((size, part) => part && size >= rules.hole).length - 1;
}

/** Why probabilities are no answer, or nothing. */
export function uncertainty(probabilities, names, rules) {
  const [[most, answer], [next, other]] = probabilities.map((share, k) => [share, k]).sort(([a], [b]) => b - a);
  if (most >= rules.low) return "";
  return most + next >= rules.divided ? `divided between ${names[answer]} and ${names[other]}` : "low probability";
}
