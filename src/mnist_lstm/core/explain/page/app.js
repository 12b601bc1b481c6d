// Starts the chapters, and shows in the bar which one is read.

import {startInside} from "./inside.js";
import {startHolding, startLearning} from "./learning.js";
import {startPad} from "./pad.js";
import {startAnswer, startSequence, startStage, startUnrolled} from "./reader.js";
import {start} from "./store.js";
import {startInfluence, startPixels} from "./trials.js";
import {startUnits} from "./units.js";
import {all} from "./view.js";

for (const chapter of [startStage, startPad, startSequence, startUnrolled, startInside, startAnswer, startLearning,
  startHolding, startPixels, startInfluence, startUnits]) chapter();
start();

const links = all("#chapters a");
const watcher = new IntersectionObserver((seen) => {
  for (const {target} of seen.filter(({isIntersecting}) => isIntersecting)) {
    for (const link of links) link.setAttribute("aria-current", link.hash === `#${target.id}`);
  }
}, {rootMargin: "-45% 0px -50% 0px"});
for (const link of links) watcher.observe(document.querySelector(link.hash));
document.documentElement.dataset.ready = "";
