// The one script of the pages: each page works without it; with it, decisions do not reload the page.
// Elements say by data- attributes what they want; nothing here knows a page.

const html = new DOMParser();

/** Send a form, and put the parts of the answering page that it names in the place of those of this one. */
async function sendInPlace(form, submitter) {
  const names = form.dataset.swap.split(" ");
  const body = new FormData(form, submitter);
  const posted = form.method === "post";
  const encoded = [...body.values()].every((value) => typeof value === "string") ? new URLSearchParams(body) : body;
  const address = posted ? form.action : `${form.action}?${encoded}`;
  const reply = await fetch(address, {
    method: form.method, body: posted ? encoded : undefined, headers: { Accept: "text/html" },
  });
  const page = html.parseFromString(await reply.text(), "text/html");
  if (new URL(reply.url).pathname === "/sign-in" || (!reply.ok && !names.some((name) => page.getElementById(name)))) {
    document.location.assign(reply.url.startsWith(document.location.origin) ? reply.url : "/");
    return;
  }
  for (const name of ["said", ...names]) swap(page, name);
  // On the document: the form itself may be gone by now.
  document.dispatchEvent(new CustomEvent("swapped", { detail: { page, url: reply.url } }));
}

/** One part of a page by its id; it keeps the focus if it had it. */
function swap(page, name) {
  const [here, there] = [document.getElementById(name), page.getElementById(name)];
  if (!here || !there) return;
  const focused = here.contains(document.activeElement) ? document.activeElement.id : null;
  const scrolled = here.scrollTop;
  if (name === "said") here.replaceChildren(...document.adoptNode(there).childNodes); // a new region would not be read out
  else here.replaceWith(document.adoptNode(there));
  if (scrolled) there.scrollTop = scrolled;
  if (focused) document.getElementById(focused)?.focus();
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
    event.preventDefault();
    return;
  }
  if (!form.dataset.swap) return;
  event.preventDefault();
  if (form.dataset.busy) return; // sent already
  form.dataset.busy = "yes";
  form.setAttribute("aria-busy", "true");
  try {
    await sendInPlace(form, event.submitter);
  } catch {
    const said = document.getElementById("said");
    const told = document.createElement("p");
    told.className = "alert";
    told.textContent = document.body.dataset.offline;
    said.replaceChildren(told);
  } finally {
    delete form.dataset.busy;
    form.removeAttribute("aria-busy");
  }
});

// ---- review queue and matches

let queueAt = document.location.pathname + document.location.search;

/** Follow a link in place: the parts that it names are exchanged, and the list keeps its place. */
async function openInPlace(link) {
  const names = link.dataset.open.split(" ");
  const address = link.href;
  const reply = await fetch(address, { headers: { Accept: "text/html" } });
  const page = html.parseFromString(await reply.text(), "text/html");
  if (!reply.ok || !names.every((name) => page.getElementById(name))) {
    document.location.assign(address);
    return;
  }
  for (const name of ["said", ...names]) swap(page, name);
  const pane = document.getElementById("queue-pane");
  history.pushState(null, "", pane.dataset.place);
  arrived(page, pane);
}

/** The opened match is another one: its place in the list is shown, and the focus is not left nowhere. */
function arrived(page, pane) {
  queueAt = document.location.pathname + document.location.search;
  document.body.className = page.body.className;
  document.querySelector("#queue-list .current")?.scrollIntoView({ block: "nearest" });
  if (document.activeElement === document.body) (document.getElementById("pane-title") ?? pane).focus({ preventScroll: true });
  if (pane.getBoundingClientRect().top < 0) pane.scrollIntoView({ block: "start" });
}

document.addEventListener("swapped", (event) => {
  const pane = document.getElementById("queue-pane");
  if (!pane || !event.detail.page.getElementById("queue-pane")) return;
  history.replaceState(null, "", pane.dataset.place);
  arrived(event.detail.page, pane);
});

window.addEventListener("popstate", () => {
  // Anchors within the page come here as well.
  const here = document.location.pathname + document.location.search;
  if (document.getElementById("queue-pane") && here !== queueAt) document.location.reload();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-open]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  openInPlace(link).catch(() => document.location.assign(link.href));
});

const KEYS_OFF = "enmusubi-keys-off";
const typing = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

/** Whether something may be pressed now: seen, and not within what is folded up. */
function isReady(element) {
  const within = element.dataset.within;
  return within ? document.getElementById(within).open : element.checkVisibility() && !element.disabled;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (event.key === "Escape") {
    const folded = event.target.closest("details[open]");
    if (folded) { folded.open = false; folded.querySelector("summary").focus(); }
    return;
  }
  if (event.target.closest(typing) || localStorage.getItem(KEYS_OFF)) return;
  const meant = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key && isReady(each));
  if (!meant) return;
  event.preventDefault();
  meant.click();
  if (meant.matches("summary") && meant.parentElement.open) meant.parentElement.querySelector("textarea, button")?.focus();
});

const keysOn = document.getElementById("keys-on");
if (keysOn) {
  keysOn.closest("[data-keys-switch]").hidden = false;
  keysOn.checked = !localStorage.getItem(KEYS_OFF);
  keysOn.addEventListener("change", () => {
    if (keysOn.checked) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "yes");
  });
}

/** What is tied to each other lights up together. */
function light(event, on) {
  const tied = event.target.closest?.("[data-evidence]");
  if (!tied) return;
  for (const number of tied.dataset.evidence.split(" ")) {
    for (const each of document.querySelectorAll(`[data-evidence~="${number}"]`)) each.classList.toggle("lit", on);
  }
}
for (const name of ["pointerover", "focusin"]) document.addEventListener(name, (event) => light(event, true));
for (const name of ["pointerout", "focusout"]) document.addEventListener(name, (event) => light(event, false));

// ---- needs and seeds: live matches while typing

// ---- files: drop, progress

// ---- board, map and chain

// ---- account: what a link in a letter carries behind its #
