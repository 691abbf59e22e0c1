// Asks before a form with data-confirm is sent; data-confirm-yes and data-confirm-no are the words of the two buttons.

function ask({ confirm: question, confirmYes, confirmNo }) {
  const dialog = document.createElement("dialog");
  const article = document.createElement("article");
  const words = document.createElement("p");
  const buttons = document.createElement("footer");
  const no = document.createElement("button");
  const yes = document.createElement("button");
  words.textContent = question;
  words.id = "confirm-words";
  no.textContent = confirmNo;
  no.className = "secondary outline";
  yes.textContent = confirmYes;
  yes.className = "danger";
  buttons.append(no, yes);
  article.append(words, buttons);
  dialog.append(article);
  dialog.setAttribute("aria-labelledby", words.id);
  document.body.append(dialog);
  return new Promise((resolve) => {
    no.addEventListener("click", () => dialog.close());
    yes.addEventListener("click", () => dialog.close("yes"));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
    no.focus();
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-confirm]");
  if (!form) return;
  event.preventDefault();
  if (await ask(form.dataset)) form.submit(); // .submit() sends no second submit event
});
