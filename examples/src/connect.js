// The page's half of the signalling, and what every page shows: the state of its connection in the
// element `state`, and what flows in the table `figures`. See signalling.rs.
"use strict";

// The element of that id.
const $ = (id) => document.getElementById(id);

// Whether an error is shown, which no state may hide.
let failed = false;

function show(text, is = "") {
  $("state").textContent = text;
  $("state").dataset.is = is;
}

// Runs the page's program and shows what goes wrong. One that failed may be tried again.
async function run(program) {
  failed = false;
  try {
    await program();
    return true;
  } catch (error) {
    failed = true;
    show(error.message || error.name, "bad");
    console.error(error);
    return false;
  }
}

// Camera and microphone. A browser asks the user first.
async function capture(wanted) {
  // The page has no such object where it came from another machine in the clear.
  if (!navigator.mediaDevices) throw new Error("A browser gives its camera only to a page on localhost or over HTTPS");
  show("asking for the camera");
  try {
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    throw new Error(`No camera or microphone: ${error.message || error.name}`);
  }
}

// Offers what `pc` has, with all its candidates, and applies the answer.
async function connect(pc) {
  try {
    watch(pc);
    await pc.setLocalDescription();
    await new Promise((resolve) => {
      if (pc.iceGatheringState === "complete") return resolve();
      pc.addEventListener("icegatheringstatechange", () => {
        if (pc.iceGatheringState === "complete") resolve();
      });
    });
    const response = await fetch("/offer", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(pc.localDescription),
    });
    const reply = await response.json();
    if (!response.ok) throw new Error(reply.error);
    await pc.setRemoteDescription(reply);
  } catch (error) {
    hangUp(pc);
    throw error;
  }
  // The peer hears at once that we are gone, and not after half a minute of silence.
  addEventListener("pagehide", () => pc.close());
}

// Closes the connection and gives the camera back.
function hangUp(pc) {
  for (const { track } of pc.getSenders()) track?.stop();
  pc.close();
  if (!failed) show("closed");
}

const STATES = {
  new: ["connecting"],
  connecting: ["connecting"],
  connected: ["connected", "good"],
  disconnected: ["Nothing is heard of the program: has it ended?", "bad"],
  failed: ["The connection is lost: reload the page", "bad"],
};

// Shows the state of the connection, and what it did in the last second, until it is closed.
function watch(pc) {
  const state = () => {
    if (!failed && STATES[pc.connectionState]) show(...STATES[pc.connectionState]);
  };
  state();
  pc.addEventListener("connectionstatechange", state);
  const before = new Map();
  const timer = setInterval(async () => {
    if (pc.connectionState === "closed") return clearInterval(timer);
    // The program has said farewell, which shows here at once and in the state after some silence.
    if (pc.getReceivers().some(({ transport }) => transport?.state === "closed")) {
      clearInterval(timer);
      return show("The program has closed the connection", "bad");
    }
    const stats = await pc.getStats();
    const flows = [...stats.values()].filter(({ type }) => type === "outbound-rtp" || type === "inbound-rtp");
    flows.sort((one, other) => one.type.localeCompare(other.type) || other.kind.localeCompare(one.kind) || one.frameWidth - other.frameWidth);
    const rows = flows.map((flow) => row(flow, stats, before)).filter((cells) => cells);
    if (rows.length > 0) fill($("figures"), ["", "codec", "kbit/s", "picture", "frames", "lost"], rows);
  }, 1000);
}

// What the table says of one stream.
function row(flow, stats, before) {
  const sent = flow.type === "outbound-rtp";
  const bytes = sent ? flow.bytesSent : flow.bytesReceived;
  const rate = Math.round(((bytes - (before.get(flow.id) ?? bytes)) * 8) / 1000);
  before.set(flow.id, bytes);
  // Nothing was negotiated for it, or nothing came.
  if (!bytes) return null;
  const codec = stats.get(flow.codecId)?.mimeType.replace(/^.*\//, "") ?? flow.kind;
  const size = flow.frameWidth ? `${flow.frameWidth} × ${flow.frameHeight}` : "";
  const frames = sent ? flow.framesEncoded : flow.framesDecoded;
  return [sent ? "sending" : "receiving", codec, rate, size, frames ?? "", sent ? "" : flow.packetsLost];
}

function fill(table, head, rows) {
  table.replaceChildren();
  const line = (section, tag, cells) => {
    const row = section.appendChild(document.createElement("tr"));
    for (const text of cells) row.appendChild(document.createElement(tag)).textContent = text;
  };
  line(table.createTHead(), "th", head);
  const body = table.createTBody();
  for (const cells of rows) line(body, "td", cells);
}
