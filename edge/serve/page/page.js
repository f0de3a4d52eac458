'use strict';
// SPDX-License-Identifier: Apache-2.0
// The status page: reads /metrics and the repository's index every two seconds, draws what changed, and sends pictures as BMP,
// which every build of the server decodes.
const EVERY = 2000, KEPT = 60;
const at = id => document.getElementById(id);
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const series = [];
let token = '', last = null, shown = null;

const headers = more => ({...more, ...(token ? {Authorization: 'Bearer ' + token} : {})});

async function ask(path, options = {}) {
  const r = await fetch(path, {...options, headers: headers(options.headers), cache: 'no-store'});
  if (r.status === 401) { at('key').hidden = false; }
  if (!r.ok) {
    const text = await r.text();
    let why = text;
    try { why = JSON.parse(text).error; } catch { /* it is no JSON */ }
    throw new Error(why || 'status ' + r.status);
  }
  return r;
}

// Prometheus' text: name -> list of {labels, value}.
function parse(text) {
  const out = {};
  for (const line of text.split('\n')) {
    const m = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!m || line[0] === '#') continue;
    const labels = {};
    for (const l of (m[2] || '').matchAll(/(\w+)="([^"]*)"/g)) labels[l[1]] = l[2];
    (out[m[1]] ??= []).push({labels, value: +m[3]});
  }
  return out;
}

const one = (m, name) => m[name]?.[0]?.value;
const sum = (m, name) => (m[name] || []).reduce((a, x) => a + x.value, 0);
const of = (m, name, model, version) => (m[name] || []).find(x => x.labels.model === model && x.labels.version === version)?.value ?? 0;

// Buckets of all models together: upper bound -> how many.
function buckets(m) {
  const all = new Map();
  for (const x of m.whet_request_seconds_bucket || []) {
    const le = x.labels.le === '+Inf' ? Infinity : +x.labels.le;
    all.set(le, (all.get(le) || 0) + x.value);
  }
  return all;
}

// The bound below which a part of what came since `before` lies, in between where it falls within a bucket; in ms.
function quantile(now, before, part) {
  const edges = [...now.keys()].sort((a, b) => a - b);
  const n = le => now.get(le) - (before.get(le) || 0);
  const total = edges.length ? n(edges[edges.length - 1]) : 0;
  if (total <= 0) return null;
  let low = 0, under = 0;
  for (const le of edges) {
    if (n(le) >= total * part) return 1e3 * (le === Infinity ? low : low + (le - low) * (total * part - under) / Math.max(1, n(le) - under));
    low = le;
    under = n(le);
  }
  return 1e3 * low;
}

const short = v => v === undefined || v === null ? '–' : v >= 1e9 ? (v / 1e9).toFixed(1) + ' G' : v >= 1e6 ? (v / 1e6).toFixed(1) + ' M' : v >= 1e4 ? (v / 1e3).toFixed(1) + ' k' : v >= 100 || v % 1 === 0 ? v.toFixed(0) : v.toPrecision(3);

function time(s) {
  return s >= 86400 ? (s / 86400).toFixed(1) + ' d' : s >= 3600 ? (s / 3600).toFixed(1) + ' h' : s >= 60 ? (s / 60).toFixed(1) + ' min' : s >= 1 ? s.toFixed(0) + ' s' : s >= 1e-3 ? (s * 1e3).toPrecision(3) + ' ms' : (s * 1e6).toFixed(0) + ' µs';
}

