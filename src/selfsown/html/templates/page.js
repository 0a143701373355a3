"use strict";
{
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.style.colorScheme || (preferred.matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = dark() ? "Light theme" : "Dark theme"; };
  theme.addEventListener("click", () => { root.style.colorScheme = dark() ? "light" : "dark"; label(); });
  preferred.addEventListener("change", label);
  theme.hidden = false;
  label();

  const form = document.getElementById("filter");
  if (form) {
    const PER_PAGE = 25;
    const query = document.getElementById("query");
    const selects = Array.from(form.querySelectorAll("select"));
    const items = Array.from(document.querySelectorAll("#list > li"));
    const texts = items.map((row) => row.textContent.toLowerCase());
    const count = document.getElementById("count");
    const more = document.getElementById("more");
    let matching = items;
    let limit = PER_PAGE;

    const number = (value) => value.toLocaleString("en");
    const matches = (row, { dataset: { field }, value }) =>
      !value || (row.dataset[field] || "").split("\n").includes(value);
    const show = () => {
      const shown = new Set(matching.slice(0, limit));
      for (const row of items) row.hidden = !shown.has(row);
      const rest = matching.length - shown.size;
      count.textContent = `${number(matching.length)} of ${number(items.length)} rows match`
        + (rest ? `; the first ${number(shown.size)} are shown` : "");
      more.hidden = !rest;
      more.textContent = `Show ${number(Math.min(rest, PER_PAGE))} more`;
    };
    const filter = () => {
      const searched = query.value.trim().toLowerCase();
      const chosen = selects.filter((select) => select.value);
      matching = items.filter((row, at) =>
        texts[at].includes(searched) && chosen.every((select) => matches(row, select)));
      limit = PER_PAGE;
      show();
    };
    form.addEventListener("input", filter);
    form.addEventListener("change", filter);
    form.addEventListener("reset", () => setTimeout(filter));
    form.addEventListener("submit", (event) => event.preventDefault());
    more.addEventListener("click", () => {
      const first = matching[limit];
      limit += PER_PAGE;
      show();
      first.tabIndex = -1;
      first.focus();
    });

    const copy = async (button) => {
      const code = button.previousElementSibling;
      getSelection().selectAllChildren(code);
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    };
    for (const code of document.querySelectorAll("#list code.id")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", `Copy the id ${code.textContent}`);
      button.addEventListener("click", () => copy(button));
      code.after(" ", button);
    }
    form.hidden = false;
    filter();
  }
}
