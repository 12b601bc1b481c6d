// Elements, colours, heat maps and line charts.

export const byId = (id) => document.getElementById(id);

/** An element with attributes, listeners (`onclick`) and children. */
export function make(tag, attributes = {}, ...children) {
  const made = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export const reduced = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A number as people write it, with a true minus. */
export const number = (x, digits = 2) => x.toFixed(digits).replace(/^-(0[.0]*)$/, "$1").replace("-", "−");

export function percent(share) {
  if (share >= 0.9995) return "> 99.9 %";
  return share < 0.0005 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`;
}

let palette = {};

/** Reads the colours of the style sheet anew, as light and dark differ. */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["paper", "tint", "ink", "blue", "orange"]) {
    const hex = style.getPropertyValue(`--${name}`).trim();
    palette[name] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  }
}

const between = (from, to, share) => from.map((level, c) => level + (to[c] - level) * Math.min(1, Math.max(0, share)));

/** From a value to a colour: ink on paper, a share of blue, or a sign: orange below zero, blue above. */
export const ramps = {
  ink: (value) => between(palette.paper, palette.ink, value),
  share: (value) => between(palette.paper, palette.blue, value),
  signed: (value) => between(palette.paper, value < 0 ? palette.orange : palette.blue, Math.abs(value)),
};

/** Draws a heat map, one pixel of the canvas for each value; the style sheet enlarges it. */
export function heat(canvas, rows, columns, value, ramp) {
  [canvas.width, canvas.height] = [columns, rows];
  const surface = canvas.getContext("2d"), pixels = surface.createImageData(columns, rows);
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1, at += 4) {
      const [red, green, blue] = ramp(value(row, column));
      pixels.data[at] = red; pixels.data[at + 1] = green; pixels.data[at + 2] = blue; pixels.data[at + 3] = 255;
    }
  }
  surface.putImageData(pixels, 0, 0);
}

/** Places an element over a canvas, by rows and columns of it. */
export function cover(element, {rows, columns}, row, column, height = 1, width = columns) {
  const at = {top: row / rows, left: column / columns, height: height / rows, width: width / columns};
  for (const [side, share] of Object.entries(at)) element.style[side] = `${100 * share}%`;
}

/** The row and column of a canvas below a pointer. */
export function pointed(event, canvas) {
  const box = canvas.getBoundingClientRect();
  const at = (place, size, count) => Math.min(count - 1, Math.max(0, Math.floor((place / size) * count)));
  return [at(event.clientY - box.top, box.height, canvas.height), at(event.clientX - box.left, box.width, canvas.width)];
}

/** Calls `use(row, column)` where a pointer presses and moves on a canvas. */
export function onPoint(canvas, use) {
  const point = (event) => use(...pointed(event, canvas));
  canvas.addEventListener("pointerdown", point);
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) point(event); });
}

const [WIDE, HIGH, LEFT, BELOW] = [520, 200, 44, 36]; // of a chart, in its own units

/**
 * A line chart, new in `parent`. `series`: {points: [[x, y]], colour, name, soft}; `x`, `y`: {range, title, ticks,
 * log}; `mark`: an x with a line through it; `use(x)`: called where one points.
 */
export function chart(parent, {series, x, y, mark, use}) {
  const inner = [WIDE - LEFT - 8, HIGH - BELOW - 8], scaled = (axis, value) => {
    const [low, high] = axis.range.map((end) => (axis.log ? Math.log(end) : end));
    return ((axis.log ? Math.log(Math.max(value, axis.range[0])) : value) - low) / (high - low || 1);
  };
  const across = (value) => LEFT + inner[0] * scaled(x, value), up = (value) => 8 + inner[1] * (1 - scaled(y, value));
  const text = (at, down, words, anchor) => make("svg:text", {x: at, y: down, "text-anchor": anchor}, words);
  const drawn = make("svg:svg", {viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": `${y.title} by ${x.title}`});
  for (const value of y.ticks) {
    drawn.append(make("svg:line", {x1: LEFT, x2: WIDE - 8, y1: up(value), y2: up(value), class: "grid"}),
      text(LEFT - 6, up(value) + 4, y.label ? y.label(value) : value, "end"));
  }
  for (const value of x.ticks) drawn.append(text(across(value), HIGH - 9, value, "middle"));
  if (mark !== undefined) drawn.append(make("svg:line", {x1: across(mark), x2: across(mark), y1: 8, y2: HIGH - BELOW, class: "mark"}));
  for (const {points, colour, soft, dots} of series) {
    const path = points.map(([a, b], k) => `${k ? "L" : "M"}${across(a).toFixed(1)} ${up(b).toFixed(1)}`).join("");
    drawn.append(make("svg:path", {d: path, style: `stroke:var(--${colour})`, class: soft ? "line soft" : "line"}));
    for (const [a, b] of dots ? points : []) {
      drawn.append(make("svg:circle", {cx: across(a), cy: up(b), r: 4, style: `fill:var(--${colour})`}));
    }
  }
  if (use) {
    drawn.classList.add("usable");
    const point = ({clientX}) => {
      const box = drawn.getBoundingClientRect(), share = (((clientX - box.left) / box.width) * WIDE - LEFT) / inner[0];
      use(x.range[0] + Math.min(1, Math.max(0, share)) * (x.range[1] - x.range[0]));
    };
    drawn.addEventListener("pointerdown", point);
    drawn.addEventListener("pointermove", (event) => { if (event.buttons) point(event); });
  }
  const keys = series.filter(({name}) => name).map(({name, colour}) =>
    make("span", {class: "key"}, make("i", {style: `background:var(--${colour})`}), name));
  parent.replaceChildren(make("p", {class: "axis"}, y.title, ...keys), drawn, make("p", {class: "axis end"}, x.title));
}
