// SPDX-License-Identifier: Apache-2.0
// What onnxruntime-node offers for inference, over the models of ../models.py: node program.js FOLDER
// It prints the same on the original's library and on whet's but for the last digits; ../compare.py knows how much.
'use strict';
const fs = require('fs');
const path = require('path');
const ort = require('onnxruntime-node');

const folder = process.argv[2];
const at = (name) => path.join(folder, name + '.onnx');
const say = (...what) => console.log(...what);

// The number that element k of an input is.
const rule = (k) => (37 * k + 11) % 101;

// Half-precision bits of small numbers, as the binding takes float16.
function half(v) {
  const f = new Float32Array([v]);
  const b = new Uint32Array(f.buffer)[0];
  const sign = (b >>> 16) & 0x8000;
  const exp = ((b >>> 23) & 255) - 112;
  if (exp <= 0) return sign;
  return sign | (exp << 10) | ((b >>> 13) & 0x3ff);
}

// A tensor of that type and shape by the rule.
function fill(type, dims, fixed) {
  const n = dims.reduce((a, b) => a * b, 1);
  const each = (f) => Array.from({ length: n }, (_, k) => (fixed ? Number(fixed) : f(k)));
  const real = (k) => rule(k) / 50.5 - 1;
  switch (type) {
    case 'float': return new ort.Tensor('float32', Float32Array.from(each(real)), dims);
    case 'double': return new ort.Tensor('float64', Float64Array.from(each(real)), dims);
    case 'float16': return new ort.Tensor('float16', Uint16Array.from(each((k) => half(real(k)))), dims);
    case 'int64': return new ort.Tensor('int64', BigInt64Array.from(each(rule).map(BigInt)), dims);
    case 'uint64': return new ort.Tensor('uint64', BigUint64Array.from(each(rule).map(BigInt)), dims);
    case 'int8': return new ort.Tensor('int8', Int8Array.from(each(rule)), dims);
    case 'int16': return new ort.Tensor('int16', Int16Array.from(each(rule)), dims);
    case 'int32': return new ort.Tensor('int32', Int32Array.from(each(rule)), dims);
    case 'uint8': return new ort.Tensor('uint8', Uint8Array.from(each(rule)), dims);
    case 'uint16': return new ort.Tensor('uint16', Uint16Array.from(each(rule)), dims);
    case 'uint32': return new ort.Tensor('uint32', Uint32Array.from(each(rule)), dims);
    case 'bool': return new ort.Tensor('bool', Uint8Array.from(each((k) => (k % 3 === 0 ? 1 : 0))), dims);
    case 'string': return new ort.Tensor('string', Array.from({ length: n }, (_, k) => `s${k}\u00e9`), dims);
    default: return null;
  }
}

// One value in a line: type, shape, the first elements, the sum.
function show(name, t) {
  const data = Array.from(t.data);
  const numbers = t.type === 'string' ? [] : data.map(Number);
  const sum = numbers.reduce((a, b) => a + b, 0);
  say(`  ${name} ${t.type} [${t.dims}] ${t.location}: ${data.slice(0, 6).map(String).join(' ')} | ${sum}`);
}

// The error of something that must fail: its first line, but where each library has words of its own for it.
async function fails(what, f, own) {
  try {
    await f();
    say(`${what}: no error`);
  } catch (e) {
    say(`${what}: ${e.constructor.name}${own ? '' : ': ' + String(e.message).split('\n')[0]}`);
  }
}

async function metadata(s) {
  if (!s.inputMetadata) return; // came with 1.21
  for (const [kind, list] of [['in', s.inputMetadata], ['out', s.outputMetadata]])
    for (const m of list) say(`  ${kind} ${m.name} ${m.isTensor ? `${m.type} [${m.shape}]` : 'no tensor'}`);
}

// Every model with plain inputs: from a file and from bytes, all outputs and some, into tensors of the caller's.
async function zoo() {
  const models = new Map();
  for (const line of fs.readFileSync(path.join(folder, 'cases'), 'utf8').split('\n').filter(Boolean)) {
    const [file, input, type, dims, fixed] = line.split('\t');
    if (!models.has(file)) models.set(file, {});
    models.get(file)[input] = fill(type, dims ? dims.split(',').map(Number) : [], fixed);
  }
  for (const [file, feeds] of models) {
    say(path.basename(file));
    if (Object.values(feeds).includes(null)) {
      await fails('  a type that this client has not', () => ort.InferenceSession.create(file));
      continue;
    }
    const s = await ort.InferenceSession.create(file, { intraOpNumThreads: 1 });
    metadata(s);
    let r;
    try {
      r = await s.run(feeds);
    } catch (e) {
      say(`  not run: ${String(e.message).split('\n')[0]}`);
      await s.release();
      continue;
    }
    for (const name of s.outputNames) show(name, r[name]);
    const last = s.outputNames[s.outputNames.length - 1];
    const only = await s.run(feeds, [last]);
    say('  asked for one:', Object.keys(only).join());
    // Into memory of the caller's.
    const own = {};
    for (const name of s.outputNames) {
      const t = r[name];
      own[name] = t.type === 'string' ? null : new ort.Tensor(t.type, new t.data.constructor(t.data.length), t.dims);
    }
    const bound = await s.run(feeds, own);
    for (const name of s.outputNames) {
      show(name, bound[name]);
      if (own[name]) say('  same memory:', String(own[name].data[0]) === String(r[name].data[0]));
    }
    await s.release();
    // From bytes, in a view that begins in the middle.
    const bytes = fs.readFileSync(file);
    const wide = new Uint8Array(bytes.length + 5);
    wide.set(bytes, 5);
    const again = await ort.InferenceSession.create(wide.subarray(5), { intraOpNumThreads: 2 });
    const r2 = await again.run(feeds);
    for (const name of again.outputNames) show(name, r2[name]);
    await again.release();
  }
}

