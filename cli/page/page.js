/* SPDX-License-Identifier: Apache-2.0 */
"use strict";
/* Draws the graph in layers, inputs on top: longest paths give the layers, barycentres the order, isotonic regression the places.
 * Everything that comes from the model enters the page as text, never as markup. */
const model = JSON.parse(document.getElementById("data").textContent);
const graph = model.graph;
const view = document.getElementById("view"), world = document.getElementById("world"), panel = document.getElementById("panel");

/* ---- elements ---- */
const KINDS = [
  ["conv", /conv|matmul|gemm|fully|dense|einsum|lstm|gru|rnn|svdf|attention|embedding/i],
  ["quant", /quant/i],
  ["flow", /^(if|loop|scan|while|call|optional|sequence)/i],
  ["pool", /pool|reduce|mean$|^sum$|argm|topk|softmax/i],
  ["norm", /norm|lrn/i],
  ["act", /relu|sigmoid|tanh|logistic|swish|gelu|elu$|softplus|clip|erf|mish/i],
  ["move", /reshape|transpose|concat|split|slice|gather|scatter|pad|squeeze|expand|flatten|cast|shape|tile|resize|depth|space|unpack|pack|identity|constant|stack|where|resiz/i],
  ["math", /add|sub|mul|div|pow|sqrt|exp|log|neg|abs|max|min|and|or|not|equal|less|greater|sin|cos|floor|ceil|round|sign/i],
];
const kindOf = op => (KINDS.find(k => k[1].test(op)) || ["other"])[0];
const boxes = [];   /* what is drawn: nodes of the file, inputs, outputs */
const maker = new Map();  /* tensor -> box */
const users = new Map();  /* tensor -> boxes */
const shapeOf = t => { const x = graph.tensors[t]; return x ? [x.type, x.shape].filter(Boolean).join(" ") : ""; };

function box(title, kind, sub, data) {
  const b = { id: boxes.length, title, kind, sub, data, ins: [], outs: [], h: 46,
              w: Math.max(90, Math.min(300, Math.max(title.length * 7.6, sub.length * 6.3) + 22)) };
  boxes.push(b);
  return b;
}
graph.inputs.forEach((t, i) => {
  const b = box(model.inputs[i] ? model.inputs[i].name : "input", "port", shapeOf(t), { port: "input", tensor: t });
  maker.set(t, b);
});
/* Constant nodes are shown as what they are: contents of the nodes that read them. */
const drawnNodes = graph.nodes.filter(n => {
  const constant = /^constant$/i.test(n.op) && !n.in.some(t => t >= 0) && !n.blocked;
  if (constant) n.out.forEach(t => { if (t >= 0) graph.tensors[t].constant = true; });
  return !constant;
});
drawnNodes.forEach(n => {
  const first = n.out.find(t => t >= 0);
  const b = box(n.op, kindOf(n.op), first === undefined ? "" : graph.tensors[first].shape, { node: n });
  n.out.forEach(t => { if (t >= 0) maker.set(t, b); });
  b.blocked = !!n.blocked;
  b.reference = n.kernels.some(k => k.row === "reference");
});
drawnNodes.forEach((n, i) => {
  const b = boxes[graph.inputs.length + i];
  n.in.forEach(t => {
    if (t < 0) return;
    if (!users.has(t)) users.set(t, []);
    if (!users.get(t).includes(b)) users.get(t).push(b);
  });
});
graph.outputs.forEach((t, i) => {
  const b = box(model.outputs[i] ? model.outputs[i].name : "output", "port", shapeOf(t), { port: "output", tensor: t });
  if (!users.has(t)) users.set(t, []);
  users.get(t).push(b);
});
/* One bundle for each tensor that a box makes and others read. */
const bundles = [];
maker.forEach((from, tensor) => {
  const to = (users.get(tensor) || []).filter(b => b !== from);
  if (!to.length) return;
  const u = { tensor, from, to };
  bundles.push(u);
  from.outs.push(u);
  to.forEach(b => b.ins.push(u));
});

