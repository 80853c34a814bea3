// The checks of examples: their own pages, from their own servers, in frames of this page.
"use strict";

// An example's page. It is of the same origin, so that we may look into it and press its buttons.
async function open(course) {
  const frame = document.createElement("iframe");
  frame.src = "/";
  frame.allow = "camera; microphone; autoplay";
  frame.style = "width: 600px; height: 500px";
  const end = () => frame.remove();
  course.ends.push(end);
  document.body.append(frame);
  await event(frame, "load");
  const find = (selector) => frame.contentDocument.querySelector(selector);
  return { page: frame.contentWindow, find, end, press: (selector) => find(selector).click() };
}

function said(opened) {
  return opened.find("#state").textContent;
}

// --- broadcast ---

// How many frames the table of the page counts, which it renews every second.
function counted({ find }, direction) {
  const rows = [...find("#figures").rows].map(({ cells }) => [...cells].map(({ textContent }) => textContent));
  const video = rows.find(([way, , , picture]) => way === direction && picture !== "");
  return video ? Number(video[4]) : 0;
}

async function goesOn(course, what, opened, direction, frames = 20) {
  const before = counted(opened, direction);
  const look = () => ({ frames: counted(opened, direction), said: said(opened) });
  return until(course, what, look, (seen) => seen.frames >= before + frames);
}

check("one camera is watched by three pages", 45, async (course) => {
  const early = [await open(course), await open(course)];
  for (const watcher of early) watcher.press("#watching");
  for (const watcher of early) await until(course, "a page that waits", () => said(watcher), (text) => text === "connected");

  const publisher = await open(course);
  publisher.press("#publishing");
  await goesOn(course, "the camera", publisher, "sending");
  const late = await open(course);
  late.press("#watching");
  const watchers = [...early, late];
  await Promise.all(watchers.map((watcher) => goesOn(course, "a picture", watcher, "receiving")));

  const second = await open(course);
  second.press("#publishing");
  await until(course, "a second camera is refused", () => said(second), (text) => text.includes("already"));
  // The publisher goes and another comes: nothing is negotiated with those who watch.
  publisher.press("#leaving");
  await pause(1500);
  second.press("#publishing");
  await Promise.all(watchers.map((watcher) => goesOn(course, "the other camera", watcher, "receiving")));
  return watchers.map((watcher) => counted(watcher, "receiving"));
});

// --- save-to-disk ---

// What is in the file is for the test to find out.
check("camera and microphone are recorded", 30, async (course) => {
  const opened = await open(course);
  await goesOn(course, "the camera", opened, "sending", 60);
  opened.press("#finish");
  await until(course, "the end", () => said(opened), (text) => text.includes("finished"));
});

// --- sfu ---

async function enter(course, name) {
  const opened = await open(course);
  opened.find("#name").value = name;
  opened.press("#join");
  const { find } = opened;
  const tiles = () => [...find("#tiles").children];
  const tile = (of) => tiles().find((each) => each.querySelector(".name").textContent === of);
  // What comes of the others: pictures and sound, by the browser's own count.
  const flows = async () => {
    const stats = await opened.page.eval("call?.pc.getStats()");
    return stats ? [...stats.values()].filter(({ type }) => type === "inbound-rtp") : [];
  };
  return { ...opened, name, tiles, tile, flows };
}

async function sees(course, member, others) {
  const what = `${member.name} sees ${others.map(({ name }) => name).join(" and ")}`;
  const moving = (other) => {
    const tile = member.tile(other.name);
    return tile && !tile.classList.contains("still") && tile.querySelector("video").videoWidth > 0;
  };
  const look = () => ({ said: said(member), moving: others.filter(moving).length, tiles: member.tiles().length });
  const all = (seen) => seen.moving === others.length && seen.tiles === others.length + 1;
  return until(course, what, look, all);
}

async function hears(course, member, others) {
  const look = async () => (await member.flows()).filter(({ kind, totalAudioEnergy }) => kind === "audio" && totalAudioEnergy > 0);
  return until(course, `${member.name} hears`, look, (voices) => voices.length >= others.length);
}

check("a room of three pages", 60, async (course) => {
  const [ada, grace] = [await enter(course, "Ada"), await enter(course, "Grace")];
  let edsger = await enter(course, "Edsger");
  const room = [ada, grace, edsger];
  const of = (member) => room.filter((other) => other !== member);
  await Promise.all(room.map((member) => sees(course, member, of(member))));
  await Promise.all(room.map((member) => hears(course, member, of(member))));

  // Another layer of Grace for Ada alone.
  const width = (viewer) => viewer.tile("Grace").querySelector("video").videoWidth;
  const widths = [];
  for (const layer of ["l", "m", "l"]) {
    const menu = ada.tile("Grace").querySelector("select");
    menu.value = layer;
    menu.dispatchEvent(new Event("change"));
    const wanted = { l: 320, m: 640 }[layer];
    widths.push(await until(course, `layer ${layer}`, () => width(ada), (seen) => seen === wanted));
  }

  edsger.press("#leave");
  await until(course, "Edsger is gone", () => [ada, grace].map(({ tiles }) => tiles().length), (seen) => seen.every((count) => count === 2));
  edsger.press("#join");
  await Promise.all(room.map((member) => sees(course, member, of(member))));
  // Who closes the page has left too.
  grace.end();
  const left = [ada, edsger];
  await Promise.all(left.map((member) => sees(course, member, left.filter((other) => other !== member))));
  return { widths };
});

// --- ortc ---

check("layers put together by hand", 20, async (course) => {
  const opened = await open(course);
  opened.press("#connect");
  await until(course, "the echo", () => said(opened), (text) => text.startsWith("100 messages came back"));
});

// --- single-port ---

// Presses a button of the page, and looks at where its twenty connections end.
async function twenty(course, button, protocol) {
  const opened = await open(course);
  opened.press(button);
  await until(course, "twenty connections", () => said(opened), (text) => text.startsWith("20 connections"));
  const rows = [...opened.find("#list").rows].slice(1);
  const places = new Set(rows.map(({ cells }) => cells[1].textContent));
  same(rows.length, 20, "the number of connections");
  // One port on each address of the machine.
  const ports = new Set([...places].map((place) => `${place.split(" ")[0]} ${place.split(":").at(-1)}`));
  same(ports.size, 1, `the number of ports among ${[...places]}`);
  assert([...ports][0].startsWith(`${protocol} `), `the port is ${[...ports]}`);
  return [...places];
}

check("twenty connections to one UDP port", 30, (course) => twenty(course, "#udp", "udp"));

check("twenty connections to one TCP port", 30, (course) => twenty(course, "#tcp", "tcp"));
