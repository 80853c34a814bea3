"use strict";

// Audio and video: what the page sends comes back, and what the browser counts on the way.
//
// Beyond the echo server's requests, the checks ask for these of the test's own server:
//
// | request | body | reply |
// | --- | --- | --- |
// | `POST /layer` | `{"session":id,"rid":"q"}` | `{}`; from the next key frame on the echo is that simulcast layer |
// | `POST /watch` | `{"type":"offer","sdp":…,"of":id}` | as `/offer`: a new connection, which receives what that session sends |
//
// A check returns what it measured; the test has it as `results`.

// --- sources ---

// One capture for all checks: each gets clones, which end with it.
const sources = new Map();

async function source(course, kind, constraints = true) {
  const key = `${kind} ${JSON.stringify(constraints)}`;
  if (!sources.has(key)) sources.set(key, navigator.mediaDevices.getUserMedia({ [kind]: constraints }));
  const [original] = (await sources.get(key)).getTracks();
  const track = original.clone();
  course.ends.push(() => track.stop());
  return track;
}

const microphone = (course) => source(course, "audio");
const camera = (course, width = 640, height = 480) =>
  source(course, "video", { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 20 } });

// A picture of a size that no camera has. One that is `busy` fills whatever bitrate it is given, so
// that the browser finds out how much the path carries.
function canvas(course, width, height, busy = false) {
  const paper = document.createElement("canvas");
  Object.assign(paper, { width, height });
  const pen = paper.getContext("2d");
  let turn = 0;
  const draw = () => {
    turn += 5;
    pen.fillStyle = `hsl(${turn % 360} 80% 50%)`;
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = "white";
    pen.fillRect((turn * 2) % width, 0, 20, height);
    for (let i = 0; busy && i < 400; i++) {
      pen.fillStyle = `hsl(${(turn * i) % 360} 60% ${(i * 7) % 100}%)`;
      pen.fillRect((i * 7919 + turn * (i % 7)) % width, (i * 104729 + turn * (i % 5)) % height, 24, 24);
    }
  };
  draw();
  const timer = setInterval(draw, 50);
  const [track] = paper.captureStream(20).getTracks();
  course.ends.push(() => (clearInterval(timer), track.stop()));
  return track;
}

// --- calls ---

// Shows and plays what arrives, as a page would.
function play(course, connection) {
  connection.addEventListener("track", ({ track }) => {
    const sink = document.createElement(track.kind);
    sink.srcObject = new MediaStream([track]);
    Object.assign(sink, { autoplay: true, muted: track.kind === "video", playsInline: true, width: 160 });
    document.body.append(sink);
    sink.play().catch((reason) => course.step(`not played: ${reason}`));
    course.ends.push(() => sink.remove());
  });
}

function line(course) {
  const connection = course.connection();
  play(course, connection);
  return connection;
}

// The section's codec and, beside it, the retransmissions; false where the browser lacks the codec.
function prefer(transceiver, codec) {
  const { kind } = transceiver.receiver.track;
  const named = (name) => ({ mimeType }) => mimeType.toLowerCase() === `${kind}/${name}`.toLowerCase();
  const { codecs } = RTCRtpReceiver.getCapabilities(kind);
  const chosen = codecs.filter(named(codec));
  if (chosen.length === 0 || !RTCRtpSender.getCapabilities(kind).codecs.some(named(codec))) return false;
  transceiver.setCodecPreferences([...chosen, ...codecs.filter(named("rtx"))]);
  return true;
}

// A connection that sends camera and microphone, as far as asked for, and is answered.
async function call(course, { audio = true, video = true, direction = "sendrecv", edit } = {}) {
  const connection = line(course);
  const made = { connection };
  const streams = [new MediaStream()];
  if (audio) made.audio = connection.addTransceiver(await microphone(course), { direction, streams });
  if (video) made.video = connection.addTransceiver(await camera(course), { direction, streams });
  made.session = await offer(course, connection, {}, edit);
  return made;
}

// --- what the browser counts ---

const pick = (entry, names) => Object.fromEntries(names.filter((name) => entry[name] !== undefined).map((name) => [name, entry[name]]));

