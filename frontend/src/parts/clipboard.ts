/** Copying text, and sharing addresses, with what there is. */

import { toast } from "./toast";

/** Copy the text; say what was copied, or that it could not be. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    if (!navigator.clipboard) throw new Error("not in a page without HTTPS");
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copiedByHand(text)) return toast("The browser does not let this be copied");
  }
  toast(`${what} copied`);
}

/** Hand the address to whatever the system shares with; where there is no such thing, copy it. */
export async function share(title: string, url: string): Promise<void> {
  if (typeof navigator.share !== "function") return copy(url, "Link");
  try {
    await navigator.share({ title, url });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) await copy(url, "Link");
  }
}

/** Copy as it was done before there was a clipboard API, which pages over plain HTTP do not get. */
function copiedByHand(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return isDone;
}
