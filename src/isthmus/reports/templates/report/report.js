// The page is complete without this script, which makes tables sortable and the plane of codes answer to the reader.
"use strict";

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const key = (row, place) => {
    const cell = row.cells[place];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].map((row) => [key(row, place), row]);
      const compared = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
      rows.sort((a, b) => sign * compared(a[0], b[0]));
      body.append(...rows.map((pair) => pair[1]));
    });
  });
}

for (const figure of document.querySelectorAll(".plane")) {
  const rows = JSON.parse(figure.querySelector("script").textContent);
  const svg = figure.querySelector("svg");
  const dots = [...svg.querySelectorAll("circle:not(.here)")];
  const places = dots.map((dot) => [Number(dot.getAttribute("cx")), Number(dot.getAttribute("cy"))]);
  const here = svg.querySelector(".here");
  const told = figure.querySelector(".told");
  const input = figure.querySelector(".walk input");
  const add = (parent, name, text) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return parent.appendChild(made);
  };
  const thumb = (parent, place, label) => {
    const sheet = rows.sheet;
    const made = add(parent, "span");
    made.className = "thumb";
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", label);
    const column = place % sheet.columns;
    const line = Math.floor(place / sheet.columns);
    made.style.backgroundImage = `url(${sheet.address})`;
    made.style.backgroundSize = `${100 * sheet.columns}% ${100 * sheet.lines}%`;
    made.style.backgroundPosition = `${(100 * column) / Math.max(1, sheet.columns - 1)}% ${(100 * line) / Math.max(1, sheet.lines - 1)}%`;
  };
  const show = (place) => {
    const [label, target, cells] = rows.rows[place];
    here.setAttribute("cx", places[place][0]);
    here.setAttribute("cy", places[place][1]);
    here.removeAttribute("hidden");
    here.style.display = "";
    input.value = place;
    input.setAttribute("aria-valuetext", `row ${label}`);
    told.replaceChildren();
    const title = add(told, "p");
    add(title, "b", `row ${label}`);
    if (target) title.append(`, ${rows.target}: ${target}`);
    if (rows.sheet) {
      const pair = add(told, "p");
      thumb(pair, 2 * place, `row ${label}`);
      thumb(pair, 2 * place + 1, "its reconstruction");
      add(told, "p", "Left: the row. Right: what the model rebuilds from its code.").className = "soft";
    }
    if (cells.length) {
      const table = add(told, "table");
      const head = add(add(table, "thead"), "tr");
      for (const name of ["column", "row", "rebuilt"]) add(head, "th", name).scope = "col";
      const body = add(table, "tbody");
      cells.forEach(([own, rebuilt], k) => {
        const line = add(body, "tr");
        add(line, "th", rows.names[k]).scope = "row";
        add(line, "td", own);
        add(line, "td", rebuilt);
      });
    }
  };
  const look = (event) => {
    const box = svg.getBoundingClientRect();
    const view = svg.viewBox.baseVal;
    const x = ((event.clientX - box.left) / box.width) * view.width;
    const y = ((event.clientY - box.top) / box.height) * view.height;
    let best = 0;
    let least = Infinity;
    places.forEach(([cx, cy], k) => {
      const distance = (cx - x) ** 2 + (cy - y) ** 2;
      if (distance < least && !dots[k].classList.contains("dim")) [best, least] = [k, distance];
    });
    show(best);
  };
  svg.addEventListener("pointermove", look);
  svg.addEventListener("pointerdown", look);
  input.max = dots.length - 1;
  input.addEventListener("input", () => show(Number(input.value)));
  figure.querySelector(".walk").hidden = false;
  for (const button of figure.querySelectorAll(".legend button")) {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      for (const other of figure.querySelectorAll(".legend button")) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(on));
      dots.forEach((dot) => dot.classList.toggle("dim", on && !dot.classList.contains(button.dataset.class)));
    });
  }
  if (dots.length) show(Math.floor(dots.length / 2));
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