const COUNTED = ["nackCount", "pliCount", "firCount"];
const SENT = [
  "rid", "active", "frameWidth", "frameHeight", "framesSent", "framesEncoded", "keyFramesEncoded", "packetsSent", "bytesSent",
  "retransmittedPacketsSent", "targetBitrate", "qualityLimitationReason", ...COUNTED,
];
const RECEIVED = [
  "frameWidth", "frameHeight", "framesReceived", "framesDecoded", "keyFramesDecoded", "framesDropped", "freezeCount", "packetsReceived",
  "bytesReceived", "packetsLost", "packetsDiscarded", "retransmittedPacketsReceived", "fecPacketsReceived", "jitter", "totalAudioEnergy",
  "totalSamplesReceived", "concealedSamples", ...COUNTED,
];
const REPORTED = ["packetsLost", "fractionLost", "roundTripTime", "roundTripTimeMeasurements", "jitter", "packetsSent", "reportsSent"];

// One object per stream of that type, with its codec, and `reported`, what the other side says of it.
async function streams(end, type, names) {
  const stats = await end.getStats();
  return [...stats.values()].filter((entry) => entry.type === type).map((entry) => ({
    codec: stats.get(entry.codecId)?.mimeType,
    parameters: stats.get(entry.codecId)?.sdpFmtpLine,
    ...pick(entry, names),
    reported: pick(stats.get(entry.remoteId) ?? {}, REPORTED),
  }));
}

const layers = ({ sender }) => streams(sender, "outbound-rtp", SENT);
const sent = async (transceiver) => (await layers(transceiver))[0];
// After a change of SSRC there may be several for a while: the one that has most is in use.
const received = async ({ receiver }) =>
  (await streams(receiver, "inbound-rtp", RECEIVED)).toSorted((a, b) => (b.packetsReceived ?? 0) - (a.packetsReceived ?? 0))[0];
const both = async (transceiver) => ({ sent: await sent(transceiver), received: await received(transceiver) });

// Waits until so many more pictures are decoded.
async function moving(course, transceiver, count = 30) {
  const decoded = async () => (await received(transceiver))?.framesDecoded ?? 0;
  const before = await decoded();
  await until(course, `${count} more pictures decoded`, decoded, (now) => now >= before + count || (now < before && now >= count));
  return received(transceiver);
}

// Waits until the sound has more energy, and a second of packets has come.
async function audible(course, transceiver) {
  const before = await received(transceiver);
  const more = (now, name, least) => now[name] > (before?.[name] ?? 0) + least;
  return until(course, "sound", () => received(transceiver), (now) => more(now, "totalAudioEnergy", 0) && more(now, "packetsReceived", 40));
}

// Waits until a number all but stands for a second: Firefox sends a black picture each second where
// it has no track.
async function still(course, what, look) {
  for (;;) {
    const before = (await look()) ?? 0;
    await pause(1000);
    const after = (await look()) ?? 0;
    course.waiting = { for: `nothing more: ${what}`, before, after };
    if (after - before <= 2) break;
  }
  course.waiting = null;
  course.step(`nothing more: ${what}`);
}

const packetsSent = async (transceiver) => (await sent(transceiver))?.packetsSent;
const packetsReceived = async (transceiver) => (await received(transceiver))?.packetsReceived;

// --- what comes back ---

check("camera and microphone come back", 30, async (course) => {
  const { connection, audio, video } = await call(course);
  await Promise.all([moving(course, video, 60), audible(course, audio)]);
  const pictures = await picture(course, connection, video);
  // Reports flow both ways: the server's reception of ours, and its own sending.
  const reported = (name) => ({ sent, received }) => sent.reported[name] !== undefined || received.reported[name] !== undefined;
  const results = {};
  for (const [kind, transceiver] of Object.entries({ audio, video })) {
    await until(course, `a round trip of ${kind}`, () => both(transceiver), ({ sent }) => sent.reported.roundTripTime !== undefined);
    results[kind] = await until(course, `a sender report of ${kind}`, () => both(transceiver), reported("packetsSent"));
  }
  return { ...results, pictures };
});

