// Light or dark, as it was chosen in the admin; "auto" follows the system.
const chosen = (localStorage.getItem("adminTheme") || "auto").replaceAll('"', "");
const system = matchMedia("(prefers-color-scheme: dark)");
const show = () => document.documentElement.classList.toggle("dark-mode", chosen === "dark" || (chosen !== "light" && system.matches));
system.addEventListener("change", show);
show();
