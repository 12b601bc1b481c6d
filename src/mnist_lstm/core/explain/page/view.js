// Elements, colours, heat maps, line charts, and pointing at them by mouse, finger or keys.

export const byId = (id) => document.getElementById(id);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

/** Sets the text of elements by their id. */
export const say = (texts) => Object.entries(texts).forEach(([id, text]) => { byId(id).textContent = text; });

export const reduced = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A number as people write it, with a true minus. */
export const number = (x, digits = 2) => x.toFixed(digits).replace(/^-(0[.0]*)$/, "$1").replace("-", "−");

export function percent(share) {
  if (share >= 0.9995) return "> 99.9\u00a0%";
  return share < 0.0005 ? "< 0.1\u00a0%" : `${(100 * share).toFixed(1)}\u00a0%`;
}

/** Calls `start` when an element comes into view for the first time. */
export function whenSeen(element, start) {
  new IntersectionObserver((seen, watcher) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    start();
  }, {rootMargin: "200px"}).observe(element);
}

const palette = {};

/** Reads the colours of the style sheet anew, as light and dark differ. */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["paper", "ink", "blue", "orange"]) {
    const hex = style.getPropertyValue(`--${name}`).trim();
    palette[name] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  }
}

function blend(name, share) {
  const {paper} = palette, colour = palette[name], part = Math.min(1, Math.max(0, share));
  return [0, 1, 2].map((c) => paper[c] + (colour[c] - paper[c]) * part);
}

/** From a value to a colour: ink on paper, a share of blue, or a sign: orange below zero, blue above. */
export const ramps = {
  ink: (value) => blend("ink", value),
  share: (value) => blend("blue", value),
  signed: (value) => blend(value < 0 ? "orange" : "blue", Math.abs(value)),
};

/** Draws a heat map, one pixel of the canvas for each value; the style sheet enlarges it. */
export function heat(canvas, rows, columns, value, ramp) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const surface = canvas.getContext("2d"), pixels = surface.createImageData(columns, rows);
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      for (const level of ramp(value(row, column))) pixels.data[at++] = level;
      pixels.data[at++] = 255;
    }
  }
  surface.putImageData(pixels, 0, 0);
}

/** Places an element over the cells of a grid. */
export function cover(element, [rows, columns], row, column = 0, height = 1, width = columns) {
  const at = {top: row / rows, left: column / columns, height: height / rows, width: width / columns};
  for (const [side, share] of Object.entries(at)) element.style[side] = `${100 * share}%`;
}

const ARROWS = {ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0]};

/**
 * Calls `use(x, y, pressed)` where one points at a canvas, in its pixels: `pressed` at first, not while moving on.
 * Arrow keys move from `from()` by `stride`. With a `pen`, which shows the place, they press only while Space is down.
 */
export function onPoint(canvas, use, {from, stride = 1, pen = null, lifted = () => {}}) {
  let down = false, [x, y] = [0, 0];
  const go = (toX, toY, pressed) => {
    [x, y] = [Math.min(canvas.width - 1, Math.max(0, toX)), Math.min(canvas.height - 1, Math.max(0, toY))];
    if (pen) cover(pen, [canvas.height, canvas.width], y, x, stride, stride);
    if (down || !pen) use(x, y, pressed);
  };
  const lift = () => {
    if (down) lifted();
    down = false;
  };
  const point = (pressed) => (event) => {
    if (event.button > 0 || !(pressed || down)) return;
    if (pen) pen.hidden = true;
    if (pressed) canvas.setPointerCapture(event.pointerId);
    down = true;
    const {left, top, width, height} = canvas.getBoundingClientRect();
    go(((event.clientX - left) / width) * canvas.width, ((event.clientY - top) / height) * canvas.height, pressed);
  };
  const listeners = {
    pointerdown: point(true), pointermove: point(false), pointerup: lift, pointercancel: lift, blur: lift,
    keyup: ({key}) => { if (key === " ") lift(); },
    keydown(event) {
      const move = ARROWS[event.key], space = pen && event.key === " ";
      if (!move && !space) return;
      event.preventDefault();
      if (event.repeat && space) return;
      if (pen) pen.hidden = false;
      else [x, y] = from();
      down ||= space;
      go(x + (move?.[0] ?? 0) * stride, y + (move?.[1] ?? 0) * stride, !move);
    },
  };
  for (const [name, listener] of Object.entries(listeners)) canvas.addEventListener(name, listener);
  if (pen) [x, y] = [Math.floor(canvas.width / 2), Math.floor(canvas.height / 2)];
}

const [LEFT, ABOVE, BELOW] = [48, 10, 24]; // pixels around a chart
let sizes = {}; // of charts by id, as asking for them costs a layout of the page
addEventListener("resize", () => { sizes = {}; });

/**
 * Draws a line chart in an svg, in its own pixels. `x`, `y`: [lowest, highest]; `lines`: {points: [[x, y]], kind}, its
 * class; `ticks`: of y; `label`: their text; `mark`: an x with a line through it; `use(x)`: called where one points.
 */
export function chart(id, {x, y, lines, ticks = [y[0], (y[0] + y[1]) / 2, y[1]], label = (value) => value, mark, use}) {
  const drawn = byId(id), [wide, high] = sizes[id] ??= [drawn.clientWidth || 520, drawn.clientHeight || 190];
  const across = (value) => LEFT + (wide - LEFT - 10) * ((value - x[0]) / (x[1] - x[0] || 1));
  const up = (value) => ABOVE + (high - ABOVE - BELOW) * (1 - (value - y[0]) / (y[1] - y[0] || 1));
  const text = (at, down, words, anchor) => `<text x="${at}" y="${down}" text-anchor="${anchor}">${words}</text>`;
  const path = (points) => points.map(([a, b]) => `${across(a).toFixed(1)} ${up(b).toFixed(1)}`).join("L");
  drawn.innerHTML = [
    ...ticks.map((value) => `<path d="M${LEFT} ${up(value)}H${wide - 10}"/>`),
    ...ticks.map((value) => text(LEFT - 8, up(value) + 4, label(value), "end")),
    ...[x[0], Math.round((x[0] + x[1]) / 2)].map((value) => text(across(value), high - 4, value, "middle")),
    text(wide, high - 4, x[1], "end"), // in the middle under its place, a long number would be cut off
    mark === undefined ? "" : `<path class="mark" d="M${across(mark)} ${ABOVE}V${high - BELOW}"/>`,
    ...lines.map(({points, kind}) => (points.length ? `<path class="line ${kind}" d="M${path(points)}"/>` : "")),
  ].join("");
  if (!use) return;
  drawn.onpointerdown = drawn.onpointermove = ({clientX, type, buttons}) => {
    const share = (clientX - drawn.getBoundingClientRect().left - LEFT) / (wide - LEFT - 10);
    if (type === "pointerdown" || buttons) use(x[0] + Math.min(1, Math.max(0, share)) * (x[1] - x[0]));
  };
}
