// A search field above the tables of the page of all APIs. It hides the rows that lack one of the words.
document.addEventListener("DOMContentLoaded", () => {
  const firstTable = document.querySelector("#the-apis > section");
  if (!firstTable) return;
  const rows = [...document.querySelectorAll("#the-apis tbody tr")];
  const field = document.createElement("input");
  Object.assign(field, { type: "search", className: "search-tables", placeholder: "Search the APIs" });
  field.setAttribute("aria-label", field.placeholder);
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  });
  firstTable.before(field);
});
