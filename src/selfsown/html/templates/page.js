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
    const [query, status, generation] = ["query", "status", "generation"].map((id) => document.getElementById(id));
    const rows = Array.from(document.querySelectorAll("#list > li"), (row) => [row, row.textContent.toLowerCase()]);
    const count = document.getElementById("count");
    const filter = () => {
      const searched = query.value.trim().toLowerCase();
      let shown = 0;
      for (const [row, text] of rows) {
        const sameStatus = !status.value || row.dataset.status === status.value;
        const sameGeneration = !generation.value || row.dataset.generation === generation.value;
        row.hidden = !(sameStatus && sameGeneration && text.includes(searched));
        shown += !row.hidden;
      }
      count.textContent = `${shown} of ${rows.length} shown`;
    };
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    filter();
  }
}
