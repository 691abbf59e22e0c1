// Reading a long list takes some seconds: say so, and do not let it be sent twice.

document.addEventListener("submit", (event) => {
  const button = event.target.matches("form[data-busy]") && event.target.querySelector("button");
  if (!button) return;
  button.textContent = event.target.dataset.busy;
  button.setAttribute("aria-busy", "true");
  setTimeout(() => (button.disabled = true));
});
addEventListener("pageshow", (event) => event.persisted && location.reload());
