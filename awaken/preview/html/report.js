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
  const holders = [...document.querySelectorAll(".file, .group, .repository")].map((holder) => [holder, [...holder.querySelectorAll(".item")]]);

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
  const filter = () => {
    const wanted = selects.filter((select) => select.value).map((select) => [select.dataset.key, select.value]);
    const text = search.value.trim().toLowerCase();
    let count = 0;
    items.forEach((item, index) => {
      const on = wanted.every(([name, chosen]) => values[index].get(name) === chosen) &&
        (!text || texts[index].includes(text)) && !(unseen.checked && seen.has(item.id));
      if (item.hidden === on) item.hidden = !on;
      count += on;
    });
    const all = count === items.length;
    for (const [holder, inside] of holders) {
      const hidden = !all && inside.every((item) => item.hidden);
      if (holder.hidden !== hidden) holder.hidden = hidden;
    }
    output.value = `${count} of ${items.length} sites, ${seen.size} looked at`;
  };
  const walk = (step) => {
    const shown = items.filter((item) => !item.hidden);
    if (!shown.length) return;
    const at = shown.indexOf(document.activeElement.closest(".item"));
    const next = shown[Math.min(Math.max(at < 0 ? (step > 0 ? 0 : shown.length - 1) : at + step, 0), shown.length - 1)];
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
