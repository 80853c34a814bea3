// The page's half of the signalling, and what every page shows. See signalling.rs.

// Offers what `pc` has, with all its candidates, and applies the answer.
async function connect(pc) {
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
  // The peer hears at once that we are gone, and not after half a minute of silence.
  addEventListener("pagehide", () => pc.close());
}

// Writes into `element`, and into the console, what the connection did in the last second.
function watch(pc, element) {
  let before = new Map();
  setInterval(async () => {
    const lines = [pc.connectionState];
    const stats = await pc.getStats();
    const now = new Map();
    for (const entry of stats.values()) {
      const sent = entry.type === "outbound-rtp";
      if (!sent && entry.type !== "inbound-rtp") continue;
      const bytes = sent ? entry.bytesSent : entry.bytesReceived;
      now.set(entry.id, bytes);
      const codec = stats.get(entry.codecId)?.mimeType ?? entry.kind;
      const rate = Math.round(((bytes - (before.get(entry.id) ?? bytes)) * 8) / 1000);
      const frames = sent ? entry.framesEncoded : entry.framesDecoded;
      const picture =
        entry.kind === "video"
          ? `, ${entry.frameWidth}×${entry.frameHeight}, ${sent ? "framesEncoded" : "framesDecoded"} ${frames}`
          : sent ? "" : `, energy ${entry.totalAudioEnergy?.toFixed(3)}`;
      const lost = sent ? "" : `, ${entry.packetsLost} lost`;
      lines.push(`${sent ? "sending" : "receiving"} ${codec}: ${rate} kbit/s${picture}${lost}`);
    }
    before = now;
    element.textContent = lines.join("\n");
    console.info(lines.join(" | "));
  }, 1000);
}

// Runs the page's program and shows what goes wrong.
function run(program, element) {
  program().catch((error) => {
    element.textContent = `${error.name}: ${error.message}`;
    console.error(element.textContent);
  });
}