/* ---- layers ---- */
function layers() {
  const waits = new Map(boxes.map(b => [b, b.ins.length])), ready = boxes.filter(b => !b.ins.length);
  boxes.forEach(b => { b.layer = 0; });
  let done = 0;
  while (ready.length) {
    const b = ready.shift();
    done++;
    b.outs.forEach(u => u.to.forEach(t => {
      t.layer = Math.max(t.layer, b.layer + 1);
      waits.set(t, waits.get(t) - 1);
      if (!waits.get(t)) ready.push(t);
    }));
  }
  if (done < boxes.length) boxes.forEach((b, i) => { if (waits.get(b)) b.layer = i; }); /* a cycle: the file's order */
  /* Boxes that only feed something far below come down to it. */
  boxes.slice().sort((a, b) => b.layer - a.layer).forEach(b => {
    if (!b.outs.length || b.ins.length > 1) return;
    const low = Math.min(...b.outs.flatMap(u => u.to.map(t => t.layer)));
    if (!b.ins.length && low - 1 > b.layer) b.layer = low - 1;
  });
}

/* Rows of boxes and of bends: a bundle has one bend in every layer that it crosses. */
function rowsOf() {
  const rows = [];
  const put = x => { (rows[x.layer] = rows[x.layer] || []).push(x); };
  boxes.forEach(b => { b.up = []; b.down = []; put(b); });
  const link = (a, b) => { a.down.push(b); b.up.push(a); };
  bundles.forEach(u => {
    u.bends = [];
    let last = u.from;
    const far = Math.max(...u.to.map(t => t.layer));
    for (let l = u.from.layer + 1; l < far; l++) {
      const bend = { layer: l, w: 16, h: 0, bend: true, up: [], down: [], bundle: u };
      link(last, bend);
      put(bend);
      u.bends[l] = bend;
      last = bend;
    }
    u.to.forEach(t => {
      if (t.layer <= u.from.layer) return;
      link(t.layer - 1 > u.from.layer ? u.bends[t.layer - 1] : u.from, t);
    });
  });
  for (let i = 0; i < rows.length; i++) rows[i] = rows[i] || [];
  return rows;
}

/* Order in the rows: each by the mean place of its neighbours, downwards and upwards in turn. */
function order(rows) {
  rows.forEach(r => r.forEach((x, i) => { x.at = i; }));
  const mean = list => list.reduce((s, x) => s + x.at, 0) / list.length;
  const sweep = (from, to, step, side) => {
    for (let l = from; l !== to; l += step) {
      rows[l].forEach((x, i) => { x.key = x[side].length ? mean(x[side]) : i; });
      rows[l].sort((a, b) => a.key - b.key);
      rows[l].forEach((x, i) => { x.at = i; });
    }
  };
  for (let k = 0; k < 6; k++) {
    sweep(1, rows.length, 1, "up");
    sweep(rows.length - 2, -1, -1, "down");
  }
  sweep(1, rows.length, 1, "up");
}

/* Places in a row: as near to the wished ones as order and widths allow (isotonic regression of wish minus width so far). */
function settle(row) {
  const GAP = 26, blocks = [];
  let shift = 0;
  row.forEach((x, i) => {
    if (i) shift += (row[i - 1].w + x.w) / 2 + (row[i - 1].bend && x.bend ? 6 : GAP);
    const weight = x.bend ? 0.02 : 1;
    let b = { sum: (x.wish - shift) * weight, weight, items: [[x, shift]] };
    while (blocks.length && blocks[blocks.length - 1].sum / blocks[blocks.length - 1].weight > b.sum / b.weight) {
      const a = blocks.pop();
      b = { sum: a.sum + b.sum, weight: a.weight + b.weight, items: a.items.concat(b.items) };
    }
    blocks.push(b);
  });
  blocks.forEach(b => b.items.forEach(([x, s]) => { x.x = b.sum / b.weight + s; }));
}

