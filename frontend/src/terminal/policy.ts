/** xterm.js under a strict Content-Security-Policy.
 *
 * It makes `<style>` elements and sets `style` attributes, and the policy forbids both: they are how injected markup
 * would dress. What a script sets through the object model is allowed, and means the same. So a style sheet becomes a
 * constructed one, and the attribute of a span `cssText` (CSSOM, 6.3 and 6.6). It takes the global document wherever its
 * option for another is not asked, so what it finds there is changed: for styles, while a terminal is opened; for spans,
 * once.
 */

/** Open a terminal so that the policy has nothing to say to what it makes. */
export function openUnderPolicy(open: () => void): void {
  document.createElement = (tag: string) => (tag === "style" ? sheetBehind() : create(tag));
  try {
    open();
  } finally {
    Reflect.deleteProperty(document, "createElement");
  }
}

HTMLSpanElement.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};

function create(tag: string): HTMLElement {
  return Document.prototype.createElement.call(document, tag);
}

/** Return an element whose text goes into a constructed style sheet, which is there as long as the element. It is no
 * `<style>` itself: the policy is asked about an empty one, too. */
function sheetBehind(): HTMLElement {
  const element = create("span");
  const sheet = new CSSStyleSheet();
  element.hidden = true;
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, "textContent", { set: (text: string) => sheet.replaceSync(text) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}