// How far the colours of a picture are apart: grey alone means that nothing was decoded. Chromium's
// camera shows a moving figure, Firefox's a plain that changes its colour.
async function picture(course, connection, { receiver }) {
  const video = document.createElement("video");
  Object.assign(video, { srcObject: new MediaStream([receiver.track]), muted: true });
  await video.play();
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const seen = await until(course, "a picture with colour", () => {
    pen.drawImage(video, 0, 0, 32, 24);
    const { data } = pen.getImageData(0, 0, 32, 24);
    const colours = [...data].filter((_, i) => i % 4 !== 3);
    return { darkest: Math.min(...colours), lightest: Math.max(...colours) };
  }, ({ darkest, lightest }) => lightest - darkest > 40);
  video.srcObject = null;
  return seen;
}

for (const codec of ["VP8", "VP9", "H264", "AV1"]) {
  check(`video as ${codec}`, 30, async (course) => {
    const connection = line(course);
    const video = connection.addTransceiver(await camera(course));
    if (!prefer(video, codec)) return { absent: true };
    await offer(course, connection);
    await moving(course, video);
    const results = await both(video);
    for (const { codec: used } of Object.values(results)) same(used.toLowerCase(), `video/${codec}`.toLowerCase(), "the codec in use");
    return results;
  });
}

for (const codec of ["opus", "PCMU", "PCMA", "G722"]) {
  check(`audio as ${codec}`, 20, async (course) => {
    const connection = line(course);
    const audio = connection.addTransceiver(await microphone(course));
    if (!prefer(audio, codec)) return { absent: true };
    await offer(course, connection);
    await audible(course, audio);
    const results = await both(audio);
    for (const { codec: used } of Object.values(results)) same(used.toLowerCase(), `audio/${codec}`.toLowerCase(), "the codec in use");
    return results;
  });
}

check("audio alone", 20, async (course) => {
  const { audio } = await call(course, { video: false });
  return audible(course, audio);
});

check("many sections", 40, async (course) => {
  const connection = line(course);
  const all = [];
  for (let i = 0; i < 4; i++) {
    all.push(connection.addTransceiver(await camera(course, 320, 240)), connection.addTransceiver(await microphone(course)));
  }
  await offer(course, connection);
  const follow = (each) => (each.receiver.track.kind === "video" ? moving(course, each) : audible(course, each));
  return { streams: (await Promise.all(all.map(follow))).length };
});

check("a channel beside audio and video", 30, async (course) => {
  const connection = line(course);
  const video = connection.addTransceiver(await camera(course));
  const audio = connection.addTransceiver(await microphone(course));
  const channel = connection.createDataChannel("beside");
  const inbox = new Inbox(channel);
  await offer(course, connection);
  await opened(course, channel);
  const work = Promise.all([moving(course, video, 60), audible(course, audio)]);
  for (let i = 0; i < 100; i++) await echo(channel, inbox, `${i} ${"x".repeat(i * 20)}`);
  await work;
});

// Without `a=ssrc` lines a packet finds its section by the MID in its header (RFC 9143 section 9.2).
check("sources that are not declared", 30, async (course) => {
  const edit = (sdp, type) => (type === "offer" ? sdp.replace(/^a=ssrc.*\r\n/gm, "") : sdp);
  const { audio, video } = await call(course, { edit });
  await Promise.all([moving(course, video), audible(course, audio)]);
});

// Without the MID in the header, by the `a=ssrc` lines or by the payload type.
check("packets without the name of their section", 30, async (course) => {
  const edit = (sdp) => sdp.replace(/^a=extmap:\S+ urn:ietf:params:rtp-hdrext:sdes:mid.*\r\n/gm, "");
  const { audio, video } = await call(course, { edit });
  await Promise.all([moving(course, video), audible(course, audio)]);
});

check("the server offers audio and video", 30, async (course) => {
  const connection = line(course);
  const { type, sdp, session } = await post("/make-offer", { channels: [], audio: true, video: true });
  await connection.setRemoteDescription({ type, sdp });
  const [audio, video] = ["audio", "video"].map((kind) => connection.getTransceivers().find(({ receiver }) => receiver.track.kind === kind));
  assert(audio && video, `the offer has ${connection.getTransceivers().length} sections of audio and video`);
  await audio.sender.replaceTrack(await microphone(course));
  await video.sender.replaceTrack(await camera(course));
  audio.direction = video.direction = "sendrecv";
  await connection.setLocalDescription(await connection.createAnswer());
  await gathered(connection);
  await post("/answer", { session, type: "answer", sdp: connection.localDescription.sdp });
  await Promise.all([moving(course, video), audible(course, audio)]);
  // The answer made us the DTLS server, which chooses (RFC 5764 section 4.1.1). Firefox does not tell.
  const transport = [...(await connection.getStats()).values()].find(({ type }) => type === "transport");
  if (!transport?.srtpCipher || server.post !== request) return {};
  same(transport.dtlsRole, "client", "the role of the page in DTLS");
  same(transport.srtpCipher, "SRTP_AEAD_AES_128_GCM", "what protects audio and video");
  return { srtpCipher: transport.srtpCipher };
});