function places(rows) {
  rows.forEach(r => {
    let x = 0;
    r.forEach(b => { b.x = x + b.w / 2; x += b.w + 26; });
    r.forEach(b => { b.x -= x / 2; });
  });
  /* Boxes pull much more than bends, so that the main way stays straight and long edges go around it. */
  const mean = list => list.reduce((s, x) => s + x.x * (x.bend ? 0.01 : 1), 0) / list.reduce((s, x) => s + (x.bend ? 0.01 : 1), 0);
  for (let k = 0; k < 14; k++) {
    const down = k % 2 === 0;
    for (let i = 0; i < rows.length; i++) {
      const r = rows[down ? i : rows.length - 1 - i], side = down ? "up" : "down", other = down ? "down" : "up";
      r.forEach(b => { b.wish = b[side].length ? mean(b[side]) : b[other].length ? mean(b[other]) : b.x; });
      settle(r);
    }
  }
  let y = 0;
  rows.forEach(r => {
    const h = Math.max(0, ...r.map(b => b.h)) || 12;
    r.forEach(b => { b.y = y + h / 2; });
    y += h + (h > 12 ? 30 : 6);
  });
}

layers();
const rows = rowsOf();
order(rows);
places(rows);

/* ---- drawing ---- */
const SVG = "http://www.w3.org/2000/svg";
function svg(name, attrs, parent, text) {
  const e = document.createElementNS(SVG, name);
  for (const k in attrs) e.setAttribute(k, attrs[k]);
  if (text !== undefined) e.textContent = text;
  parent.appendChild(e);
  return e;
}
const cut = (s, n) => s.length > n ? s.slice(0, n - 1) + "\u2026" : s;

function route(u, t) {
  const points = [[u.from.x, u.from.y + u.from.h / 2]];
  for (let l = u.from.layer + 1; l < t.layer; l++) points.push([u.bends[l].x, u.bends[l].y]);
  points.push([t.x, t.y - t.h / 2 - 1]);
  let d = `M${points[0][0].toFixed(1)} ${points[0][1].toFixed(1)}`;
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1], [x1, y1] = points[i], m = (y0 + y1) / 2;
    d += Math.abs(x0 - x1) < 0.5 ? `L${x1.toFixed(1)} ${y1.toFixed(1)}`
                                 : `C${x0.toFixed(1)} ${m.toFixed(1)} ${x1.toFixed(1)} ${m.toFixed(1)} ${x1.toFixed(1)} ${y1.toFixed(1)}`;
  }
  return d;
}
const edgeLayer = svg("g", {}, world), nodeLayer = svg("g", {}, world);
bundles.forEach(u => {
  u.paths = u.to.map(t => {
    const p = svg("path", { class: "edge", d: t.layer > u.from.layer ? route(u, t) : "", "marker-end": "url(#arrow)" }, edgeLayer);
    svg("title", {}, p, `${graph.tensors[u.tensor].name}  ${shapeOf(u.tensor)}`);
    return p;
  });
});
boxes.forEach(b => {
  const g = svg("g", { class: "node" + (b.blocked ? " blocked" : "") + (b.reference ? " reference" : ""),
                       transform: `translate(${(b.x - b.w / 2).toFixed(1)} ${(b.y - b.h / 2).toFixed(1)})` }, nodeLayer);
  svg("rect", { class: "box", width: b.w, height: b.h, rx: 6 }, g);
  svg("path", { class: b.kind, d: `M0 6 a6 6 0 0 1 6 -6 h${b.w - 12} a6 6 0 0 1 6 6 v17 h${-b.w} z` }, g);
  svg("text", { class: "op", x: b.w / 2, y: 16, "text-anchor": "middle" }, g, cut(b.title, 40));
  svg("text", { class: "shape", x: b.w / 2, y: 38, "text-anchor": "middle" }, g, cut(b.sub, 46));
  g.addEventListener("click", e => { if (!moved) { pick(b, false); e.stopPropagation(); } });
  b.g = g;
});

