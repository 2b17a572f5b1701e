for (const table of document.querySelectorAll(".weight-profiles table")) {
  const body = table.tBodies[0];
  for (const head of table.querySelectorAll("th[data-kind]:not([data-kind=''])")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent + " \u2195";
    head.replaceChildren(button);
    let ascends = false;
    button.addEventListener("click", () => {
      ascends = !ascends;
      const column = head.cellIndex;
      const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const number = (row) => (value(row) === "" ? NaN : Number(value(row)));
      const rows = [...body.rows].sort((a, b) => {
        if (head.dataset.kind === "text") return value(a).localeCompare(value(b), undefined, { numeric: true });
        const [x, y] = [number(a), number(b)];
        return isNaN(x) ? (isNaN(y) ? 0 : 1) : isNaN(y) ? -1 : x - y;
      });
      if (!ascends) rows.reverse();
      body.append(...rows);
      for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", ascends ? "ascending" : "descending");
    });
  }
}
