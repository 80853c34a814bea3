"use strict";

// The server's place taken by the browser itself: what `server.rs` does, as far as the checks of
// audio and video need it. It shows that a check can pass at all in this browser.
class Loop {
  sessions = new Map();

  async post(path, body) {
    const run = { "/offer": this.offer, "/make-offer": this.makeOffer, "/answer": this.answer, "/watch": this.watch, "/layer": this.layer }[path];
    assert(run, `the loop has no ${path}`);
    return run.call(this, body);
  }

  // After each check.
  end() {
    for (const { connection } of this.sessions.values()) connection.close();
    this.sessions.clear();
  }

  open(session = `${this.sessions.size}`) {
    if (!this.sessions.has(session)) this.sessions.set(session, { session, connection: new RTCPeerConnection(), split: null });
    const found = this.sessions.get(session);
    // Chromium hands sound on only from a track that plays.
    found.connection.ontrack = ({ track }) => {
      if (track.kind === "audio") Object.assign(new Audio(), { srcObject: new MediaStream([track]), autoplay: true });
    };
    found.connection.ondatachannel = ({ channel }) => {
      channel.binaryType = "arraybuffer";
      channel.onmessage = ({ data }) => channel.send(data);
    };
    return found;
  }

  async describe({ session, connection, split }) {
    await connection.setLocalDescription();
    await gathered(connection);
    const { type, sdp } = connection.localDescription;
    return { type, sdp: split ? split.join(sdp) : sdp, session };
  }

  async offer({ type, sdp, session }) {
    const own = this.open(session);
    own.split ??= Split.of(sdp);
    await own.connection.setRemoteDescription({ type, sdp: own.split ? own.split.apart(sdp) : sdp });
    this.echo(own);
    return this.describe(own);
  }

  async makeOffer({ audio, video }) {
    const own = this.open();
    if (audio) own.connection.addTransceiver("audio");
    if (video) own.connection.addTransceiver("video");
    return this.describe(own);
  }

  async answer({ session, type, sdp }) {
    const own = this.open(session);
    await own.connection.setRemoteDescription({ type, sdp });
    this.echo(own);
    return {};
  }

  async watch({ of, type, sdp }) {
    const from = this.open(of);
    const own = this.open();
    await own.connection.setRemoteDescription({ type, sdp });
    const tracks = from.connection.getReceivers().map(({ track }) => track);
    for (const transceiver of own.connection.getTransceivers()) {
      transceiver.direction = "sendonly";
      await transceiver.sender.replaceTrack(tracks.find(({ kind }) => kind === transceiver.receiver.track.kind));
    }
    return this.describe(own);
  }

  async layer({ session, rid }) {
    const transceivers = this.open(session).connection.getTransceivers();
    const chosen = transceivers.find(({ mid }) => mid === rid);
    await transceivers[0].sender.replaceTrack(chosen.receiver.track);
    return {};
  }

  echo({ connection, split }) {
    for (const [i, transceiver] of connection.getTransceivers().entries()) {
      if (transceiver.stopped || (split && i > 0)) continue;
      transceiver.direction = "sendrecv";
      transceiver.sender.replaceTrack(transceiver.receiver.track);
    }
  }
}

const RID_URI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
const REPAIRED_URI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
const MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid";

// Browsers do not receive simulcast. So a description of one section with layers becomes one of as
// many sections, whose MID in the packets is the layer's RID; and the answer one section again.
class Split {
  // Of an offer with `a=simulcast:send`, which has no other section.
  static of(sdp) {
    const rids = sdp.match(/^a=simulcast:send (.*)\r$/m)?.[1].split(";");
    return rids ? new Split(rids, sdp) : null;
  }

  constructor(rids, sdp) {
    this.rids = rids;
    this.mid = sdp.match(/^a=mid:(.*)\r$/m)[1];
    this.id = { mid: this.number(sdp, MID_URI), rid: this.number(sdp, RID_URI) };
  }

  number(sdp, uri) {
    return sdp.split("\r\n").find((line) => line.startsWith("a=extmap:") && line.endsWith(` ${uri}`)).match(/\d+/)[0];
  }

  // The lines of the session, and those of the first section.
  parts(sdp) {
    const [session, section] = sdp.split(/^(?=m=)/m);
    return { session, section };
  }

  // The lines of a section with layers, their identifiers and their sources.
  static LAYERED = new RegExp(`^a=(rid|simulcast|ssrc|ssrc-group|msid):.*\\r\\n|^a=extmap:\\S+ (${MID_URI}|${REPAIRED_URI})\\r\\n`, "gm");

  apart(sdp) {
    const { session, section } = this.parts(sdp);
    const plain = section.replace(Split.LAYERED, "").replace(RID_URI, MID_URI);
    return grouped(session, this.rids) + this.rids.map((rid) => named(plain, rid)).join("");
  }

  join(sdp) {
    const { session, section } = this.parts(sdp);
    const plain = section.replace(new RegExp(`^a=extmap:\\S+ ${MID_URI}\\r\\n`, "m"), "");
    const lines = [
      `a=extmap:${this.id.mid} ${MID_URI}`, `a=extmap:${this.id.rid} ${RID_URI}`,
      ...this.rids.map((rid) => `a=rid:${rid} recv`), `a=simulcast:recv ${this.rids.join(";")}`,
    ];
    return grouped(session, [this.mid]) + named(plain, this.mid) + lines.map((line) => `${line}\r\n`).join("");
  }
}

const grouped = (session, mids) => session.replace(/^a=group:BUNDLE [^\r]*/m, `a=group:BUNDLE ${mids.join(" ")}`);
const named = (section, mid) => section.replace(/^a=mid:[^\r]*/m, `a=mid:${mid}`);