async function options() {
  say('options');
  const feeds = { x: fill('float', [2, 2]) };
  const prefix = path.join(folder, 'profile_node_' + process.pid);
  const all = [
    { graphOptimizationLevel: 'disabled' }, { graphOptimizationLevel: 'basic' }, { graphOptimizationLevel: 'extended' },
    { graphOptimizationLevel: 'layout' }, { graphOptimizationLevel: 'all' }, { executionMode: 'sequential' },
    { executionMode: 'parallel' }, { enableCpuMemArena: false, enableMemPattern: false }, { interOpNumThreads: 2 },
    { logId: 'me', logSeverityLevel: 3, logVerbosityLevel: 0 }, { freeDimensionOverrides: { N: 2 } },
    { executionProviders: ['cpu'] }, { executionProviders: [{ name: 'cpu', useArena: false }] },
    { extra: { session: { set_denormal_as_zero: '1', disable_prepacking: '1' } } },
    { optimizedModelFilePath: path.join(folder, 'optimized_node.onnx') }, { enableProfiling: true, profileFilePrefix: prefix },
  ];
  for (const o of all) {
    const s = await ort.InferenceSession.create(at('add'), o);
    const r = await s.run(feeds);
    say(' ', Object.keys(o).join(), (s.inputMetadata || [{ shape: [] }])[0].shape.join(), Array.from(r.y.data).join(' '));
    if (o.enableProfiling) s.endProfiling();
    await s.release();
  }
  const profiles = fs.readdirSync(folder).filter((f) => f.startsWith(path.basename(prefix)));
  say('  profile:', profiles.length, profiles.every((f) => JSON.parse(fs.readFileSync(path.join(folder, f))).length > 0));
  say('  optimized:', fs.statSync(path.join(folder, 'optimized_node.onnx')).size > 50);
  for (const f of profiles) fs.unlinkSync(path.join(folder, f));
  const s = await ort.InferenceSession.create(at('add'));
  for (const o of [{ logSeverityLevel: 2 }, { logVerbosityLevel: 1 }, { tag: 'run' }, { terminate: false }])
    say('  run', Object.keys(o).join(), Array.from((await s.run(feeds, o)).y.data).join(' '));
  await fails('  terminated', () => s.run(feeds, { terminate: true }));
  await s.release();
  for (const o of [{ graphOptimizationLevel: 'wild' }, { executionMode: 'wild' }, { executionProviders: ['nobody'] },
    { executionProviders: ['cuda'] }, { intraOpNumThreads: -1 }, { logSeverityLevel: 9 }])
    await fails('  ' + JSON.stringify(o), () => ort.InferenceSession.create(at('add'), o), o.executionProviders);
}

async function errors() {
  say('errors');
  const s = await ort.InferenceSession.create(at('add'));
  const x = fill('float', [2, 2]);
  await fails('  no input', () => s.run({}));
  await fails('  other name', () => s.run({ z: x }));
  await fails('  one too many', () => s.run({ x, z: x }));
  await fails('  other type', () => s.run({ x: fill('double', [2, 2]) }));
  await fails('  other rank', () => s.run({ x: fill('float', [4]) }));
  await fails('  other size', () => s.run({ x: fill('float', [2, 3]) }));
  await fails('  other output', () => s.run({ x }, ['nobody']));
  await fails('  small output', () => s.run({ x }, { y: new ort.Tensor('float32', new Float32Array(2), [1, 2]) }), true);
  const none = await s.run({ x: new ort.Tensor('float32', new Float32Array(0), [0, 2]) });
  show('no rows', none.y);
  await s.release();
  await fails('  released', () => s.run({ x }));
  for (const name of ['broken', 'unknown_op', 'nowhere'])
    try {
      await ort.InferenceSession.create(at(name));
      say('  opened', name);
    } catch (e) {
      say('  refused', name);
    }
  await fails('  no bytes', () => ort.InferenceSession.create(new Uint8Array(0)));
}

// Values that are no tensors have no place in this client: it must say so, and not crash.
async function collections() {
  for (const name of ['seq_in', 'map_in', 'endless']) {
    const s = await ort.InferenceSession.create(at(name));
    say(name);
    metadata(s);
    await s.release();
  }
}

// Many runs of one session that are under way at once.
async function together() {
  const s = await ort.InferenceSession.create(at('two'));
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => {
    const t = () => new ort.Tensor('float32', new Float32Array(4 * (i + 1)).fill(i), [i + 1, 4]);
    return s.run({ a: t(), b: t() });
  }));
  say('together', all.map((r) => `${r.sum.data[0]},${r.product.data[0]},${r.sum.dims}`).join(' '));
  await s.release();
}

(async () => {
  const v = ort.env.versions;
  say('version of this client', v.node);
  await zoo();
  await options();
  await errors();
  await collections();
  await together();
})().catch((e) => {
  console.error(e);
  process.exit(1);
});
