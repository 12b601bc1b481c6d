// The pad to draw on, by mouse, finger or keys, and what the page says of the image that the network gets.

import {doubtOf, uncertainty} from "./doubt.js";
import {first} from "./network.js";
import {prepared, strokes} from "./prepare.js";
import {about, answerAt, change, images, nameOf, net, play, run, state, typical, whenChanged} from "./store.js";
import {unlike} from "./typical.js";
import {byId, onPoint, say} from "./view.js";

const SIDE = 280, PEN = 22; // pixels of the pad
const MARGIN = 6; // white at the border, which is the paper

/** The grey values of the pad. */
function drawing(surface) {
  const {data} = surface.getImageData(0, 0, SIDE, SIDE);
  return {width: SIDE, height: SIDE, data: Uint8Array.from({length: SIDE * SIDE}, (_, at) => data[4 * at])};
}

export function startPad() {
  const pad = byId("pad"), surface = pad.getContext("2d", {willReadFrequently: true});
  let last = null;
  const clear = () => {
    [pad.width, pad.height] = [SIDE, SIDE];
    surface.fillStyle = "#fff";
    surface.fillRect(0, 0, SIDE, SIDE);
    surface.rect(MARGIN, MARGIN, SIDE - 2 * MARGIN, SIDE - 2 * MARGIN);
    surface.clip();
    Object.assign(surface, {lineWidth: PEN, lineCap: "round"});
    byId("pad-hint").hidden = false;
  };
  const stroke = (x, y, pressed) => {
    const from = pressed ? [x, y] : last;
    last = [x, y];
    surface.beginPath();
    surface.moveTo(...from);
    surface.lineTo(x + 0.01, y); // a line of no length would draw no dot
    surface.stroke();
    byId("pad-hint").hidden = true;
  };
  const show = () => {
    const drawn = strokes(drawing(surface), run.rules);
    if (!drawn) return;
    const image = prepared(drawn, run.frame);
    change({image: run.frame.paper ? image.map((value) => 255 - value) : image, picked: -1, original: null});
    play();
  };
  clear();
  onPoint(pad, stroke, {stride: 8, pen: byId("pen"), lifted: show});
  byId("clear").addEventListener("click", () => {
    clear();
    if (state.picked < 0) change({image: images[0], picked: 0, original: null});
  });
  whenChanged("image", () => {
    const {rules} = run, ink = run.frame.paper ? state.image.map((value) => 255 - value) : state.image;
    const shape = state.picked < 0 && rules.shapes ? doubtOf(ink, about.width, rules) : "";
    const shares = answerAt(net.steps), unsure = uncertainty(shares, about.names, rules) || (
      state.picked < 0 && typical && unlike(ink, about.width, first(shares), typical)
        ? `unlike the training images of ${nameOf(shares)}` : "");
    byId("doubt").hidden = !shape && !unsure;
    say({doubt: shape ? `This does not look like one digit: ${shape}.` : `The answer is in doubt: ${unsure}.`});
  });
}
