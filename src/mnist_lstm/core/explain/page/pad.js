// The pad to draw on, by mouse, finger, pen or keys.

import {prepared, strokes} from "./prepare.js";
import {change, images, play, run, state} from "./store.js";
import {byId} from "./view.js";

const SIDE = 280, PEN = 22, STRIDE = 8; // pixels of the pad
const MARGIN = 6; // white at the border, which is the paper
const ARROWS = {ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0]};

/** The grey values of the pad. */
export function drawing(pad) {
  const {data} = pad.getContext("2d").getImageData(0, 0, SIDE, SIDE);
  return {width: SIDE, height: SIDE, data: Uint8Array.from({length: SIDE * SIDE}, (_, at) => data[4 * at])};
}

export function startPad() {
  const pad = byId("pad"), ink = pad.getContext("2d", {willReadFrequently: true}), pen = byId("pen");
  let held = null, keys = null, down = false;
  [pad.width, pad.height] = [SIDE, SIDE];

  function clear() {
    ink.fillStyle = "#fff";
    ink.fillRect(0, 0, SIDE, SIDE);
    byId("pad-hint").hidden = false;
  }

  function stroke(from, to) {
    ink.save();
    ink.beginPath();
    ink.rect(MARGIN, MARGIN, SIDE - 2 * MARGIN, SIDE - 2 * MARGIN);
    ink.clip();
    ink.beginPath();
    Object.assign(ink, {lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#000"});
    ink.moveTo(from.x, from.y);
    ink.lineTo(to.x + 0.01, to.y); // a line of no length would draw no dot
    ink.stroke();
    ink.restore();
    byId("pad-hint").hidden = true;
  }

  function show(ended) {
    const drawn = strokes(drawing(pad), run.rules);
    if (!drawn) return;
    const image = prepared(drawn, run.frame);
    change({image: run.frame.paper ? image.map((value) => 255 - value) : image, picked: -1, original: null});
    if (ended) play();
  }

  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return {x: ((event.clientX - box.left) / box.width) * SIDE, y: ((event.clientY - box.top) / box.height) * SIDE};
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pad.setPointerCapture(event.pointerId);
    held = place(event);
    stroke(held, held);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!held) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const to = place(each);
      stroke(held, to);
      held = to;
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    pad.addEventListener(end, () => {
      if (held) show(true);
      held = null;
    });
  }

  function movePen([x, y]) { // arrows move the pen, and draw while Space is held
    const from = keys ?? {x: SIDE / 2, y: SIDE / 2}, within = (at) => Math.min(Math.max(at, 0), SIDE);
    keys = {x: within(from.x + x * STRIDE), y: within(from.y + y * STRIDE)};
    pen.hidden = false;
    Object.assign(pen.style, {left: `${(100 * keys.x) / SIDE}%`, top: `${(100 * keys.y) / SIDE}%`});
    if (down) stroke(from, keys);
  }
  pad.addEventListener("keydown", (event) => {
    if (event.key in ARROWS) movePen(ARROWS[event.key]);
    else if (event.key === " " && !event.repeat) {
      down = true;
      movePen([0, 0]);
    } else if (event.key !== " ") return;
    event.preventDefault();
  });
  pad.addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    down = false;
    show(true);
  });
  pad.addEventListener("blur", () => {
    down = false;
    pen.hidden = true;
  });
  byId("clear").addEventListener("click", () => {
    clear();
    if (state.picked < 0) change({image: images[0], picked: 0, original: null});
  });
  clear();
}
