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
  const strong = at.filter(([y, x]) => ink[y * width + x] > 255 / 2);
  const split = parts(inside, width, ink.length / width);
  if (apart(at, split, width, rules) || areTwo(strong, 0, rules.below)) return "several parts far apart";
  return holes(ink, width, box, rules) > rules.holes ? "more loops than a digit has" : "";
}

/** Whether a large part is far from the largest, or two high parts are next to each other. */
function apart(at, {label, sizes}, width, rules) {
  if (sizes.length < 3) return false;
  const of = (part) => at.filter(([y, x]) => label[y * width + x] === part);
  const largest = of(sizes.indexOf(Math.max(...sizes)));
  const far = (part) => Math.min(...of(part).flatMap(([y, x]) => largest.map(([v, u]) => Math.hypot(y - v, x - u))));
  const large = sizes.flatMap((size, part) => (part && size >= rules.part * at.length ? [part] : []));
  return large.some((part) => far(part) >= rules.far * rules.side) || areTwo(at, 1, rules.beside);
}

/** Whether gaps between pixels along an axis leave parts at both ends with this share of the height. */
function areTwo(at, axis, share) {
  if (!at.length) return false;
  const inked = new Set(at.map((pixel) => pixel[axis])), first = Math.min(...inked);
  const gaps = Array.from({length: spread([...inked])}, (_, n) => first + n).filter((n) => !inked.has(n));
  const ends = [at.filter((pixel) => pixel[axis] < gaps[0]), at.filter((pixel) => pixel[axis] > gaps.at(-1))];
  const height = (pixels) => spread(pixels.map(([y]) => y));
  return gaps.length > 0 && ends.every((end) => height(end) >= share * height(at));
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
