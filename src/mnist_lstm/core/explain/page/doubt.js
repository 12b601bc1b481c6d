// Why a drawing may not be one digit: several pieces far apart, hardly any ink.

import {run} from "./store.js";

/** The reason, or nothing. `drawn`: strokes of a drawing. */
export function doubtOf({width, height, inside, label, sizes, least}, rules = run.rules) {
  const boxes = sizes.map(() => ({left: width, right: -1, top: height, bottom: -1}));
  let ink = 0;
  inside.forEach((is, at) => {
    if (!is) return;
    const box = boxes[label[at]], x = at % width, y = (at - x) / width;
    ink += 1;
    box.left = Math.min(box.left, x); box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y); box.bottom = Math.max(box.bottom, y);
  });
  const pieces = boxes.filter((_, piece) => piece && sizes[piece] >= least);
  const all = pieces.reduce((a, b) => ({left: Math.min(a.left, b.left), right: Math.max(a.right, b.right),
    top: Math.min(a.top, b.top), bottom: Math.max(a.bottom, b.bottom)}));
  const side = Math.max(all.right - all.left, all.bottom - all.top) + 1;
  if (side < rules.smallest * Math.max(width, height)) return "there is hardly any ink";
  const sorted = pieces.toSorted((a, b) => a.left - b.left);
  let reach = sorted[0].right;
  for (const piece of sorted.slice(1)) {
    if (piece.left - reach > rules.apart * side) return "several pieces lie far apart";
    reach = Math.max(reach, piece.right);
  }
  return "";
}
