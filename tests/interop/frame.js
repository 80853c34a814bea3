// What every page of these tests has: checks, their reports, and the signalling of the echo server.
"use strict";

// --- the frame: a check is a name, a limit in seconds, and a function ---

const checks = new Map();

function check(name, seconds, run) {
  checks.set(name, { name, seconds, run });
}

// What a check is doing and with which connections, so that a failure can tell.
class Course {
  steps = [];
  connections = [];
  // What `until` waits for, and what it saw last.
  waiting = null;
  // Called when the check is over.
  ends = [];
  started = performance.now();

  step(text) {
    this.steps.push(`${Math.round(performance.now() - this.started)} ms: ${text}`);
  }

  connection(configuration) {
    const connection = new RTCPeerConnection(configuration);
    this.connections.push(connection);
    const number = this.connections.length;
    connection.onconnectionstatechange = () => this.step(`connection ${number} ${connection.connectionState}`);
    connection.oniceconnectionstatechange = () => this.step(`ICE ${number} ${connection.iceConnectionState}`);
    return connection;
  }

  end() {
    for (const connection of this.connections) connection.close();
    for (const end of this.ends) end();
  }
}

async function run({ name, seconds, run }) {
  const course = new Course();
  const report = { check: name, passed: true };
  try {
    report.results = await within(seconds, run(course));
  } catch (error) {
    report.passed = false;
    report.details = {
      error: String(error),
      at: String(error?.stack ?? "").split("\n").slice(0, 4),
      steps: course.steps,
      waiting: course.waiting,
      connections: await Promise.all(course.connections.slice(0, 2).map(describe)),
    };
  }
  report.milliseconds = Math.round(performance.now() - course.started);
  course.end();
  server.end?.();
  document.getElementById("log").textContent += `${report.passed ? "ok" : "FAILED"} ${name}\n`;
  await request("/result", report);
}

async function describe(connection) {
  const stats = [];
  const left = ["certificate", "codec", "media-playout", "peer-connection"];
  try {
    for (const entry of (await within(2, connection.getStats())).values()) {
      if (!left.includes(entry.type)) stats.push(entry);
    }
  } catch (error) {
    stats.push(String(error));
  }
  const { signalingState, iceGatheringState, iceConnectionState, connectionState } = connection;
  const dtls = connection.sctp?.transport?.state;
  const sctp = connection.sctp?.state;
  const lines = (description) => description?.sdp.split("\r\n");
  return {
    states: { signalingState, iceGatheringState, iceConnectionState, connectionState, dtls, sctp },
    local: lines(connection.localDescription),
    remote: lines(connection.remoteDescription),
    stats: stats.slice(0, 40),
  };
}

function within(seconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

function same(actual, expected, what) {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
  assert(a === e, `${what} is ${a}, expected ${e}`);
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// Looks again and again, until what is seen is enough; returns it.
async function until(course, what, look, enough) {
  for (;;) {
    const seen = await look();
    course.waiting = { for: what, seen };
    if (seen && enough(seen)) break;
    await pause(100);
  }
  const { seen } = course.waiting;
  course.waiting = null;
  course.step(what);
  return seen;
}

function event(target, type) {
  return new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
}

// --- signalling: shared convention, one object per request and reply ---

// A page may have its server in itself.
let server = { post: request };

function post(path, body) {
  return server.post(path, body);
}

async function request(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const reply = await response.json();
  assert(response.ok, `${path} says ${response.status}: ${JSON.stringify(reply)}`);
  return reply;
}

// After a restart Firefox shows the old generation's "complete" for a moment.
async function gathered(connection) {
  const done = () => connection.iceGatheringState === "complete" && connection.localDescription.sdp.includes("a=candidate:");
  while (!done()) await Promise.race([event(connection, "icegatheringstatechange"), pause(20)]);
}

// Offers what `connection` has now, and applies the answer; returns the session's name. Both
// descriptions go through `edit(sdp, type)` on their way.
async function offer(course, connection, extra = {}, edit = (sdp) => sdp, path = "/offer") {
  course.step("offering");
  await connection.setLocalDescription(await connection.createOffer());
  await gathered(connection);
  const { type, sdp } = connection.localDescription;
  const reply = await post(path, { type, sdp: await edit(sdp, type), ...extra });
  course.step("answered");
  same(reply.type, "answer", "the type of the answer");
  assert(typeof reply.session === "string" || typeof reply.session === "number", "the answer names its session");
  await connection.setRemoteDescription({ type: "answer", sdp: await edit(reply.sdp, "answer") });
  course.step("answer applied");
  same(connection.signalingState, "stable", "the signaling state");
  return reply.session;
}

// --- channels ---

function opened(course, channel) {
  const open = channel.readyState === "open" ? Promise.resolve() : event(channel, "open");
  return open.then(() => course.step(`channel ${channel.id} open`));
}

// The messages of a channel, kept from the moment this is made.
class Inbox {
  constructor(channel) {
    this.channel = channel;
    this.messages = [];
    this.arrived = () => {};
    channel.binaryType = "arraybuffer";
    channel.addEventListener("message", ({ data }) => {
      this.messages.push(data);
      this.arrived();
    });
    channel.addEventListener("close", () => this.arrived());
  }

  async next() {
    while (this.messages.length === 0) {
      assert(this.channel.readyState === "open", `the channel is ${this.channel.readyState}`);
      await new Promise((resolve) => (this.arrived = resolve));
    }
    return this.messages.shift();
  }
}

async function echo(channel, inbox, text) {
  channel.send(text);
  same(await inbox.next(), text, "the echo");
}

// --- a path that loses packets ---

// Keeps the two from finding each other directly: the page sends to a relay that loses one packet
// in `oneIn` each way.
function lossy(oneIn = 30) {
  return async (sdp, type) => {
    const isCandidate = (line) => line.startsWith("a=candidate:");
    const lines = sdp.split("\r\n");
    const server = lines.find((line) => isCandidate(line) && line.split(" ")[4] === "10.77.0.1")?.split(" ");
    const rest = lines.filter((line) => !isCandidate(line));
    if (type === "answer") {
      assert(server, "the server has no candidate 10.77.0.1");
      const { port, error } = await request("/relay", { to: `10.77.0.1:${server[5]}`, one_in: oneIn });
      assert(port, error);
      // To the end of the first section, which carries the transport of the others.
      const sections = rest.flatMap((line, i) => (line.startsWith("m=") ? [i] : []));
      rest.splice(sections[1] ?? rest.length - 1, 0, `a=candidate:1 1 udp 2122260223 10.77.0.1 ${port} typ host`);
    }
    return rest.join("\r\n");
  };
}

// --- the run ---

async function start() {
  for (const name of wanted) {
    const known = checks.get(name);
    await run(known ?? { name, seconds: 1, run: () => Promise.reject(new Error("the page has no such check")) });
  }
  await request("/result", { finished: true, agent: navigator.userAgent });
}