// --- renegotiation ---

check("muted and unmuted by direction", 60, async (course) => {
  const { connection, audio, video, session } = await call(course);
  await Promise.all([moving(course, video), audible(course, audio)]);
  for (const direction of ["recvonly", "sendonly", "inactive"]) {
    audio.direction = video.direction = direction;
    await offer(course, connection, { session });
    for (const { currentDirection } of [audio, video]) assert([direction, "inactive"].includes(currentDirection), `${direction} became ${currentDirection}`);
    const [sends, receives] = [direction === "sendonly", direction === "recvonly"];
    if (!sends) await Promise.all([audio, video].map((each) => still(course, `${direction}, sent`, () => packetsSent(each))));
    // A server that is not heard has nothing to send back, whatever the direction lets it.
    if (!receives) await Promise.all([audio, video].map((each) => still(course, `${direction}, received`, () => packetsReceived(each))));
    audio.direction = video.direction = "sendrecv";
    await offer(course, connection, { session });
    same([audio.currentDirection, video.currentDirection], ["sendrecv", "sendrecv"], "the directions");
    await Promise.all([moving(course, video), audible(course, audio)]);
  }
});

const sections = (connection) => connection.localDescription.sdp.match(/^m=.*$/gm);

check("tracks added and removed by renegotiation", 60, async (course) => {
  const { connection, audio, session } = await call(course, { video: false });
  await audible(course, audio);
  const again = () => offer(course, connection, { session });
  const added = async () => {
    const sender = connection.addTrack(await camera(course), new MediaStream());
    return connection.getTransceivers().find((each) => each.sender === sender);
  };
  const first = await added();
  await again();
  await moving(course, first);

  connection.removeTrack(first.sender);
  await again();
  await still(course, "sent after removal", () => packetsSent(first));
  await still(course, "received after removal", () => packetsReceived(first));

  const second = await added();
  await again();
  await moving(course, second);

  first.stop();
  await again();
  const before = sections(connection);
  const third = connection.addTransceiver(await camera(course));
  await again();
  // The rejected section is used again (RFC 9429 section 5.2.2).
  same(sections(connection).length, before.length, "the number of sections");
  await Promise.all([moving(course, second), moving(course, third), audible(course, audio)]);
  return { sections: sections(connection) };
});

check("another track in place of the camera", 30, async (course) => {
  const { video } = await call(course, { audio: false });
  const { frameWidth: before } = await moving(course, video);
  await video.sender.replaceTrack(canvas(course, 480, 200));
  const after = await until(course, "the other size", () => received(video), ({ frameWidth, frameHeight }) => Math.abs(frameWidth / frameHeight - 2.4) < 0.05);
  await video.sender.replaceTrack(null);
  await still(course, "sent without a track", () => packetsSent(video));
  return { before, after: after.frameWidth };
});

check("an ICE restart under audio and video", 40, async (course) => {
  const { connection, audio, video, session } = await call(course);
  await Promise.all([moving(course, video), audible(course, audio)]);
  const ufrag = () => connection.remoteDescription.sdp.match(/^a=ice-ufrag:(.*)$/m)[1];
  const before = ufrag();
  connection.restartIce();
  await offer(course, connection, { session });
  assert(ufrag() !== before, "the server keeps its user name fragment");
  await Promise.all([moving(course, video, 60), audible(course, audio)]);
});

// --- simulcast ---

const LAYERS = [{ rid: "q", scaleResolutionDownBy: 4 }, { rid: "h", scaleResolutionDownBy: 2 }, { rid: "f" }];

