// A link to come in by has its token behind the #, which no browser sends, and so no log or referrer has. It is taken
// out of the address before anything else, and sent as the form that is there would be.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  history.replaceState(null, "", location.pathname + location.search);
  const form = document.getElementById("login");
  if (form instanceof HTMLFormElement && form.elements.token) {
    form.elements.token.value = token;
    form.submit();
  }
}
