// On a narrow screen the menu scrolls sideways: bring the present page into sight, and close the account's menu on a press elsewhere.

const menu = document.querySelector(".site-nav");
const present = menu?.querySelector("[aria-current]");
if (menu && present) menu.scrollLeft = present.offsetLeft - (menu.clientWidth - present.offsetWidth) / 2;

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
