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

// ---- needs and seeds: live matches while typing

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
