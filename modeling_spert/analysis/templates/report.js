"use strict";
// Filters the list of cases. The page is complete without it: the bar is hidden until it runs.
const bar = document.getElementById("filters");
const cases = [...document.querySelectorAll("#cases .case")];
const groups = [...document.querySelectorAll("#cases .kind")];
const status = document.getElementById("shown");

function matches(item, wanted) {
  const data = item.dataset;
  return (!wanted.kind || data.kind === wanted.kind || data.kind.startsWith(wanted.kind + "/")) &&
    (!wanted.type || data.types.split(" ").includes(wanted.type)) &&
    (!wanted.state || data.state.split(" ").includes(wanted.state)) &&
    (!wanted.words || item.textContent.toLowerCase().includes(wanted.words));
}

function filter() {
  const wanted = {};
  for (const field of bar.elements) {
    if (field.name) wanted[field.name] = field.value.trim().toLowerCase();
  }
  let shown = 0;
  for (const item of cases) {
    item.hidden = !matches(item, wanted);
    if (!item.hidden) shown += 1;
  }
  const any = Object.values(wanted).some(Boolean);
  for (const group of groups) {
    group.hidden = !group.querySelector(".case:not([hidden])");
    if (any && !group.hidden) group.open = true;
  }
  status.textContent = shown + " of " + cases.length + " shown";
}

bar.hidden = false;
bar.addEventListener("input", filter);
bar.addEventListener("reset", () => setTimeout(filter));
bar.addEventListener("submit", (event) => event.preventDefault());
filter();
