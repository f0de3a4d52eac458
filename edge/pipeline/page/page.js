// SPDX-License-Identifier: Apache-2.0
// The page of the sink live: asks for counters, events and frames once a second, and draws. Texts are put in as texts, never as HTML.
"use strict";
const $ = id => document.getElementById(id);
let token = sessionStorage.getItem("token") || "", before = null;

async function ask(path) {
  const r = await fetch(path, token ? { headers: { Authorization: "Bearer " + token } } : {});
  if (r.status === 401) $("key").hidden = false;
  if (!r.ok) throw new Error(r.status + " " + r.statusText);
  return r;
}
function row(cells) {
  const tr = document.createElement("tr");
  for (const [text, kind] of cells) {
    const td = document.createElement("td");
    td.textContent = text;
    if (kind) td.className = kind;
    tr.append(td);
  }
  return tr;
}
const ms = us => us >= 1e6 ? (us / 1e6).toFixed(1) + " s" : us >= 1000 ? (us / 1000).toFixed(1) + " ms" : us.toFixed(0) + " µs";

const size = n => n >= 1e9 ? (n / 1e9).toFixed(2) + " GB" : n >= 1e6 ? (n / 1e6).toFixed(1) + " MB" : n >= 1e3 ? (n / 1e3).toFixed(1) + " kB" : n + " B";

// Lines on energy, links and the governor; those that the pipeline does not have are left out.
function costs(s) {
  const { energy: e, link: l, governor: g } = s, lines = [];
  if (g) lines.push(`Governor: ${g.rung} (rung ${g.index + 1} of ${g.rungs}) for ${g.seconds.toFixed(0)} s. ${g.why} ` +
    Object.entries(g.readings).map(([k, v]) => `${k} ${+v.toPrecision(4)}`).join(", "));
  if (e) lines.push(`Energy: ${[e.watts !== undefined && e.watts.toPrecision(3) + " W", e.joules_per_frame !== undefined && (e.joules_per_frame * 1e3).toPrecision(3) + " mJ a frame",
    e.joules.toPrecision(4) + " J"].filter(Boolean).join(", ")} (${e.source}, within ${(e.relative_error * 100).toFixed(0)} %)`);
  if (l) lines.push(`Link: ${size(l.sent_bytes)} sent of ${size(l.taken_bytes)} taken, ${size(l.saved_bytes)} saved, ${l.waiting} wait` +
    (l.cases ? `, offloaded ${(l.offload_share * 100).toFixed(1)} %` : "") + (l.down_seconds > 0 ? `; nothing has got through for ${l.down_seconds.toFixed(0)} s` : ""));
  return lines;
}

function counters(s) {
  $("name").textContent = s.name;
  $("state").textContent = `${s.state} for ${s.seconds.toFixed(0)} s, ${(s.frames.bytes / 1e6).toFixed(1)} MB in frames`;
  $("costs").replaceChildren(...costs(s).map(text => {
    const p = document.createElement("p");
    p.textContent = text;
    return p;
  }));
  const span = before ? s.seconds - before.seconds : 0;
  $("branches").replaceChildren(...s.branches.map((b, i) => {
    const old = before && before.branches[i], rate = key => span > 0 ? ((b[key] - old[key]) / span).toFixed(1) : "";
    return row([[b.name], [rate("frames"), "n"], [rate("events"), "n"], [b.queue.dropped, b.queue.dropped ? "n bad" : "n"],
      [b.failed, b.failed ? "n bad" : "n"], [`${b.queue.depth} of ${b.queue.size}`, "n"], [ms(b.latency_us.p50), "n"], [ms(b.latency_us.p99), "n"],
      [b.stages.map(t => `${t.kind} ${b.frames ? (t.us / b.frames).toFixed(0) : 0}`).join(", ")]]);
  }));
  $("sinks").replaceChildren(...s.sinks.map(k => row([[k.name || k.kind], [k.in, "n"], [k.failed, k.failed ? "n bad" : "n"],
    [k.outbox ? [`${k.outbox.records} wait, ${k.outbox.sent} sent`, k.outbox.trouble].filter(Boolean).join(": ") : ""]])));
  before = s;
}

// The last frame of a branch: its event is a line before the picture, so that boxes are drawn on what they were found in.
async function frame(branch) {
  const bytes = new Uint8Array(await (await ask("frame?event=1&branch=" + encodeURIComponent(branch))).arrayBuffer()), end = bytes.indexOf(10);
  return [JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), await createImageBitmap(new Blob([bytes.subarray(end + 1)]))];
}

async function frames(events) {
  const shown = before.branches.map(b => b.name).filter(name => events.some(e => e.branch === name && e.size));
  for (const branch of shown) {
    let fig = $("of " + branch);
    if (!fig) {
      fig = document.createElement("figure");
      fig.id = "of " + branch;
      fig.append(document.createElement("canvas"), document.createElement("figcaption"));
      $("pictures").append(fig);
    }
    try {
      const [e, image] = await frame(branch);
      const c = fig.firstChild, g = c.getContext("2d");
      c.width = image.width, c.height = image.height;
      g.drawImage(image, 0, 0);
      g.lineWidth = Math.max(2, image.width / 320);
      const high = Math.max(12, image.width / 45);
      g.font = `${high}px system-ui`;
      for (const o of e.objects || []) {
        if (!o.box) continue;
        const [x0, y0, x1, y1] = o.box, text = [o.label, o.track && "#" + o.track, o.score && o.score.toFixed(2)].filter(Boolean).join(" ");
        g.strokeStyle = g.fillStyle = `hsl(${(o.track || o.class || 0) * 67 % 360} 85% 60%)`;
        g.strokeRect(x0, y0, x1 - x0, y1 - y0);
        for (const [x, y] of o.points || []) g.fillRect(x - 2, y - 2, 5, 5);
        if (!text) continue;
        const top = Math.max(0, y0 - high - 4);  // above the box, on a ground of its colour
        g.fillRect(x0 - g.lineWidth / 2, top, g.measureText(text).width + 8, high + 4);
        g.fillStyle = "#000";
        g.fillText(text, x0 + 3, top + high);
      }
      fig.lastChild.textContent = `${branch}: ${e.item || ""} ${(e.classes || []).map(k => `${k.label || k.class} ${k.score.toFixed(2)}`).join(", ")}`;
    } catch { fig.lastChild.textContent = `${branch}: no picture leaves it`; }
  }
}

async function look() {
  try {
    counters(await (await ask("stats")).json());
    const events = await (await ask("events")).json();
    $("events").replaceChildren(...events.slice(0, 12).map(e => {
      const li = document.createElement("li");
      li.textContent = JSON.stringify(e);
      return li;
    }));
    await frames(events);
  } catch (e) { $("state").textContent = "no answer: " + e.message; }
  setTimeout(look, 1000);
}
$("key").addEventListener("submit", e => {
  e.preventDefault();
  token = $("token").value;
  sessionStorage.setItem("token", token);
  $("key").hidden = true;
});
look();
