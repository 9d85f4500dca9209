/** What a screen reader hears by itself: changes of a state, and answers to what was done. Never lines of output. */

let region: HTMLElement | null = null;
let isSame = false;

/** Say this when there is a pause. */
export function announce(text: string): void {
  region ??= made();
  isSame = !isSame;
  region.textContent = isSame ? text : `${text}\u00a0`; // the same words twice are two changes
}

function made(): HTMLElement {
  const element = document.createElement("div");
  element.className = "hidden";
  element.setAttribute("role", "status");
  document.body.append(element);
  return element;
}
