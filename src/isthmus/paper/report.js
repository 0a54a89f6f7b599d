// The page is complete without this script: it only makes two of its figures answer to the reader.
"use strict";

// Sizes of the code: one at a time, chosen by a slider.
for (const figure of document.querySelectorAll(".sizes")) {
  const sizes = [...figure.querySelectorAll(".size")];
  const slider = figure.querySelector(".slider");
  const input = slider.querySelector("input");
  const output = slider.querySelector("output");
  const show = () => {
    sizes.forEach((size, k) => { size.hidden = k !== Number(input.value); });
    output.textContent = sizes[input.value].dataset.numbers;
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.max = sizes.length - 1;
  input.value = Math.floor((sizes.length - 1) / 2);
  input.addEventListener("input", show);
  slider.hidden = false;
  show();
}

// The plane of codes: what the place under the pointer decodes to.
for (const figure of document.querySelectorAll(".plane")) {
  const grid = JSON.parse(figure.dataset.grid);
  const side = grid.length;
  const map = figure.querySelector(".map img").src;
  const told = figure.querySelector(".told");
  const squares = [...figure.querySelectorAll(".square")];
  const add = (square, name) => {
    const made = document.createElement("div");
    made.className = name;
    made.hidden = true;
    return square.appendChild(made);
  };
  const spots = squares.map((square) => add(square, "spot"));
  const lenses = squares.map((square) => add(square, "lens pixels"));
  const write = (value) => value.toFixed(2).replace("-", "−");
  const place = (element, x, y) => {
    element.style.left = 100 * x + "%";
    element.style.top = 100 * y + "%";
    element.hidden = false;
  };
  told.hidden = false;
  squares.forEach((square, k) => {
    const look = (event) => {
      const box = square.getBoundingClientRect();
      const x = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.9999);
      const y = Math.min(Math.max((event.clientY - box.top) / box.height, 0), 0.9999);
      const column = Math.floor(x * side);
      const line = Math.floor(y * side);
      spots.forEach((spot) => place(spot, x, y));
      const lens = lenses[k];
      lens.style.backgroundImage = `url(${map})`;
      lens.style.backgroundSize = `${100 * side}%`;
      lens.style.backgroundPosition = `${(100 * column) / (side - 1)}% ${(100 * line) / (side - 1)}%`;
      lens.style.marginTop = y < 0.3 ? "1.2rem" : "";
      place(lens, Math.min(Math.max(x, 0.18), 0.82), y);
      told.textContent = `code (${write(grid[column][0])}, ${write(grid[side - 1 - line][1])})`;
    };
    square.addEventListener("pointermove", look);
    square.addEventListener("pointerdown", look);
    square.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") [...spots, ...lenses].forEach((element) => { element.hidden = true; });
    });
  });
}