/* ---- moving and zooming ---- */
const least = (list, start) => list.reduce((a, b) => Math.min(a, b), start);
const drawn = rows.flat();
const all = { x0: least(drawn.map(b => b.x - b.w / 2), drawn.length ? Infinity : 0) - 30, x1: -least(drawn.map(b => -b.x - b.w / 2), drawn.length ? Infinity : 0) + 30,
              y0: -30, y1: -least(drawn.map(b => -b.y - b.h / 2), 0) + 30 };
let zoom = 1, px = 0, py = 0, moved = false;
function apply() {
  world.setAttribute("transform", `translate(${px} ${py}) scale(${zoom})`);
  view.classList.toggle("far", zoom < 0.45);
  drawMap();
}
function size() { return [view.clientWidth || 800, view.clientHeight || 600]; }
function whole() {
  const [w, h] = size();
  zoom = Math.min(w / (all.x1 - all.x0), h / (all.y1 - all.y0), 1.5);
  px = w / 2 - (all.x0 + all.x1) / 2 * zoom;
  py = h / 2 - (all.y0 + all.y1) / 2 * zoom;
  apply();
}
/* At first: readable, the inputs in sight. */
function start() {
  const [w, h] = size();
  whole();
  if (zoom >= 0.55) return;
  zoom = Math.max(0.55, Math.min(1, w / (all.x1 - all.x0)));
  const top = boxes.reduce((a, b) => b.y < a.y ? b : a, boxes[0]);
  px = w / 2 - top.x * zoom;
  py = h * 0.12 - top.y * zoom;
  apply();
}
function zoomAt(x, y, f) {
  const z = Math.min(4, Math.max(0.02, zoom * f));
  px = x - (x - px) * z / zoom;
  py = y - (y - py) * z / zoom;
  zoom = z;
  apply();
}
function centre(b) {
  const [w, h] = size();
  if (zoom < 0.6) zoom = 0.9;
  px = w / 2 - b.x * zoom;
  py = h / 2 - b.y * zoom;
  apply();
}
view.addEventListener("wheel", e => {
  e.preventDefault();
  const r = view.getBoundingClientRect();
  zoomAt(e.clientX - r.left, e.clientY - r.top, Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015)));
}, { passive: false });
const fingers = new Map();
view.addEventListener("pointerdown", e => { fingers.set(e.pointerId, [e.clientX, e.clientY]); moved = false; view.classList.add("drag"); });
window.addEventListener("pointermove", e => {
  const last = fingers.get(e.pointerId);
  if (!last) return;
  const now = [e.clientX, e.clientY];
  if (fingers.size === 2) {
    const other = [...fingers.entries()].find(([id]) => id !== e.pointerId)[1], r = view.getBoundingClientRect();
    const before = Math.hypot(last[0] - other[0], last[1] - other[1]), after = Math.hypot(now[0] - other[0], now[1] - other[1]);
    if (before > 0) zoomAt((now[0] + other[0]) / 2 - r.left, (now[1] + other[1]) / 2 - r.top, after / before);
  } else {
    px += now[0] - last[0];
    py += now[1] - last[1];
    apply();
  }
  if (Math.abs(now[0] - last[0]) + Math.abs(now[1] - last[1]) > 2) moved = true;
  fingers.set(e.pointerId, now);
});
for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, e => { fingers.delete(e.pointerId); view.classList.remove("drag"); });
view.addEventListener("click", () => { if (!moved) pick(null, false); });
document.getElementById("closer").onclick = () => zoomAt(size()[0] / 2, size()[1] / 2, 1.4);
document.getElementById("farther").onclick = () => zoomAt(size()[0] / 2, size()[1] / 2, 1 / 1.4);
document.getElementById("whole").onclick = whole;

