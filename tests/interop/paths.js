// Connections that have to go through a relay, and connections that go from one path to the next.
"use strict";

// A connection with one open channel that has echoed.
async function connect(course, configuration) {
  const connection = course.connection(configuration);
  const channel = connection.createDataChannel("paths");
  const inbox = new Inbox(channel);
  const session = await offer(course, connection);
  await opened(course, channel);
  await echo(channel, inbox, "hello");
  return { connection, channel, inbox, session };
}

// --- relays ---

const turn = (server) => request("/turn", { server });

// What lets nothing through but a relay.
async function relayOnly(server, over) {
  const { address, username, credential, error } = await turn(server);
  assert(address, error);
  return {
    iceServers: [{ urls: `turn:${address}?transport=${over}`, username, credential }],
    iceTransportPolicy: "relay",
  };
}

// The pair in use and its candidates, when there is one that is none of `old`.
async function selected(course, connection, old = new Set()) {
  const look = async () => {
    const stats = await connection.getStats();
    const all = [...stats.values()];
    const transport = all.find(({ type }) => type === "transport");
    const pair = stats.get(transport?.selectedCandidatePairId) ?? all.find(({ type, selected }) => type === "candidate-pair" && selected);
    return { pair: pair?.id, local: stats.get(pair?.localCandidateId), remote: stats.get(pair?.remoteCandidateId) };
  };
  return until(course, "a selected pair", look, ({ pair, local, remote }) => local && remote && !old.has(pair));
}

function relayed(local, over, urls) {
  same(local.candidateType, "relay", "the type of the page's candidate");
  // Firefox says what the peer sees.
  if (local.relayProtocol) same(local.relayProtocol, over, "the protocol to the relay");
  if (local.url) same(local.url, urls, "the relay");
}

async function throughRelay(course, server, over) {
  const { relayed: before } = await turn(server);
  const configuration = await relayOnly(server, over);
  const { connection, channel, inbox } = await connect(course, configuration);
  const offered = connection.localDescription.sdp.match(/^a=candidate:.*$/gm);
  assert(offered.every((line) => line.includes(" typ relay")), `the page offers ${offered}`);
  const { local } = await selected(course, connection);
  relayed(local, over, configuration.iceServers[0].urls);
  for (let i = 0; i < 100; i++) await echo(channel, inbox, `${i} ${"x".repeat(i * 100)}`);
  const { relayed: after } = await turn(server);
  if (after !== null) assert(after - before >= 200, `the relay has counted ${after - before} packets`);
}

for (const [server, name] of [["ours", "our TURN server"], ["coturn", "coturn"]]) {
  for (const over of ["udp", "tcp"]) {
    check(`through ${name} over ${over.toUpperCase()}`, 20, (course) => throughRelay(course, server, over));
  }
}

// --- restarts ---

const RESTARTS = 6;
// Milliseconds between two messages, and what is in flight at most.
const PACE = 4;
const MOST_WAITING = 1 << 18;

// Numbered messages of many sizes that do not stop until they are told to, and come back from the
// server: every one in its place, in both directions.
class Numbers {
  sent = 0;
  received = 0;
  running = true;

  constructor(channel, inbox) {
    this.flow = Promise.all([this.send(channel), this.receive(channel, inbox)]);
  }

  static message(i) {
    return `${i} ${"x".repeat((i * 37) % 3000)}`;
  }

  async send(channel) {
    while (this.running) {
      if (channel.bufferedAmount < MOST_WAITING) channel.send(Numbers.message(this.sent++));
      await pause(PACE);
    }
    this.sent++;
    channel.send("the end");
  }

  async receive(channel, inbox) {
    for (;;) {
      const message = await inbox.next();
      const number = this.received++;
      if (message === "the end") break;
      assert(message === Numbers.message(number), `in the place of ${number} comes ${message.slice(0, 20)}`);
    }
    assert(!this.running, "the end came early");
  }

  // Waits until all have come back.
  async end() {
    this.running = false;
    await this.flow;
    same(this.received, this.sent, "the number of messages");
    return this.sent;
  }
}

const ufrags = (connection) =>
  [connection.localDescription, connection.remoteDescription].map(({ sdp }) => sdp.match(/^a=ice-ufrag:(.*)$/m)[1]);

async function restartHere(course, { connection, session }) {
  connection.restartIce();
  await offer(course, connection, { session });
}

async function restartThere(course, { connection, session }) {
  const { sdp } = await post("/make-offer", { session, restart: true });
  course.step("offered by the server");
  await connection.setRemoteDescription({ type: "offer", sdp });
  await connection.setLocalDescription();
  await gathered(connection);
  await post("/answer", { session, type: "answer", sdp: connection.localDescription.sdp });
}

// Restarts again and again under a stream of messages that never stops.
async function roam(course, restarts, configuration) {
  const made = await connect(course, configuration);
  const { connection, channel, inbox } = made;
  const states = [];
  connection.addEventListener("connectionstatechange", () => states.push(connection.connectionState));
  const numbers = new Numbers(channel, inbox);
  const fragments = new Set(ufrags(connection));
  const pairs = new Set([(await selected(course, connection)).pair]);
  for (const restart of restarts) {
    // Where a message is missing, nothing else is waited for.
    await Promise.race([restart(course, made), numbers.flow]);
    for (const fragment of ufrags(connection)) {
      assert(!fragments.has(fragment), `the fragment ${fragment} was there before`);
      fragments.add(fragment);
    }
    const moved = await Promise.race([selected(course, connection, pairs), numbers.flow]);
    pairs.add(moved.pair);
    await pause(200);
  }
  const count = await numbers.end();
  same(channel.readyState, "open", "the channel's state");
  assert(!states.some((state) => ["disconnected", "failed", "closed"].includes(state)), `the connection was ${states}`);
  course.step(`${count} messages`);
  return { count, connection };
}

const times = (restart) => Array.from({ length: RESTARTS }, () => restart);

check("ICE restarted by the page under numbered messages", 40, async (course) => {
  const { count } = await roam(course, times(restartHere));
  return { count };
});

check("ICE restarted by the server under numbered messages", 40, async (course) => {
  const { count } = await roam(course, times(restartThere));
  return { count };
});

check("ICE restarted by both in turn, from relay to relay", 40, async (course) => {
  const configuration = await relayOnly("ours", "udp");
  const { connection, count } = await roam(course, [restartHere, restartThere, restartHere, restartThere], configuration);
  const { local } = await selected(course, connection);
  relayed(local, "udp", configuration.iceServers[0].urls);
  return { count };
});
