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
  form.dispatchEvent(new CustomEvent("swapped", { bubbles: true, detail: { page, url: reply.url } }));
}

/** One part of a page by its id; it keeps the focus if it had it. */
function swap(page, name) {
  const [here, there] = [document.getElementById(name), page.getElementById(name)];
  if (!here || !there) return;
  const focused = here.contains(document.activeElement) ? document.activeElement.id : null;
  here.replaceWith(document.adoptNode(there));
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

// ---- board, map and chain

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
