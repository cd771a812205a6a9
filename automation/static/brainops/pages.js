// What unfold's pages say in JavaScript that Alpine's strict build does not read: it knows expressions over declared
// data, and neither globals nor statements. So this names the globals as data and replaces the few statements, just
// before Alpine looks at the page. The content policy can then forbid every evaluation of text.
"use strict";

htmx.config.allowEval = false;

document.addEventListener("alpine:init", () => {
  for (const name of ["theme", "searchForm", "searchDropdown", "searchCommand"]) {
    Alpine.data(name, window[name]);
  }
  Alpine.data("wholePage", () => ({
    activeTab: firstTab(),
    sidebarMobileOpen: false,
    sidebarDesktopOpen: localStorage.getItem("sidebarDesktopOpen") !== "0",
    sortRecords: window.sortRecords,
    moveRecords: window.moveRecords,
    init() {
      this.$watch("sidebarDesktopOpen", (isOpen) => localStorage.setItem("sidebarDesktopOpen", isOpen ? "1" : "0"));
    },
    tabAddress() {
      const address = window.location.pathname + window.location.search;
      return this.activeTab && this.activeTab !== "general" ? address + "#" + this.activeTab : address;
    },
    clearSearch(input) {
      if (input.value === "") {
        input.blur();
      }
      input.value = "";
    },
    isPlain(event) {
      return !event.metaKey && !event.ctrlKey;
    },
  }));
  replaceStatements();
});

// Unfold writes the first tab into the body's expression: the last quoted word of x-init.
function firstTab() {
  const words = (document.body.dataset.firstTab || "").match(/'([^']*)'/g) || [];
  const written = words.length ? words[0].slice(1, -1) : "";
  return (written && window.getCurrentTab && window.getCurrentTab()) || written;
}

function replaceStatements() {
  const body = document.body;
  if (body.hasAttribute("x-data")) {
    body.dataset.firstTab = (body.getAttribute("x-data").match(/activeTab:\s*'[^']*'/) || [""])[0];
    body.removeAttribute("x-init");
    body.setAttribute("x-data", "wholePage");
  }
  replace("x-bind:action", /window\.location/, () => "tabAddress()");
  replace("x-on:click", /^sidebarDesktopOpen = !sidebarDesktopOpen;/, () => "sidebarDesktopOpen = !sidebarDesktopOpen");
  replace("x-on:keydown.escape.prevent", /^openSearchResults = false; if/, () =>
    "openSearchResults = false; clearSearch($refs.searchInput)");
  replace("x-on:keydown.enter.prevent", /^if \(/, (written) =>
    "isPlain($event) && " + written.slice(written.indexOf("selectItem")));
}

function replace(attribute, pattern, written) {
  for (const element of document.querySelectorAll("[" + CSS.escape(attribute) + "]")) {
    const text = element.getAttribute(attribute);
    if (pattern.test(text)) {
      element.setAttribute(attribute, written(text));
    }
  }
}
