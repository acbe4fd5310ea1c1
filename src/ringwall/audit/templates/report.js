"use strict";
(() => {
  const filter = document.querySelector(".filter");
  const search = document.getElementById("search");
  const boxes = [...document.querySelectorAll(".filter input[type=checkbox]")];
  const cards = [...document.querySelectorAll("article.finding")];
  const groups = [...document.querySelectorAll(".group")];
  const shown = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const texts = new Map(cards.map((card) => [card, card.textContent.toLowerCase()]));

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let count = 0;
    for (const card of cards) {
      card.hidden = !wanted.has(card.dataset.status) || !words.every((word) => texts.get(card).includes(word));
      count += card.hidden ? 0 : 1;
    }
    for (const group of groups) group.hidden = !group.querySelector("article:not([hidden])");
    shown.textContent = `${count} of ${cards.length} shown`;
    nothing.hidden = count > 0 || cards.length === 0;
  };
  const reset = () => {
    search.value = "";
    for (const box of boxes) box.checked = true;
    apply();
  };
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden || target.closest("[hidden]")) reset();
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView();
  };

  search.addEventListener("input", apply);
  for (const box of boxes) box.addEventListener("change", apply);
  document.getElementById("reset").addEventListener("click", () => { reset(); search.focus(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) reset();
  });
  addEventListener("hashchange", reveal);
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const item of closed) item.open = true;
  });
  addEventListener("afterprint", () => { for (const item of closed) item.open = false; });

  filter.hidden = false;
  apply();
  reveal();
})();
