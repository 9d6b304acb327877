// SGD, SAM and ASAM in JavaScript, as a harness: a line of JSON in, a line of JSON out.
const map = (f, ...trees) => trees[0].map((t, i) => t.map((_, j) => f(...trees.map((x) => x[i][j]))));
const copy = (tree) => map((x) => x, tree);

function norm(g) { // scaled by a power of two, so that no square over- or underflows
  const top = Math.max(...g.flat().map(Math.abs));
  if (!(top > 0 && top < Infinity)) return top;
  const s = 2 ** -Math.floor(Math.log2(top));
  return Math.sqrt(g.flat().reduce((sum, x) => sum + (s * x) ** 2, 0)) / s;
}

function step({ method, names, hyperparameters: h, state }, w, lr, rho, gradient) {
  const decay = h.weight_decay, lossDecay = h.decay === "in_loss" ? decay : 0;
  const ask = (point) => map((g, x) => g + lossDecay * x, gradient(point), point);
  let d = ask(w); // d1
  if (method !== "sgd") {
    const T = w.map((t, i) => t.map((x) => method === "asam" &&
      (h.scope === "all" || names[i].endsWith("weight")) ? Math.abs(x) + h.eta : 1));
    const length = norm(map((t, g) => t * g, T, d));
    const B = map((x, t, g) => x + (length ? t * t * g * (rho / length) : 0), w, T, d);
    d = ask(B); // d2
  }
  if (h.decay === "coupled") d = map((g, x) => g + decay * x, d, w);
  state.v = state.v ? map((v, g) => h.momentum * v + g, state.v, d) : d;
  const move = h.nesterov ? map((g, v) => g + h.momentum * v, d, state.v) : state.v;
  const kept = h.decay === "decoupled" ? 1 - lr * decay : 1;
  return map((x, m) => kept * x - lr * m, w, move);
}

let opt, w;
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const m = JSON.parse(line), points = [];
  const script = (point) => m.gradients[Math.min(points.push(copy(point)), m.gradients.length) - 1];
  const h = m.hyperparameters ?? opt?.hyperparameters;
  const lacking = m.type === "start" && (!["sgd", "sam", "asam"].includes(m.method) || m.dtype !== "float64" || m.frozen.length || h.p !== 2 || h.granularity);
  if (m.type === "stop") process.exit();
  if (m.type === "start") { opt = { ...m, state: {} }; w = m.params; } else w = step(opt, w, m.lr, m.rho, script);
  console.log(JSON.stringify(lacking ? { unsupported: `${m.method} in ${m.dtype}` } : { points, params: w }));
});
