// On a narrow screen menus scroll sideways: bring the present page into sight, and close the account's menu on a press elsewhere.

for (const menu of document.querySelectorAll(".site-nav, .command-tabs")) {
  const present = menu.querySelector("[aria-current]");
  if (!present) continue;
  const left = present.getBoundingClientRect().left - menu.getBoundingClientRect().left;
  menu.scrollLeft += left - (menu.clientWidth - present.offsetWidth) / 2;
}

const account = document.querySelector("details.account-menu");
document.addEventListener("click", (event) => {
  if (account?.open && !account.contains(event.target)) account.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && account?.open) {
    account.open = false;
    account.querySelector("summary").focus();
  }
});