/* ---- overview ---- */
const map = document.getElementById("map"), pen = map.getContext("2d");
const colors = {};
function scaleMap() {
  const most = Math.max(120, Math.min(420, size()[1] - 90)), k = Math.min(140 / (all.x1 - all.x0), most / (all.y1 - all.y0));
  return { k, w: 140, h: Math.max(40, Math.ceil((all.y1 - all.y0) * k)), dx: (140 - (all.x1 - all.x0) * k) / 2 };
}
function drawMap() {
  const s = scaleMap(), ratio = window.devicePixelRatio || 1;
  if (map.height !== Math.round(s.h * ratio) || map.width !== Math.round(s.w * ratio)) {
    map.width = Math.round(s.w * ratio);
    map.height = Math.round(s.h * ratio);
    map.style.height = s.h + "px";
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, s.w, s.h);
  const style = getComputedStyle(document.documentElement);
  boxes.forEach(b => {
    pen.fillStyle = colors[b.kind] = colors[b.kind] || style.getPropertyValue("--" + b.kind).trim();
    if (b === picked || b.found) pen.fillStyle = style.getPropertyValue(b === picked ? "--pick" : "--found").trim();
    pen.fillRect(s.dx + (b.x - b.w / 2 - all.x0) * s.k, (b.y - b.h / 2 - all.y0) * s.k, Math.max(1.5, b.w * s.k), Math.max(1, b.h * s.k));
  });
  const [w, h] = size();
  pen.strokeStyle = style.getPropertyValue("--pick").trim();
  pen.strokeRect(s.dx + (-px / zoom - all.x0) * s.k, (-py / zoom - all.y0) * s.k, w / zoom * s.k, h / zoom * s.k);
}
function jump(e) {
  const r = map.getBoundingClientRect(), s = scaleMap(), [w, h] = size();
  px = w / 2 - ((e.clientX - r.left - s.dx) / s.k + all.x0) * zoom;
  py = h / 2 - ((e.clientY - r.top) / s.k + all.y0) * zoom;
  apply();
}
map.addEventListener("pointerdown", e => { map.setPointerCapture(e.pointerId); jump(e); });
map.addEventListener("pointermove", e => { if (e.buttons) jump(e); });

