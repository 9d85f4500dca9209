// What the login does where there is JavaScript: everything works without.
const { hash } = location;
const form = document.getElementById("login");
const token = new URLSearchParams(hash.slice(1)).get("token");

if (token) {
  // A link to come in by has its token behind the #, which no browser sends, and so no log or referrer has. It is taken
  // out of the address before anything else, and sent as the form that is there would be.
  history.replaceState(null, "", location.pathname + location.search);
  if (form instanceof HTMLFormElement && form.elements.token) {
    form.elements.token.value = token;
    form.submit();
  }
} else if (hash) {
  // What stood behind the # of the address that led here: a browser keeps it through the redirect that follows.
  if (form instanceof HTMLFormElement) form.action += hash;
}

if (document.getElementById("back")) {
  // Tell the pages of this browser, which ask the server themselves whether it is so.
  new BroadcastChannel("tailrace").postMessage("in");
  window.close(); // a browser does that only if a script has opened it
}

const fault = document.querySelector(".fault[data-wait]");
const button = document.querySelector("button.start");
if (fault instanceof HTMLElement && button instanceof HTMLButtonElement) wait(Number(fault.dataset.wait));

function wait(seconds) {
  const until = Date.now() + seconds * 1000;
  const words = button.textContent;
  const look = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${words} (in ${left} s)` : words;
    if (left > 0) return;
    clearInterval(timer);
    fault.textContent = "Now it can be tried again.";
  };
  const timer = setInterval(look, 500);
  look();
}
