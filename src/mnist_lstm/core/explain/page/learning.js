// Chapters 5 and 6: the same image read anew, by the network as it was, with gates held, or by another run's network.

import {first, read, sequenceOf} from "./network.js";
import {decision, showAnswers} from "./reader.js";
import {about, change, inBackground, letters, net, networkOf} from "./store.js";
import {reading, run, state, tested, whenChanged} from "./store.js";
import {all, byId, chart, percent, say} from "./view.js";

/**
 * Shows in `id` how a network with gates held reads the image, and counts the test images that it names rightly, once
 * that comes into view and between other work. `keys`: of the state, on which `network()` and `hold()` depend.
 */
function readAnew(id, keys, network, hold = () => ({})) {
  const counts = new Map(), [bar, says] = all("i, .says", byId(`${id}-count`));
  whenChanged(`image ${keys}`, () => {
    const reader = network(), held = hold(), asUsual = reader === net && !Object.keys(held).length;
    const found = asUsual ? reading : read(reader, sequenceOf(state.image, reader.order), held);
    showAnswers(id, found);
    say({[`${id}-says`]: `${decision(found)} It is ${percent(Math.max(...found.probabilities.at(-1)))} sure.`});
  });
  if (!tested.length) return;
  const show = (right, of) => {
    bar.style.width = `${(100 * right) / tested.length}%`;
    says.textContent = of < tested.length ? `${right} right of ${of} …`
      : `${right} of these ${of} test images are right (${percent(right / of)}).`;
  };
  const count = inBackground(says, async (each) => {
    const reader = network(), held = hold(), key = keys.split(" ").map((part) => state[part]).join();
    let right = 0;
    const visit = (image, n) => {
      const {probabilities} = read(reader, sequenceOf(image, reader.order), held, true);
      right += first(probabilities[0]) === run.images.labels[n];
      show(right, n + 1);
    };
    if (!counts.has(key) && await each(tested, visit)) counts.set(key, right);
    if (counts.has(key)) show(counts.get(key), tested.length);
  });
  whenChanged(keys, () => {
    says.textContent = "counting right answers …";
    count();
  });
}

const young = new Map(); // networks by the position of their snapshot
const updateAt = (position) => run.snapshots[position]?.update ?? about.updates;

function networkAt(position) {
  if (position >= run.snapshots.length) return net;
  if (!young.has(position)) young.set(position, networkOf(run.network, run.snapshots[position].weights, true));
  return young.get(position);
}

/** Chapter 5: the curves, and the network as it was at a few updates of its training. */
export function startLearning() {
  const {history, snapshots} = run, last = history.iteration.at(-1) ?? 1, x = [0, last];
  const curve = (name, kind) => {
    const points = history.iteration.map((update, k) => [update, history[name][k]]);
    return {kind, points: points.filter(([, y]) => y !== null)};
  };
  const losses = [curve("train_loss", "soft"), curve("valid_loss", "blue")];
  const accuracies = [curve("train_accuracy", "soft"), curve("valid_accuracy", "blue")];
  const highest = Math.max(0.1, ...losses[0].points.map(([, loss]) => loss));
  const updates = Array.from({length: snapshots.length + 1}, (_, position) => updateAt(position));
  const nearest = (to) => updates.reduce((a, b, k) => (Math.abs(b - to) < Math.abs(updates[a] - to) ? k : a), 0);
  readAnew("young", "snapshot", () => networkAt(state.snapshot));
  whenChanged("snapshot", () => {
    const update = updateAt(state.snapshot), more = {x, mark: update, use: (to) => change({snapshot: nearest(to)})};
    const title = `After ${update.toLocaleString("en")} of ${about.updates.toLocaleString("en")} updates`;
    byId("snapshot").setAttribute("aria-valuetext", title);
    say({"snapshot-title": title});
    chart("loss", {...more, y: [0, highest], label: (loss) => loss.toFixed(1), lines: losses});
    chart("train-accuracy", {...more, y: [0, 1], label: (share) => `${100 * share} %`, lines: accuracies});
  });
}

/** Chapter 6: gates that are held at every step, and the network of another run. */
export function startHolding() {
  const keys = [...letters].map((letter) => `hold_${letter}`), isHeld = (key) => [0, 1].includes(state[key]);
  const held = () => Object.fromEntries(keys.filter(isHeld).map((key) => [key.at(-1), state[key]]));
  if (byId("held")) readAnew("held", keys.join(" "), () => net, held);
  const other = run.other && networkOf(run.other);
  if (other) readAnew("other", "other", () => other);
}