check("simulcast with three layers", 90, async (course) => {
  const connection = line(course);
  // Chromium makes three layers of pictures from 960 by 540 on.
  const video = connection.addTransceiver(canvas(course, 960, 540, true), { sendEncodings: LAYERS });
  assert(prefer(video, "VP8"), "the browser lacks VP8");
  const session = await offer(course, connection);
  const accepted = connection.remoteDescription.sdp.match(/^a=simulcast:recv (.*)$/m)?.[1].split(";");
  same(accepted?.toSorted(), ["f", "h", "q"], "the layers that the server receives");
  const flowing = (all) => LAYERS.every(({ rid }) => all.find((each) => each.rid === rid)?.framesSent >= 15);
  await until(course, "three layers sent", () => layers(video), flowing);

  const switches = [];
  for (const rid of ["q", "h", "f", "q"]) {
    const started = performance.now();
    const { keyFramesDecoded: before } = await until(course, "a picture", () => received(video), ({ framesDecoded }) => framesDecoded > 0);
    await post("/layer", { session, rid });
    const ours = async () => ({ layer: (await layers(video)).find((each) => each.rid === rid), echo: await received(video) });
    const { echo: after } = await until(course, `layer ${rid}`, ours, ({ layer, echo }) => echo.frameWidth === layer.frameWidth);
    switches.push({ rid, width: after.frameWidth, milliseconds: Math.round(performance.now() - started), keyFrames: after.keyFramesDecoded - before });
    await moving(course, video, 20);
  }
  // From a layer to another goes by a key frame.
  for (const { rid, keyFrames } of switches.slice(1)) assert(keyFrames > 0, `no key frame came with layer ${rid}`);
  return { layers: await layers(video), switches };
});

// --- fan-out ---

// A connection that only receives what `of` sends; returns how soon, and what it counts.
async function watch(course, of) {
  const started = performance.now();
  const connection = line(course);
  const audio = connection.addTransceiver("audio", { direction: "recvonly" });
  const video = connection.addTransceiver("video", { direction: "recvonly" });
  await offer(course, connection, { of }, undefined, "/watch");
  await moving(course, video, 1);
  const firstPicture = Math.round(performance.now() - started);
  await Promise.all([moving(course, video, 60), audible(course, audio)]);
  return { firstPicture, video: await received(video), audio: await received(audio) };
}

// In a page of its own: watches, and tells the page that holds it.
async function watchFor(holder, of) {
  if (asked.has("loop")) server = holder.loop;
  const course = new Course();
  const report = await within(25, watch(course, of)).catch((error) => ({ error: String(error), steps: course.steps, waiting: course.waiting }));
  holder.postMessage({ of, report });
}

check("one track fanned out to five pages", 60, async (course) => {
  const { video, session } = await call(course, { direction: "sendonly" });
  await until(course, "pictures sent", () => sent(video), ({ framesSent }) => framesSent >= 20);
  globalThis.loop = server;
  const pages = Array.from({ length: 5 }, async () => {
    const frame = document.createElement("iframe");
    const address = new URL(location.href);
    address.searchParams.set("watch", session);
    frame.src = address;
    frame.allow = "autoplay";
    document.body.append(frame);
    course.ends.push(() => frame.remove());
    for (;;) {
      const { data, source } = await event(globalThis, "message");
      if (source === frame.contentWindow) return data.report;
    }
  });
  const watched = await Promise.all(pages);
  const failed = watched.filter(({ error }) => error);
  assert(failed.length === 0, `${failed.length} pages see nothing, one says ${JSON.stringify(failed[0])}`);
  // Who comes late asks for a key frame, and the sender hears of it; a browser encodes anew instead.
  const { pliCount = 0, firCount = 0 } = await sent(video);
  assert(pliCount + firCount > 0 || server instanceof Loop, "no key frame was asked for");
  return { watched, sent: await sent(video) };
});

// --- loss ---

check("video on a path that loses one packet in twenty", 60, async (course) => {
  const { audio, video } = await call(course, { edit: lossy(20) });
  await Promise.all([moving(course, video, 100), audible(course, audio)]);
  // Each side asks for what it misses, and gets it.
  const repaired = ({ sent, received }) =>
    sent.nackCount > 0 && sent.retransmittedPacketsSent > 0 && received.nackCount > 0 && (received.retransmittedPacketsReceived ?? 1) > 0;
  const results = await until(course, "repair both ways", () => both(video), repaired);
  await moving(course, video, 100);
  return { then: results, video: await both(video), audio: await both(audio) };
});
