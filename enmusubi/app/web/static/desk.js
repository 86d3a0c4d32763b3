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
