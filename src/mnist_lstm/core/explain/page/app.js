// Starts the chapters.

import {startInside} from "./inside.js";
import {startLearning} from "./learning.js";
import {startPad} from "./pad.js";
import {startAnswer, startSequence, startUnrolled} from "./reader.js";
import {change, redraw} from "./store.js";
import {startTrials} from "./trials.js";
import {startUnits} from "./units.js";
import {byId, readColours} from "./view.js";

readColours();
for (const start of [startSequence, startPad, startUnrolled, startInside, startAnswer, startLearning, startTrials, startUnits]) start();
redraw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readColours();
  change({theme: true});
});

// the chapter that is being read, in the bar
const links = [...document.querySelectorAll("#chapters a")];
const watcher = new IntersectionObserver((seen) => {
  for (const {target} of seen.filter(({isIntersecting}) => isIntersecting)) {
    for (const link of links) link.setAttribute("aria-current", link.hash === `#${target.id}`);
  }
}, {rootMargin: "-45% 0px -50% 0px"});
for (const link of links) watcher.observe(document.querySelector(link.hash));
document.documentElement.dataset.ready = "";
