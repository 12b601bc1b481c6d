// Chapter 5: the same image, read by the network as it was at a few updates of its own training.

import {first, read} from "./network.js";
import {about, change, eachImage, images, net, networkOf, reading, run, sequence, state, whenChanged} from "./store.js";
import {answerTable, decision, showAnswers} from "./reader.js";
import {byId, chart, percent} from "./view.js";

const young = new Map(); // networks by the position of their snapshot

function networkAt(position) {
  const {snapshots} = run;
  if (position >= snapshots.length) return net;
  if (!young.has(position)) young.set(position, networkOf(run.network, snapshots[position].weights, true));
  return young.get(position);
}

const updateAt = (position) => run.snapshots[position]?.update ?? about.updates;

export function startLearning() {
  const {history, snapshots} = run, slider = byId("snapshot"), table = answerTable(byId("young"), "Class probabilities then");
  const points = (name) => history.iteration.map((update, k) => [update, history[name][k]]).filter(([, y]) => y !== null);
  const updates = Array.from({length: snapshots.length + 1}, (_, k) => updateAt(k));
  slider.max = snapshots.length;
  slider.addEventListener("input", () => change({snapshot: Number(slider.value)}));
  byId("snapshots").hidden = !snapshots.length;
  byId("no-snapshots").hidden = snapshots.length > 0;
  const counted = new Map();
  whenChanged((changed) => {
    if (!["image", "snapshot", "theme"].some((key) => key in changed)) return;
    const network = networkAt(state.snapshot), update = updateAt(state.snapshot);
    const then = network === net ? reading : read(network, sequence(state.image));
    showAnswers(table, then);
    slider.value = state.snapshot;
    slider.setAttribute("aria-valuetext", `after ${update} updates`);
    byId("snapshot-title").textContent = `After ${update.toLocaleString("en")} of ${about.updates.toLocaleString("en")} updates`;
    byId("snapshot-says").textContent = `${decision(then)} It is ${percent(Math.max(...then.probabilities.at(-1)))} sure.`;
    const last = history.iteration.at(-1) ?? 1, ticks = [0, Math.round(last / 2), last];
    const use = (x) => change({snapshot: updates.reduce((a, b, k) => (Math.abs(b - x) < Math.abs(updates[a] - x) ? k : a), 0)});
    const x = {range: [0, last], title: "updates", ticks};
    const highest = Math.max(...points("train_loss").map(([, y]) => y), 0.1);
    chart(byId("loss"), {x, mark: update, use, series: [{points: points("train_loss"), colour: "soft", name: "batch", soft: true},
      {points: points("valid_loss"), colour: "blue", name: "validation images", dots: true}],
    y: {range: [0, highest], title: "loss (nats)", ticks: [0, Number((highest / 2).toFixed(1)), Number(highest.toFixed(1))]}});
    chart(byId("train-accuracy"), {x, mark: update, use, series: [{points: points("train_accuracy"), colour: "soft", name: "batch", soft: true},
      {points: points("valid_accuracy"), colour: "blue", name: "validation images", dots: true}],
    y: {range: [0, 1], title: "accuracy", ticks: [0, 0.5, 1], label: (v) => `${100 * v} %`}});
    if ("snapshot" in changed && seen) count(state.snapshot);
  });
  let seen = false; // whether the chapter was on screen: the count takes a second
  new IntersectionObserver((entries, watcher) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    seen = true;
    count(state.snapshot);
  }).observe(byId("snapshot-accuracy"));

  async function count(position) {
    const show = (right, of) => { byId("snapshot-accuracy").textContent = `${right} of these ${of} test images are right`; };
    if (!run.images.labels.length) return;
    if (counted.has(position)) return show(counted.get(position), firstImages());
    byId("snapshot-accuracy").textContent = "counting right answers …";
    await new Promise((done) => setTimeout(done, 250)); // while the slider moves, nothing is counted
    const found = await rightAnswers(networkAt(position), {}, () => state.snapshot === position);
    if (found === null) return;
    counted.set(position, found);
    show(found, firstImages());
  }
}

/** The images that are the test's first ones, without the chosen mistakes. */
export const firstImages = () => run.images.first;

/** How many of those a network names rightly; null where `goesOn()` said no. */
export async function rightAnswers(network, hold, goesOn, progress = () => {}) {
  let right = 0;
  const done = await eachImage((n) => {
    if (n >= firstImages()) return;
    const {probabilities} = read(network, sequence(images[n]), hold, true);
    right += first(probabilities[0]) === run.images.labels[n];
    progress(right, n + 1);
  }, goesOn);
  return done ? right : null;
}
