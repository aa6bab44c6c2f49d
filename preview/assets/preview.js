"use strict";
// Themes, figures, legends, and what a page finds wrong with itself, for whoever looks at it with a program.
const preview = { figures: {}, errors: [] };
addEventListener("error", (event) => preview.errors.push(String(event.message || "a file is missing")), true);
for (const kind of ["error", "warn"]) {
  const said = console[kind];
  console[kind] = (...words) => { preview.errors.push(words.join(" ")); said.apply(console, words); };
}

// Where pages are files, a browser may refuse to remember.
preview.remembered = () => { try { return localStorage.getItem("preview-theme"); } catch { return null; } };
preview.remember = (theme) => { try { localStorage.setItem("preview-theme", theme); } catch { /* not remembered */ } };
const asked = new URLSearchParams(location.search).get("theme");
document.documentElement.dataset.theme =
  asked || preview.remembered() || (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");

// "@red/0.1" is the theme's red, a tenth of it.
preview.coloured = (value, style) => {
  if (typeof value === "string" && value.startsWith("@")) {
    const [name, share] = value.slice(1).split("/");
    const colour = style.getPropertyValue(`--${name}`).trim();
    return share ? `rgba(${[1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)).join()},${share})` : colour;
  }
  if (Array.isArray(value)) return typeof value[0] === "object" ? value.map((one) => preview.coloured(one, style)) : value;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, preview.coloured(one, style)]));
};

preview.plot = (inside) => {
  const figure = (preview.figures[inside.dataset.side] || {})[inside.dataset.figure];
  const target = inside.querySelector(".plot");
  if (!figure || !target || !target.clientWidth) return;  // not there yet, or in a row that is closed
  const style = getComputedStyle(document.documentElement);
  const { data, layout } = preview.coloured(figure, style);
  const line = style.getPropertyValue("--line").trim();
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, fixedrange: false, automargin: true, ticklabelstandoff: 4 };
  const ink = style.getPropertyValue("--faint").trim();
  const surface = style.getPropertyValue("--raised").trim();
  Plotly.react(target, data, {
    ...layout,
    xaxis: { ...axis, ...layout.xaxis, nticks: Math.max(3, Math.floor(target.clientWidth / 75)), hoverformat: "%a %d %b %H:%M" },
    yaxis: { ...axis, ...layout.yaxis },
    margin: { l: 8, r: 12, t: 10, b: 24 },
    font: { family: style.getPropertyValue("--font"), size: 12, color: ink },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    hoverlabel: { bgcolor: surface, bordercolor: line, font: { color: style.getPropertyValue("--ink").trim() }, namelength: 60 },
    showlegend: false,
  }, { displayModeBar: false, responsive: true });
};

preview.draw = (inside = document) => inside.querySelectorAll("[data-figure]").forEach(preview.plot);

addEventListener("click", (event) => {
  if (event.target.closest(".theme")) {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    preview.remember(theme);
    preview.draw();
  }
  const button = event.target.closest("[data-line]");
  if (button) {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", shown);
    Plotly.restyle(button.closest(".inside").querySelector(".plot"), { visible: shown }, [Number(button.dataset.line)]);
  }
  document.querySelectorAll(".tip[open]").forEach((tip) => { if (!tip.contains(event.target)) tip.open = false; });
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelectorAll(".tip[open]").forEach((tip) => { tip.open = false; });
});
// "toggle" does not bubble.
addEventListener("toggle", (event) => { if (event.target.matches(".row") && event.target.open) preview.draw(event.target); }, true);

preview.findings = () => {
  const boxes = [...document.querySelectorAll(".panel, .card")]
    .map((panel) => ({ panel, box: panel.getBoundingClientRect(), name: (panel.querySelector("h3, h2") || panel).textContent }))
    .filter(({ box }) => box.width);
  const overlaps = boxes.flatMap((one, number) => boxes.slice(number + 1)
    .filter((other) => one.box.left < other.box.right - 1 && other.box.left < one.box.right - 1
      && one.box.top < other.box.bottom - 1 && other.box.top < one.box.bottom - 1)
    .map((other) => `${one.name} lies over ${other.name}`));
  const blank = boxes.filter(({ panel }) => [...panel.querySelectorAll(".inside")].some((inside) => {
    const plot = inside.querySelector(".plot");
    if (plot) return !plot.querySelector(".scatterlayer path, .scatterlayer .trace");
    return !inside.innerText.trim() && ![...inside.querySelectorAll("svg, i")].some((one) => one.getBoundingClientRect().width);
  })).map(({ name }) => name);
  const cut = [...document.querySelectorAll(".tile, .nothing, .failed, .words")].filter((one) => one.clientWidth
    && one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent.slice(0, 40));
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return { width: innerWidth, panels: boxes.length, overlaps, blank, cut, overflow: Math.max(0, wide), errors: preview.errors };
};
addEventListener("load", async () => {
  preview.draw();
  if (asked !== null || location.search.includes("open")) document.querySelectorAll(".row").forEach((row) => { row.open = true; });
  await document.fonts.ready;
  setTimeout(() => {
    const findings = preview.findings();
    document.body.dataset.findings = JSON.stringify(findings);
    if (parent !== window) parent.postMessage({ page: location.href, ...findings }, "*");
  }, 300);
});
