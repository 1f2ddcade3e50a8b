// Filters the items, keeps the choice in the address, opens what is linked. The page reads the same without it.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;
  const form = document.getElementById("filters");
  const count = document.getElementById("count");
  const whole = count.textContent;
  const nothing = document.getElementById("nothing");
  const SETS = ["status", "severity"];
  const CHOICES = ["section", "service", "queue"];

  const items = all(".item").map((node) => ({
    node,
    id: node.id,
    status: node.dataset.status,
    severity: node.dataset.severity,
    section: node.closest("[data-section]").dataset.section,
    service: JSON.parse(node.dataset.services),
    queue: JSON.parse(node.dataset.queues),
    text: null,
  }));
  const cells = new Map(all(".cell").map((node) => [node.dataset.item, node]));
  const text = (item) => (item.text ??= node_text(item.node));
  const node_text = (node) => node.textContent.toLowerCase().replace(/\s+/g, " ");

  let state = empty();

  function empty() {
    return { status: new Set(), severity: new Set(), section: "", service: "", queue: "", q: "" };
  }

  function read() {
    const made = empty();
    const params = new URLSearchParams(location.hash.slice(1));
    for (const name of SETS) made[name] = new Set((params.get(name) || "").split(",").filter(Boolean));
    for (const name of [...CHOICES, "q"]) made[name] = params.get(name) || "";
    return made;
  }

  function write() {
    const params = new URLSearchParams();
    for (const name of SETS) if (state[name].size) params.set(name, [...state[name]].join(","));
    for (const name of [...CHOICES, "q"]) if (state[name]) params.set(name, state[name]);
    const hash = params.toString();
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
  }

  // Whether an item fits the state; `but` names a filter that is left out, to count what choosing in it would give.
  function fits(item, but = "") {
    for (const name of SETS) if (name !== but && state[name].size && !state[name].has(item[name])) return false;
    if (but !== "section" && state.section && item.section !== state.section) return false;
    if (but !== "service" && state.service && !item.service.includes(state.service)) return false;
    if (but !== "queue" && state.queue && !item.queue.includes(state.queue)) return false;
    return state.q.toLowerCase().split(/\s+/).every((word) => text(item).includes(word));
  }

  const filtered = () => SETS.some((name) => state[name].size) || CHOICES.some((name) => state[name]) || state.q.trim() !== "";

  function apply() {
    const active = filtered();
    let visible = 0;
    for (const item of items) {
      const shown = fits(item);
      item.node.hidden = !shown;
      visible += shown;
      cells.get(item.id)?.classList.toggle("off", !shown);
    }
    for (const fold of all(".fold")) {
      const some = all(".item", fold).some((node) => !node.hidden);
      fold.hidden = !some;
      if (active) fold.open = some;
      else if (!fold.dataset.byHand) fold.open = false;
    }
    for (const section of all(".section")) {
      const here = items.filter((item) => item.section === section.dataset.section && !item.node.hidden);
      section.hidden = here.length === 0;
      for (const tally of all(".tally", section)) {
        const number = here.filter((item) => item.status === tally.dataset.status).length;
        tally.hidden = number === 0;
        tally.querySelector("b").textContent = number;
      }
    }
    for (const node of all("[data-n]")) {
      const [name, value] = node.dataset.n.split("=");
      const number = items.filter((item) => item[name] === value && fits(item, name)).length;
      node.textContent = number;
      node.closest(".chip").classList.toggle("empty", number === 0);
    }
    nothing.hidden = visible > 0;
    count.textContent = active ? `${visible} of ${items.length} items` : whole;
  }

  function show() {
    for (const name of SETS) for (const box of all(`input[name=${name}]`, form)) box.checked = state[name].has(box.value);
    for (const name of [...CHOICES, "q"]) if (form.elements[name]) form.elements[name].value = state[name];
  }

  function change(next) {
    state = next;
    show();
    apply();
    write();
  }

  function open(id) {
    const item = items.find((one) => one.id === id);
    if (!item) return false;
    if (item.node.hidden) change(empty());
    for (let node = item.node; node; node = node.parentElement.closest("details")) node.open = true;
    item.node.scrollIntoView({ block: "start" });
    item.node.querySelector("summary").focus({ preventScroll: true });
    return true;
  }

  function follow() {
    const hash = location.hash.slice(1);
    if (hash.includes("=")) {
      state = read();
      show();
      apply();
    } else if (hash) open(hash);
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    const field = event.target;
    if (SETS.includes(field.name)) state[field.name][field.checked ? "add" : "delete"](field.value);
    else state[field.name] = field.value;
    apply();
    write();
  });
  for (const fold of all(".fold")) fold.querySelector("summary").addEventListener("click", () => (fold.dataset.byHand = "1"));

  // Places that lead to a choice of items become links only here: without script they would lead nowhere.
  for (const node of all("[data-go]")) {
    const link = document.createElement("a");
    link.href = "#" + node.dataset.go;
    link.append(...node.childNodes);
    node.append(link);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      history.pushState(null, "", link.getAttribute("href"));
      follow();
      document.getElementById("items").scrollIntoView();
    });
  }

  const expand = document.querySelector("[data-expand]");
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-item], [data-reset], [data-expand]");
    if (!target) return;
    if (target.dataset.item) {
      if (open(target.dataset.item)) event.preventDefault();
    } else if (target === expand) {
      const opening = expand.textContent === "Expand all";
      for (const item of items) if (!item.node.hidden && !item.node.closest(".fold:not([open])")) item.node.open = opening;
      expand.textContent = opening ? "Collapse all" : "Expand all";
    } else {
      event.preventDefault();
      change(empty());
    }
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input[type=search], select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      form.elements.q.focus();
    } else if (event.key === "Escape" && event.target === form.elements.q) {
      change({ ...state, q: "" });
    }
  });

  const theme = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("tt-audit-theme"); } catch { return null; } };
  const current = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  function paint() {
    theme.textContent = current() === "dark" ? "Light theme" : "Dark theme";
  }
  if (stored()) root.dataset.theme = stored();
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = current() === "dark" ? "light" : "dark";
    try { localStorage.setItem("tt-audit-theme", root.dataset.theme); } catch { /* private windows */ }
    paint();
  });
  dark.addEventListener("change", paint);
  paint();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details.is-fail, details.is-error").filter((node) => !node.hidden);
    closed = closed.flatMap((node) => [node, ...all("details", node)]).filter((node) => !node.open);
    for (const node of closed) node.open = true;
  });
  addEventListener("afterprint", () => { for (const node of closed) node.open = false; });

  addEventListener("hashchange", follow);
  apply();
  follow();
})();
