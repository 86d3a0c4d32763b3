// The one script of the pages: each page works without it; with it, decisions do not reload the page.
// Elements say by data- attributes what they want; nothing here knows a page.

const html = new DOMParser();

/** Send a form, and put the parts of the answering page that it names in the place of those of this one. */
async function sendInPlace(form, submitter) {
  const names = (submitter?.dataset.swap ?? form.dataset.swap).split(" ");
  const body = new FormData(form, submitter);
  const posted = form.method === "post";
  const encoded = form.enctype === "multipart/form-data" ? body : new URLSearchParams(body);
  const address = posted ? form.action : `${form.action}?${encoded}`;
  const reply = await fetch(address, {
    method: form.method, body: posted ? encoded : undefined, headers: { Accept: "text/html" },
  });
  const page = html.parseFromString(await reply.text(), "text/html");
  if (new URL(reply.url).pathname === "/sign-in" || (!reply.ok && !names.some((name) => page.getElementById(name)))) {
    if (submitter?.dataset.swap) {
      // As without this script: the page of an error keeps what was typed.
      form.dataset.whole = "yes";
      form.requestSubmit(submitter);
      return;
    }
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
  // A button may say itself what of the page it changes, where the others of its form go on to another page.
  if (form.dataset.whole || !(event.submitter?.dataset.swap ?? form.dataset.swap)) return;
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

// ---- needs and seeds: live matches while typing, lengths, and what is not saved yet

const LIVE_AFTER = 400; // ms without a key

/** Show what the public fields of a form match: one request at a time, and no answer to what was changed since. */
class Live {
  constructor(form) {
    this.form = form;
    this.place = document.getElementById("live");
    this.names = form.dataset.liveFields.split(" ");
    this.asked = "";
    this.busy = false;
  }

  /** What is sent: public fields, and the proof that this page sends it. */
  body() {
    const all = new FormData(this.form);
    return new URLSearchParams(["csrf", ...this.names].map((name) => [name, all.get(name) ?? ""]));
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), LIVE_AFTER);
  }

  async ask() {
    const body = this.body();
    if (this.busy || body.toString() === this.asked) return; // one under way asks again when it is back
    const empty = this.names.every((name) => name === "language" || !body.get(name).trim());
    if (empty && !this.asked) return;
    this.busy = true;
    this.asked = body.toString();
    this.place.setAttribute("aria-busy", "true");
    try {
      const reply = await fetch(this.form.dataset.live, { method: "POST", body, headers: { Accept: "text/html" } });
      if (!reply.ok || reply.redirected) throw new Error("not answered");
      const page = html.parseFromString(await reply.text(), "text/html");
      if (this.body().toString() === this.asked) this.place.replaceChildren(...page.body.childNodes);
    } catch {
      this.place.textContent = this.place.dataset.failed;
    } finally {
      this.busy = false;
      this.place.removeAttribute("aria-busy");
    }
    if (this.body().toString() !== this.asked) this.soon();
  }
}

/** How long a field is, in characters as the service counts them, or how many lines of it say something. */
function count(counter) {
  const text = document.getElementById(counter.dataset.counts).value;
  const number = counter.dataset.lines ? text.split("\n").filter((line) => line.trim()).length : [...text].length;
  counter.firstElementChild.textContent = number.toLocaleString(document.documentElement.lang);
  counter.classList.toggle("over", number > Number(counter.dataset.length));
}

for (const form of document.querySelectorAll("form[data-live]")) {
  const live = new Live(form);
  form.addEventListener("input", (event) => {
    if (live.names.includes(event.target.name)) live.soon();
    for (const counter of form.querySelectorAll("[data-counts]")) {
      if (counter.dataset.counts === event.target.id) count(counter);
    }
  });
  live.soon();
}