/* ---- details ---- */
function el(name, cls, text, parent) {
  const e = document.createElement(name);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  if (parent) parent.appendChild(e);
  return e;
}
const num = n => n.toLocaleString("en-US");
const bytes = n => n < 1000 ? n + " B" : n < 1e6 ? (n / 1e3).toPrecision(3) + " kB" : n < 1e9 ? (n / 1e6).toPrecision(3) + " MB" : (n / 1e9).toPrecision(3) + " GB";
function row(table, ...cells) {
  const tr = el("tr", "", undefined, table);
  cells.forEach(c => { const td = el("td", typeof c === "string" && /^[\d,.]+( [kMG]?B)?$/.test(c) ? "n" : "", undefined, tr); td.append(c); });
}
function goTo(b, text) {
  const a = el("a", "go", text);
  a.onclick = () => pick(b, true);
  return a;
}
function tensorLine(t, parent) {
  const x = graph.tensors[t], p = el("p", "tensor", undefined, parent);
  el("span", "mono", x.name, p);
  el("br", "", undefined, p);
  el("span", "soft", [shapeOf(t), x.quant, x.constant ? "constant" : ""].filter(Boolean).join(", "), p);
  const from = maker.get(t), to = users.get(t) || [];
  const links = [];
  if (from && from !== picked) links.push(["from ", from]);
  to.forEach(b => { if (b !== picked) links.push(["to ", b]); });
  links.slice(0, 8).forEach(([word, b]) => {
    p.append(" ");
    el("span", "soft", word, p);
    p.append(goTo(b, b.data.node ? `${b.title} ${b.data.node.name}` : b.title));
  });
}
function showModel() {
  el("h2", "", model.model.split("/").pop(), panel);
  el("p", "soft", [model.format, bytes(model.file_bytes), `${num(model.nodes)} nodes`].join(", "), panel);
  if (!model.runs) {
    el("h3", "bad", model.open_sizes ? "no plan with open sizes as 1: give --shape" : "cannot run here", panel);
    if (!model.cannot_run.length && model.error) el("p", "", model.error, panel);
    const groups = new Map();
    model.cannot_run.forEach(c => {
      const key = `${c.operator}: ${c.reason}`;
      groups.set(key, (groups.get(key) || []).concat(c.node));
    });
    groups.forEach((names, key) => {
      const d = el("details", "", undefined, panel);
      d.open = names.length <= 4;
      el("summary", "", names.length > 1 ? `${key} (${num(names.length)} nodes)` : key, d);
      names.forEach(name => {
        const p = el("p", "", undefined, d), b = boxes.find(x => x.data.node && x.data.node.name === name);
        p.append(b ? goTo(b, name) : name);
      });
    });
  }
  for (const what of ["inputs", "outputs"]) {
    el("h3", "", what, panel);
    graph[what].forEach((t, i) => {
      const p = el("p", "tensor", undefined, panel), x = model[what][i] || {};
      const b = boxes.find(y => y.data.port === what.slice(0, -1) && y.data.tensor === t);
      p.append(b ? goTo(b, x.name || "?") : x.name || "?");
      el("br", "", undefined, p);
      el("span", "soft", `${x.dtype} ${x.shape ? "[" + x.shape.map(d => d === null ? "?" : d).join(", ") + "]" : ""}`, p);
    });
  }
  if (model.memory) {
    el("h3", "", "cost", panel);
    const t = el("table", "", undefined, panel), m = model.memory;
    row(t, "multiply-adds", num(model.macs));
    row(t, "parameters", num(model.parameters));
    row(t, "packed weights", bytes(m.weights_bytes));
    if (m.mapped_bytes) row(t, "weights in the file", bytes(m.mapped_bytes));
    row(t, "arena", bytes(m.arena_bytes));
    row(t, "predicted peak", bytes(m.peak_bytes));
    row(t, "steps", num(model.steps));
    el("p", "soft", `${model.threads} thread${model.threads > 1 ? "s" : ""}, ${model.cpu}`, panel);
  }
  el("h3", "", "operators", panel);
  const t = el("table", "", undefined, panel);
  model.operators.forEach(o => {
    const a = el("a", "go", o.operator);
    a.onclick = () => { search.value = o.operator; find(true); };
    row(t, num(o.nodes), a, o.reference ? "reference code" : o.macs ? num(o.macs) + " MACs" : "");
  });
  el("p", "soft", "Drag moves, the wheel zooms, a click on a node shows what it is. Keys: / + - 0, Escape.", panel).style.marginTop = "18px";
}
function showNode(b) {
  const n = b.data.node;
  el("h2", "", n.op, panel);
  el("p", "soft", n.name, panel);
  if (n.blocked) {
    el("h3", "bad", "cannot run here", panel);
    el("p", "", n.blocked, panel);
  }
  if (n.attrs) {
    el("h3", "", "attributes", panel);
    const t = el("table", "", undefined, panel);
    (n.attrs.match(/\w+ (\[[^\]]*\]|[^,]+)/g) || []).forEach(a => row(t, a.slice(0, a.indexOf(" ")), " " + a.slice(a.indexOf(" ") + 1)));
  }
  el("h3", "", "inputs", panel);
  n.in.forEach(t => { if (t >= 0) tensorLine(t, panel); });
  el("h3", "", "outputs", panel);
  n.out.forEach(t => { if (t >= 0) tensorLine(t, panel); });
  if (!model.runs) return;
  el("h3", "", "runs as", panel);
  if (!n.kernels.length) el("p", "", "nothing: folded away, or a view of other memory", panel);
  n.kernels.forEach(k => {
    const p = el("p", "", undefined, panel);
    el("span", "mono", k.row, p);
    el("br", "", undefined, p);
    el("span", "soft", [`step ${k.step}`, k.ops !== n.op ? k.ops : "", k.macs ? num(k.macs) + " MACs" : "", k.why].filter(Boolean).join(", "), p);
  });
}
let picked = null;
function pick(b, move) {
  if (picked) picked.g.classList.remove("pick");
  document.querySelectorAll(".edge.hot").forEach(e => e.classList.remove("hot"));
  picked = b;
  panel.replaceChildren();
  panel.scrollTop = 0;
  if (!b) {
    showModel();
  } else {
    b.g.classList.add("pick");
    b.outs.forEach(u => u.paths.forEach(p => p.classList.add("hot")));
    b.ins.forEach(u => u.to.forEach((t, i) => { if (t === b) u.paths[i].classList.add("hot"); }));
    if (b.data.node) {
      showNode(b);
    } else {
      el("h2", "", b.title, panel);
      el("p", "soft", `${b.data.port} of the model`, panel);
      tensorLine(b.data.tensor, panel);
    }
  }
  if (b && move) centre(b);
  drawMap();
}

