"use strict";
{
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.style.colorScheme || (preferred.matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = dark() ? "Light page" : "Dark page"; };
  theme.addEventListener("click", () => { root.style.colorScheme = dark() ? "light" : "dark"; name(); });
  preferred.addEventListener("change", name);
  theme.hidden = false;
  name();

  const form = document.getElementById("filter");
  if (form) {
    const [words, end, number] = ["words", "end", "number"].map((id) => document.getElementById(id));
    const rows = Array.from(document.querySelectorAll("#list > li"), (row) => [row, row.textContent.toLowerCase()]);
    const count = document.getElementById("count");
    const narrow = () => {
      const wanted = words.value.trim().toLowerCase();
      let shown = 0;
      for (const [row, text] of rows) {
        const fits = (!end.value || row.dataset.end === end.value) && (!number.value || row.dataset.number === number.value);
        row.hidden = !(fits && text.includes(wanted));
        shown += !row.hidden;
      }
      count.textContent = `${shown} of ${rows.length} shown`;
    };
    form.addEventListener("input", narrow);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    narrow();
  }
}
