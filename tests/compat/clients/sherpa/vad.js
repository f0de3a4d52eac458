// SPDX-License-Identifier: Apache-2.0
// Where sherpa-onnx hears a voice in a sound that is made here, by each of the models given: vad.js MODEL...
'use strict';
const sherpa = require('sherpa-onnx-node');

// Eight seconds: faint noise, and in every other second harmonics of a wandering tone, as loud as syllables.
const rate = 16000;
let seed = 1;
const noise = () => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return seed / 1073741824 - 1;
};
const sound = new Float32Array(8 * rate);
for (let i = 0; i < sound.length; i++) {
  const t = i / rate;
  let v = 0.002 * noise();
  for (let h = 1; h < 20 && Math.floor(t) % 2 === 1; h++) {
    const loud = (0.25 / h) * (h % 5 === 3 || h % 4 === 1 ? 1 : 0.3) * (1 + 0.8 * Math.sin(10 * Math.PI * t));
    v += loud * Math.sin(2 * Math.PI * (140 + 20 * Math.sin(3 * t)) * h * t);
  }
  sound[i] = v;
}

for (const model of process.argv.slice(2)) {
  const sileroVad = {model, threshold: 0.5, minSpeechDuration: 0.1, minSilenceDuration: 0.2, windowSize: 512};
  const vad = new sherpa.Vad({sileroVad, sampleRate: rate, debug: false, numThreads: 1}, 60);
  for (let i = 0; i + 512 <= sound.length; i += 512) {
    vad.acceptWaveform(sound.subarray(i, i + 512));
    console.log(i, vad.isDetected());
  }
  vad.flush();
  for (; !vad.isEmpty(); vad.pop()) console.log('segment', vad.front().start, vad.front().samples.length);
}