for (const form of document.querySelectorAll("form[data-unsaved]")) {
  let unsaved = form.querySelector("[aria-invalid]") !== null || form.dataset.unsaved === "already";
  form.addEventListener("input", () => { unsaved = true; });
  // Sent on to another page; what is sent in place is not saved by that.
  form.addEventListener("submit", (event) => { if (!event.submitter?.dataset.swap || form.dataset.whole) unsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
}

// ---- files: drop, progress

/** Send a file with its progress shown; the answering page is gone to as the form itself would. */
function upload(form) {
  const [bar, told] = [form.querySelector("progress"), form.querySelector("[data-upload-wrong]")];
  const [holder, button] = [form.querySelector("[data-uploading]"), form.querySelector("button")];
  const request = new XMLHttpRequest();
  const failed = () => {
    told.textContent = form.dataset.failed;
    told.hidden = false;
    holder.hidden = true;
    button.disabled = false;
  };
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
  });
  request.addEventListener("error", failed);
  request.addEventListener("load", () => {
    if (request.status < 400) return document.location.assign(request.responseURL);
    const page = html.parseFromString(request.responseText, "text/html");
    const wrong = page.querySelector("main .wrong, main .alert, main h1");
    failed();
    if (wrong) told.textContent = wrong.textContent;
    form.elements.namedItem("once").value = page.querySelector("[name=once]")?.value ?? crypto.randomUUID();
  });
  button.disabled = true;
  told.hidden = true;
  holder.hidden = false;
  request.open("POST", form.action);
  request.send(new FormData(form));
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  const [input, told] = [form.querySelector("input[type=file]"), form.querySelector("[data-upload-wrong]")];
  const fits = () => {
    const tooLarge = [...input.files].some((file) => file.size > Number(form.dataset.most));
    told.textContent = tooLarge ? form.dataset.tooLarge : "";
    told.hidden = !tooLarge;
    return !tooLarge;
  };
  form.querySelector("[data-droppable]").hidden = false;
  input.addEventListener("change", fits);
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length !== 1) return;
    input.files = event.dataTransfer.files;
    fits();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (fits()) upload(form);
  });
}

/** Follow an import: the bar with every event, the voice at each quarter, and the next page at the end. */
for (const section of document.querySelectorAll("[data-follow]")) {
  const events = new EventSource(section.dataset.follow);
  let quarter = 0;
  events.addEventListener("progress", (event) => {
    const found = JSON.parse(event.data);
    const bar = section.querySelector("progress");
    section.querySelector("[data-progress-text]").textContent = found.text;
    if (!found.max) return;
    bar.max = Math.max(found.max, found.value);
    bar.value = found.value;
    const now = Math.floor((4 * found.value) / bar.max);
    if (now > quarter) section.querySelector("[data-progress-said]").textContent = found.text;
    quarter = now;
  });
  events.addEventListener("ended", () => {
    events.close();
    document.location.reload();
  });
}

// ---- board, map and chain

const looks = (name) => {
  // Resolved where it is used: light or dark, as the reader has it.
  const probe = document.body.appendChild(document.createElement("span"));
  probe.style.color = `var(${name})`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
};

/** Load the plots' library. It sets styles in two ways that the policy refuses, and works as well in those it allows. */
function loadLibrary(address) {
  const nonce = document.querySelector("script[nonce]").nonce;
  const [create, set] = [document.createElement, Element.prototype.setAttribute];
  document.createElement = function createElement(name, ...options) {
    const made = create.call(this, name, ...options);
    if (String(name).toLowerCase() === "style") made.nonce = nonce;
    return made;
  };
  Element.prototype.setAttribute = function setAttribute(name, value) {
    if (name === "style" && this.style) this.style.cssText = value;
    else set.call(this, name, value);
  };
  return new Promise((loaded, failed) => {
    const script = document.createElement("script");
    Object.assign(script, { src: address, nonce, onload: loaded, onerror: failed });
    document.head.append(script);
  });
}

/** A trace with the colours of the page. */
function coloured(trace) {
  const { colour, width, symbol, size, ...drawn } = trace;
  if (trace.mode === "lines") return { ...drawn, line: { color: looks(colour), width } };
  if (trace.type === "bar") return { ...drawn, marker: { color: looks(colour) } };
  return { ...drawn, marker: { color: looks(colour), symbol, size, line: { color: looks("--paper"), width: 1 } } };
}

