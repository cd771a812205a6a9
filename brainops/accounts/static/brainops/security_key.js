// Asks the browser for a security key and sends its answer with the form around the button.
// <form data-security-key="create|get" data-options="…JSON…"> <input name="answer"> <button type="button">

const REFUSED = "The security key did not answer. Try again, or use a code.";
const UNABLE = "This browser cannot use security keys here.";

function say(form, words) {
  form.querySelector("[data-said]").textContent = words;
}

async function ask(form) {
  const options = JSON.parse(form.dataset.options).publicKey;
  const isNew = form.dataset.securityKey === "create";
  const parse = isNew ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  if (!window.PublicKeyCredential?.[parse]) {
    say(form, UNABLE);
    return;
  }
  const publicKey = window.PublicKeyCredential[parse](options);
  try {
    const found = await (isNew ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
    form.elements.answer.value = JSON.stringify(found);
    form.submit();
  } catch {
    say(form, REFUSED);
  }
}

for (const form of document.querySelectorAll("form[data-security-key]")) {
  form.querySelector("button[type=button]").addEventListener("click", () => ask(form));
}
