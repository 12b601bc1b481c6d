// Whether an image looks unlike the training images of its answer, as core/inference/typical.py finds it.

/** Weights of the pixels along a side for each place: normal curves around its middle. */
function places(side, count, spread) {
  return Array.from({length: count}, (_, place) => {
    const middle = ((place + 0.5) * side) / count - 0.5;
    const weights = Array.from({length: side}, (__, at) => Math.exp(-0.5 * ((at - middle) / (spread * side)) ** 2));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((each) => each / sum);
  });
}

/** The strength of edges in each direction and place, to a power; their slope is Sobel's. */
function edges(ink, width, height, {places: count, spread, directions, power}) {
  const grey = (x, y) => ink[Math.min(Math.max(y, 0), height - 1) * width + Math.min(Math.max(x, 0), width - 1)] / 255;
  const rows = places(height, count, spread), columns = places(width, count, spread);
  const sums = new Float64Array(directions * count * count);
  const add = (direction, x, y, strength) => rows.forEach((row, v) => columns.forEach((column, u) => {
    sums[((direction % directions) * count + v) * count + u] += strength * row[y] * column[x];
  }));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const slope = (dx, dy) => [-1, 0, 1].reduce((sum, k) => sum + (2 - Math.abs(k))
        * (grey(x + dx + k * dy, y + dy + k * dx) - grey(x - dx + k * dy, y - dy + k * dx)), 0);
      const right = slope(1, 0), low = slope(0, 1), strength = Math.hypot(right, low) / 8;
      const turn = Math.atan2(low, right) / Math.PI, angle = (turn - Math.floor(turn)) * directions;
      const below = Math.floor(angle);
      if (strength) {
        add(below, x, y, strength * (1 - angle + below));
        add(below + 1, x, y, strength * (angle - below));
      }
    }
  }
  return Array.from(sums, (sum) => sum ** power);
}

/** How many strokes a row crosses, then a column. */
function crossed(ink, width, height, {lines, narrow}) {
  const inside = (x, y) => x >= 0 && y >= 0 && ink[y * width + x] > 255 / 2;
  const [byRow, byColumn] = [new Array(height).fill(0), new Array(width).fill(0)];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      byRow[y] += inside(x, y) && !inside(x - 1, y);
      byColumn[x] += inside(x, y) && !inside(x, y - 1);
    }
  }
  return [byRow, byColumn].flatMap((counts) => places(counts.length, lines, narrow)
    .map((weights) => weights.reduce((sum, weight, at) => sum + weight * counts[at], 0)));
}

/** Parts of the strong ink less its loops, from squares of 2 x 2 pixels with one, three or two opposite of ink. */
function partsWithoutLoops(ink, width, height, {strong, loops}) {
  const inside = (x, y) => Number(x >= 0 && x < width && y >= 0 && y < height && ink[y * width + x] > 255 * strong);
  let sum = 0;
  for (let y = 0; y <= height; y += 1) {
    for (let x = 0; x <= width; x += 1) {
      const [a, b, c, d] = [inside(x - 1, y - 1), inside(x, y - 1), inside(x - 1, y), inside(x, y)];
      sum += [0, 1, a === d ? -2 : 0, -1, 0][a + b + c + d];
    }
  }
  return Math.min(Math.max(sum / 4, -loops), loops);
}

/** Whether ink, 0 to 255 (height * width), looks unlike the class with this number; `typical` has flat arrays. */
export function unlike(ink, width, answer, {weights, means, axes, scales, rare, limit, rules}) {
  const height = ink.length / width, size = weights.length;
  const away = [...edges(ink, width, height, rules), ...crossed(ink, width, height, rules)]
    .map((value, at) => value * weights[at] - means[answer * size + at]);
  const squared = (sum, value) => sum + value * value, count = axes.length / means.length;
  const along = Array.from({length: count}, (_, axis) =>
    scales[answer * count + axis] * away.reduce((sum, value, at) =>
      sum + value * axes[(answer * count + axis) * size + at], 0));
  const parts = partsWithoutLoops(ink, width, height, rules);
  const penalty = rare[answer * (2 * rules.loops + 1) + parts + rules.loops];
  return away.reduce(squared, 0) - along.reduce(squared, 0) + penalty > limit[0];
}