/** Draw a figure into its element, or draw it anew where it is. */
function draw(element, { traces, layout }) {
  const { pans, ...given } = layout;
  const [ink, line] = [looks("--ink"), looks("--line")];
  const axis = { gridcolor: line, zerolinecolor: line, automargin: true, fixedrange: !pans };
  const narrow = element.clientWidth < 600;
  return window.Plotly.react(element, traces.map(coloured), {
    ...given,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
    font: { family: getComputedStyle(document.body).fontFamily, color: ink, size: 13 },
    margin: { l: 12, r: 12, t: 12, b: 24 }, hovermode: "closest", dragmode: pans ? "pan" : false,
    hoverlabel: { align: "left", bgcolor: looks("--paper"), bordercolor: line, font: { color: ink } },
    legend: { orientation: "h", yref: "container", ...(narrow ? { y: 0, yanchor: "bottom" } : { y: 1, yanchor: "top" }) },
    uirevision: "kept",
    xaxis: { ...axis, ...given.xaxis }, yaxis: { ...axis, ...given.yaxis },
  }, { displayModeBar: false, responsive: true, scrollZoom: Boolean(pans), doubleClick: pans ? "reset" : false });
}

/** What lies in the shown part of a map, asked for when it is moved or zoomed; late answers are dropped. */
function follow(element, figure) {
  let [waiting, asking] = [0, null];
  return () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      asking?.abort();
      asking = new AbortController();
      const { xaxis, yaxis } = element._fullLayout;
      const [[left, right], [bottom, top]] = [xaxis.range, yaxis.range];
      const address = new URL(element.dataset.points, document.location);
      for (const [name, value] of Object.entries({ left, right, bottom, top })) address.searchParams.set(name, value);
      try {
        const reply = await fetch(address, { signal: asking.signal, headers: { Accept: "application/json" } });
        if (!reply.ok) return;
        const found = await reply.json();
        Object.assign(figure, { traces: found.traces });
        figure.layout.xaxis = { ...figure.layout.xaxis, range: [left, right] };
        figure.layout.yaxis = { ...figure.layout.yaxis, range: [bottom, top] };
        await draw(element, figure);
        document.getElementById(element.dataset.said).textContent = found.said;
      } catch (error) {
        if (error.name !== "AbortError") throw error;
      }
    }, 250);
  };
}

/** Zoom by a factor about the middle; 0 shows all again. */
function zoom(element, factor, whole) {
  const { xaxis, yaxis } = element._fullLayout;
  const about = ([low, high]) => [(low + high) / 2 - ((high - low) / 2) * factor, (low + high) / 2 + ((high - low) / 2) * factor];
  const [x, y] = factor ? [about(xaxis.range), about(yaxis.range)] : whole;
  return window.Plotly.relayout(element, { "xaxis.range": x, "yaxis.range": y });
}

async function plot(elements) {
  await loadLibrary(elements[0].dataset.library);
  for (const element of elements) {
    const figure = JSON.parse(document.getElementById(element.dataset.plot).textContent);
    element.hidden = false;
    await draw(element, figure);
    const whole = [[...element._fullLayout.xaxis.range], [...element._fullLayout.yaxis.range]];
    element.on("plotly_click", ({ points: [point] }) => {
      if (point.customdata) document.location.assign(point.customdata);
      else if (element.dataset.points) {
        const about = (value, [low, high]) => [value - (high - low) / 8, value + (high - low) / 8];
        const { xaxis, yaxis } = element._fullLayout;
        window.Plotly.relayout(element, {
          "xaxis.range": about(point.x, xaxis.range), "yaxis.range": about(point.y, yaxis.range),
        });
      }
    });
    if (element.dataset.points) element.on("plotly_relayout", follow(element, figure));
    for (const button of document.querySelectorAll(`[data-zooms="${element.id}"]`)) {
      button.hidden = false;
      button.addEventListener("click", () => zoom(element, Number(button.value), whole));
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(element, figure));
    element.dataset.drawn = "yes";
  }
}

const plotted = document.querySelectorAll("[data-plot]");
if (plotted.length) await plot(plotted);

// ---- account: what a link in a letter carries behind its #

/** The secret of a letter's link goes into its form, and out of the address bar and the history. */
function takeSecret() {
  for (const form of document.querySelectorAll("form[data-secret]")) {
    const secret = document.location.hash.slice(1);
    if (!secret.startsWith(form.dataset.beginning)) continue;
    const input = form.elements.namedItem(form.dataset.secret);
    input.value = secret;
    input.closest(".field").hidden = true;
    history.replaceState(null, "", document.location.pathname + document.location.search);
    if ("send" in form.dataset) form.requestSubmit();
  }
}
takeSecret();
window.addEventListener("hashchange", takeSecret);

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.copied;
  });
}