function chart(canvas, lines) {
  const scale = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  canvas.width = w * scale;
  canvas.height = h * scale;
  const g = canvas.getContext('2d');
  g.scale(scale, scale);
  const peak = Math.max(0, ...lines.flatMap(l => l.values.filter(v => v !== null))), most = peak > 0 ? peak * 1.1 : 3;
  g.font = '12px system-ui, sans-serif';
  for (let i = 0; i <= 3; i++) {
    const y = h - 18 - (h - 36) * i / 3;
    g.fillStyle = css('--dim');
    g.fillText(short(+(most * i / 3).toPrecision(3)), 0, y - 2);
    g.fillStyle = css('--line');
    g.fillRect(0, y, w, 1);
  }
  g.fillStyle = css('--dim');
  g.fillText('2 min ago', 0, h - 3);
  g.textAlign = 'right';
  g.fillText('now', w, h - 3);
  for (const l of lines) {
    g.strokeStyle = css(l.color);
    g.lineWidth = 2;
    g.beginPath();
    let pen = false;
    l.values.forEach((v, i) => {
      if (v === null) { pen = false; return; }
      const x = w - (l.values.length - 1 - i) * w / (KEPT - 1), y = h - 18 - (h - 36) * v / most;
      if (pen) g.lineTo(x, y);
      else g.moveTo(x, y), g.arc(x, y, 1, 0, 7);
      pen = true;
    });
    g.stroke();
  }
}

function cell(row, text, name) {
  const c = row.insertCell();
  c.textContent = text;
  if (name) c.className = name;
  return c;
}

function models(m, index) {
  const body = at('models');
  body.replaceChildren();
  for (const x of index.sort((a, b) => a.name.localeCompare(b.name) || a.version - b.version)) {
    const row = body.insertRow(), get = name => of(m, name, x.name, x.version);
    cell(row, x.name);
    cell(row, x.version ?? '–');
    const ready = x.state === 'READY';
    cell(row, ready ? 'ready' : 'not served', ready ? 'good' : 'bad');
    cell(row, short(get('whet_request_success_total')), 'n');
    cell(row, short(get('whet_request_failure_total') + get('whet_request_rejected_total')), 'n');
    cell(row, short(get('whet_queue_requests')), 'n');
    const n = get('whet_request_success_total');
    cell(row, ready ? time(get('whet_run_seconds')) : '–', 'n');
    cell(row, n ? time(get('whet_queue_seconds_total') / n) : '–', 'n');
    if (x.reason && x.reason !== 'unloaded') {
      const why = body.insertRow();
      cell(why, '');
      const c = cell(why, x.reason, 'why');
      c.colSpan = 7;
    }
  }
  const names = [...new Set(index.filter(x => x.state === 'READY').map(x => x.name))].sort(), pick = at('model');
  if (names.join() !== [...pick.options].map(o => o.value).join()) {
    const was = pick.value;
    pick.replaceChildren(...names.map(n => new Option(n, n)));
    if (names.includes(was)) pick.value = was;
  }
}

function numbers(m) {
  const list = [['up', time(one(m, 'whet_up_seconds') || 0)], ['requests', short(sum(m, 'whet_request_success_total'))],
    ['failed, turned away', short(sum(m, 'whet_request_failure_total') + sum(m, 'whet_request_rejected_total'))],
    ['connections', short(one(m, 'whet_connections'))], ['in flight', short(one(m, 'whet_requests_in_flight'))],
    ['memory', short(one(m, 'process_resident_memory_bytes')) + 'B'], ['processor time', time(one(m, 'process_cpu_seconds_total') || 0)]];
  if (m.whet_energy_joules_total) list.push(['energy', short(one(m, 'whet_energy_joules_total')) + 'J']);
  at('numbers').replaceChildren(...list.map(([name, value]) => {
    const d = document.createElement('div'), b = document.createElement('b');
    b.textContent = value;
    d.append(b, name);
    return d;
  }));
}

async function look() {
  try {
    const [text, index] = await Promise.all([ask('metrics').then(r => r.text()), ask('v2/repository/index', {method: 'POST'}).then(r => r.json())]);
    const m = parse(text), now = {when: performance.now(), done: sum(m, 'whet_request_success_total'), buckets: buckets(m)};
    const version = m.whet_info?.[0]?.labels.version;
    at('state').textContent = 'version ' + version + ', ' + index.filter(x => x.state === 'READY').length + ' of ' + index.length + ' model versions served';
    at('key').hidden = true;
    if (last) {
      series.push({rate: Math.max(0, now.done - last.done) / (now.when - last.when) * 1e3, p50: quantile(now.buckets, last.buckets, 0.5), p99: quantile(now.buckets, last.buckets, 0.99)});
      if (series.length > KEPT) series.shift();
    }
    last = now;
    numbers(m);
    models(m, index);
    chart(at('rate'), [{color: '--one', values: series.map(s => s.rate)}]);
    chart(at('latency'), [{color: '--one', values: series.map(s => s.p50)}, {color: '--two', values: series.map(s => s.p99)}]);
  } catch (e) {
    at('state').textContent = e.message;
    last = null;
  }
}

