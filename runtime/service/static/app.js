// Keeps what is marked data-live up to date by asking for the same page again, and sends what buttons say.
"use strict";

const EVERY_MS = 2000;
const connection = document.getElementById("connection");
const updates = document.getElementById("updates");
const message = document.getElementById("message");
let paused = false;
let gone = false;

function say(state, text) {
  if (connection.dataset.state === state) return; // a screen reader hears changes only
  connection.dataset.state = state;
  connection.textContent = text;
}

function tell(text, failed) {
  message.hidden = false;
  message.classList.toggle("failed", failed);
  message.textContent = text;
}

function replaceLive(page, acted) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh) continue;
    // What was opened stays open, and whoever is in the middle of something else there is not disturbed.
    const open = Array.from(part.querySelectorAll("details[id][open]"), (each) => each.id);
    const busy = part.contains(document.activeElement) ? document.activeElement : null;
    const at = busy && busy.closest("details[id] > summary");
    const focused = at && at.parentElement.id;
    for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    if ((acted || focused || !busy) && part.innerHTML !== fresh.innerHTML) {
      part.innerHTML = fresh.innerHTML;
      part.className = fresh.className;
      if (focused) document.getElementById(focused)?.querySelector("summary").focus();
      else if (busy) focusLike(busy, part);
    }
  }
}

// Who has pressed a button by keyboard goes on from there, or from its part of the page where it is gone.
function focusLike(before, part) {
  const alike = [...part.querySelectorAll("[data-post]")].find(
    (each) => each.dataset.post === before.dataset.post && each.dataset.body === before.dataset.body,
  );
  if (!alike) part.tabIndex = -1;
  (alike || part).focus();
}

async function refresh(acted) {
  try {
    const response = await fetch(location.href, { cache: "no-store" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.status === 404) {
      gone = true;
      say("lost", "ended");
      replaceLive(page);
      tell("This is not live any more: " + page.querySelector("main h1").textContent, false);
    } else if (response.ok) {
      replaceLive(page, acted);
      say("live", "live");
    } else {
      say("lost", "refused");
    }
  } catch {
    say("lost", "connection lost");
  }
}

async function loop() {
  const still = "still" in document.getElementById("main").dataset;
  if (!paused && !document.hidden && !gone && !still) await refresh(false);
  setTimeout(loop, EVERY_MS);
}

async function send(button) {
  // Not `disabled`, which would take the keyboard's focus away.
  if (button.ariaDisabled || (button.dataset.confirm && !confirm(button.dataset.confirm))) return;
  button.ariaDisabled = "true";
  try {
    const response = await fetch(button.dataset.post, {
      method: button.dataset.method || "POST",
      headers: { "Content-Type": "application/json" },
      body: button.dataset.body || "{}",
    });
    const answer = await response.json();
    tell(response.ok ? button.dataset.done : answer.error, !response.ok);
  } catch {
    tell("The service does not answer.", true);
  }
  button.ariaDisabled = null;
  await refresh(true);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-post]");
  if (button) send(button);
});

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
  const field = typing || event.ctrlKey || event.metaKey || event.altKey ? null : document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
  if (field) {
    event.preventDefault();
    field.focus();
    field.select();
  }
});

updates.hidden = false;
updates.addEventListener("click", () => {
  paused = !paused;
  updates.setAttribute("aria-pressed", String(paused));
  updates.textContent = paused ? "Resume updates" : "Pause updates";
  say(paused ? "paused" : "", paused ? "updates paused" : "…");
  if (!paused) refresh(false);
});

setTimeout(loop, EVERY_MS);
say("live", "live");
