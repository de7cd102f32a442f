"use strict";
(() => {
  const items = [...document.querySelectorAll(".item")];
  const form = document.getElementById("filters");
  const search = document.getElementById("search");
  const unseen = document.getElementById("unseen");
  const selects = [...form.querySelectorAll("select")];
  const output = document.getElementById("shown");
  const boxes = new Map();
  const key = "awaken:" + location.pathname;
  let seen = new Set();
  try { seen = new Set(JSON.parse(localStorage.getItem(key) || "[]")); } catch { /* no storage */ }
  const names = selects.map((select) => select.dataset.key);
  const values = items.map((item) => new Map(names.map((name) => [name, item.closest(`[data-${name}]`)?.dataset[name] || ""])));
  const texts = items.map((item) => item.textContent.toLowerCase());
  let shown = [];
  // Sites and what holds them, in their order: the number of sites before its start and its end, and of nodes inside.
  const nodes = [];
  for (const element of document.querySelectorAll(".part, .file, .group, .item")) {
    const start = nodes.length ? nodes.at(-1).next : 0, isItem = element.classList.contains("item");
    const inside = isItem ? 1 : element.querySelectorAll(".item").length;
    nodes.push({ element, start, end: start + inside, next: start + isItem, nodes: isItem ? 0 : element.querySelectorAll(".part, .file, .group, .item").length });
  }

  for (const select of selects) {
    const choices = [...new Set(values.map((one) => one.get(select.dataset.key)))].filter(Boolean).sort();
    for (const name of choices) select.add(new Option(name, name));
    select.parentElement.hidden = choices.length < 2;
  }
  const mark = (item, on) => {
    seen[on ? "add" : "delete"](item.id);
    item.classList.toggle("seen", on);
    boxes.get(item).checked = on;
    try { localStorage.setItem(key, JSON.stringify([...seen])); } catch { /* no storage */ }
  };
  for (const item of items) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    label.className = "seenbox";
    box.type = "checkbox";
    label.append(box, " looked at");
    box.addEventListener("change", () => { mark(item, box.checked); filter(); });
    item.prepend(label);
    boxes.set(item, box);
    box.checked = seen.has(item.id);
    item.classList.toggle("seen", box.checked);
  }
  const number = (value) => value.toLocaleString("en");
  const filter = () => {
    const wanted = selects.filter((select) => select.value).map((select) => [select.dataset.key, select.value]);
    const text = search.value.trim().toLowerCase();
    shown = items.map((item, index) => wanted.every(([name, chosen]) => values[index].get(name) === chosen) &&
      (!text || texts[index].includes(text)) && !(unseen.checked && seen.has(item.id)));
    const sums = [0];
    for (const on of shown) sums.push(sums.at(-1) + on);
    const count = sums.at(-1), all = count === items.length;
    for (let at = 0; at < nodes.length; at++) {
      const { element, start, end, nodes: inside } = nodes[at], on = all || sums[end] > sums[start];
      if (element.hidden === on) element.hidden = !on;
      if (!on) at += inside;  // they are hidden with it
    }
    output.value = `${number(count)} of ${number(items.length)} sites, ${number(seen.size)} looked at`;
  };
  const walk = (step) => {
    const stops = items.filter((item, index) => shown[index]);
    if (!stops.length) return;
    const at = stops.indexOf(document.activeElement.closest(".item"));
    const next = stops[Math.min(Math.max(at < 0 ? (step > 0 ? 0 : stops.length - 1) : at + step, 0), stops.length - 1)];
    next.tabIndex = -1;
    next.focus();
    next.scrollIntoView({ block: "center" });
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target === search) { search.value = ""; search.blur(); filter(); return; }
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key === "/") { event.preventDefault(); search.focus(); }
    if (event.key === "j") walk(1);
    if (event.key === "k") walk(-1);
    const item = document.activeElement.closest(".item");
    if (event.key === "x" && item) { mark(item, !seen.has(item.id)); filter(); item.focus(); }
  });
  form.hidden = items.length === 0;
  filter();
})();