// A canvas as a BMP file of 24 bits, bottom row first.
function bmp(canvas) {
  const w = canvas.width, h = canvas.height, p = canvas.getContext('2d').getImageData(0, 0, w, h).data;
  const row = (w * 3 + 3) & ~3, out = new Uint8Array(54 + row * h), v = new DataView(out.buffer);
  out.set([0x42, 0x4d]);
  v.setUint32(2, out.length, true);
  v.setUint32(10, 54, true);
  v.setUint32(14, 40, true);
  v.setInt32(18, w, true);
  v.setInt32(22, h, true);
  v.setUint16(26, 1, true);
  v.setUint16(28, 24, true);
  v.setUint32(34, row * h, true);
  for (let y = 0; y < h; y++)
    for (let x = 0, to = 54 + row * (h - 1 - y), from = y * w * 4; x < w; x++, to += 3, from += 4) {
      out[to] = p[from + 2];
      out[to + 1] = p[from + 1];
      out[to + 2] = p[from];
    }
  return out;
}

async function picture(file) {
  shown = file;
  const list = at('answer');
  list.replaceChildren();
  const say = (text, score) => {
    const li = document.createElement('li');
    li.textContent = text;
    if (score !== undefined) {
      const s = document.createElement('span');
      s.className = 'dim';
      s.textContent = ' ' + score.toPrecision(3);
      li.append(s);
    }
    list.append(li);
    return li;
  };
  try {
    const image = await createImageBitmap(file), whole = document.createElement('canvas');
    const part = Math.min(1, 1600 / Math.max(image.width, image.height));
    whole.width = Math.max(1, Math.round(image.width * part));
    whole.height = Math.max(1, Math.round(image.height * part));
    whole.getContext('2d', {willReadFrequently: true}).drawImage(image, 0, 0, whole.width, whole.height);
    const show = at('picture'), fit = Math.min(480 / whole.width, 360 / whole.height);
    show.width = Math.max(1, whole.width * fit);
    show.height = Math.max(1, whole.height * fit);
    const g = show.getContext('2d');
    g.drawImage(whole, 0, 0, show.width, show.height);
    const r = await ask('whet/models/' + encodeURIComponent(at('model').value) + '/picture', {method: 'POST', body: bmp(whole), headers: {'Content-Type': 'application/octet-stream'}});
    const a = await r.json();
    const most = Math.max(1, ...(a.classes || []).map(c => c.score));  // scores need not be shares
    for (const c of a.classes || []) {
      const bar = document.createElement('span');
      bar.className = 'bar';
      bar.style.width = Math.max(0, c.score / most) * 240 + 'px';
      say(c.label ?? 'class ' + c.index, c.score).append(bar);
    }
    g.strokeStyle = css('--two');
    g.lineWidth = 2;
    for (const o of a.objects || []) {
      g.strokeRect(o.box[0] * fit, o.box[1] * fit, (o.box[2] - o.box[0]) * fit, (o.box[3] - o.box[1]) * fit);
      say(o.label ?? 'class ' + o.index, o.score);
    }
    if (a.objects && !a.objects.length) say('nothing found');
  } catch (e) {
    say(e.message);
  }
}

at('model').addEventListener('change', () => shown && picture(shown));
at('file').addEventListener('change', e => e.target.files[0] && picture(e.target.files[0]));
document.addEventListener('dragover', e => e.preventDefault());
document.addEventListener('drop', e => { e.preventDefault(); if (e.dataTransfer.files[0]) picture(e.dataTransfer.files[0]); });
at('key').addEventListener('submit', e => { e.preventDefault(); token = at('token').value; at('token').value = ''; look(); });
look();
setInterval(look, EVERY);