/* ---- finding ---- */
const search = document.getElementById("search"), hits = document.getElementById("hits");
let found = [], foundAt = -1;
function texts(b) {
  const n = b.data.node;
  return n ? [n.op, n.name, ...n.in.concat(n.out).filter(t => t >= 0).map(t => graph.tensors[t].name), ...n.kernels.map(k => k.row)] : [b.title];
}
function find(go) {
  const q = search.value.trim().toLowerCase();
  const rank = b => texts(b).findIndex(t => t.toLowerCase().includes(q)); /* operator, name, then tensors and kernels */
  found = q ? boxes.map(b => [Math.min(rank(b), 2), b]).filter(x => x[0] >= 0).sort((x, y) => x[0] - y[0]).map(x => x[1]) : [];
  boxes.forEach(b => { b.found = false; b.g.classList.remove("found"); });
  found.forEach(b => { b.found = true; b.g.classList.add("found"); });
  foundAt = -1;
  hits.textContent = q ? `${found.length} found` : "";
  if (go) next(1);
  drawMap();
}
function next(step) {
  if (!found.length) return;
  foundAt = (foundAt + step + found.length) % found.length;
  hits.textContent = `${foundAt + 1} of ${found.length}`;
  pick(found[foundAt], true);
}
search.addEventListener("input", () => find(false));
search.addEventListener("keydown", e => {
  if (e.key === "Enter") { e.preventDefault(); next(e.shiftKey ? -1 : 1); }
  if (e.key === "Escape") { search.value = ""; find(false); search.blur(); }
});
window.addEventListener("keydown", e => {
  if (e.target === search || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "/") { e.preventDefault(); search.focus(); search.select(); }
  if (e.key === "+" || e.key === "=") zoomAt(size()[0] / 2, size()[1] / 2, 1.4);
  if (e.key === "-") zoomAt(size()[0] / 2, size()[1] / 2, 1 / 1.4);
  if (e.key === "0") whole();
  if (e.key === "Escape") pick(null, false);
});
window.addEventListener("resize", drawMap);

/* ---- start ---- */
document.getElementById("model").textContent = model.model.split("/").pop();
document.getElementById("facts").textContent =
  [`${num(model.nodes)} nodes` + (graph.inner_nodes ? ` (${num(graph.inner_nodes)} of them in bodies, not drawn)` : ""), `${num(model.parameters)} parameters`,
   model.runs ? `${num(model.macs)} multiply-adds` : model.open_sizes ? "open sizes" : "cannot run here"].join("  \u00b7  ");
pick(null, false);
start();
