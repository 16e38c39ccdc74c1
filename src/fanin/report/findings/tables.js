// Tables sort by a click on a column's name, and long ones filter. Nothing else.
document.querySelectorAll("main table").forEach(function (table) {
  var body = table.tBodies[0], rows = Array.from(body.rows), up = {};
  if (rows.length < 4) return;
  Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      up[column] = !up[column];
      var value = function (row) {
        var text = row.cells[column].textContent.replace("−", "-").replace(/,/g, "");
        var raised = text.match(/^(-?[\d.]+)·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$/);
        if (raised) return Number(raised[1]) * Math.pow(10, Number(raised[2].replace(/./g, function (c) { return c === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c); })));
        return text === "" || isNaN(Number(text)) ? text : Number(text);
      };
      var sign = up[column] ? 1 : -1;
      rows.slice().sort(function (a, b) {
        var x = value(a), y = value(b);
        if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
        return sign * (typeof x === "number" ? x - y : x.localeCompare(y));
      }).forEach(function (row) { body.appendChild(row); });
      Array.from(table.tHead.rows[0].cells).forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up[column] ? "ascending" : "descending");
    });
  });
  if (rows.length < 12) return;
  var label = document.createElement("label"), field = document.createElement("input");
  label.className = "filter";
  label.textContent = "Filter ";
  field.type = "search";
  label.appendChild(field);
  field.addEventListener("input", function () {
    var words = field.value.toLowerCase();
    rows.forEach(function (row) { row.hidden = row.textContent.toLowerCase().indexOf(words) < 0; });
  });
  table.parentNode.parentNode.insertBefore(label, table.parentNode);
});
// A link into a folded table unfolds it, in browsers that do not do so themselves.
function unfold() {
  var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  var folded = target && target.closest("details");
  if (folded && !folded.open) { folded.open = true; target.scrollIntoView(); }
}
addEventListener("hashchange", unfold);
unfold();
