/** A document for xterm.js that keeps to a strict Content-Security-Policy.
 *
 * xterm.js makes `<style>` elements and sets `style` attributes, and the policy forbids both: they are how injected
 * markup would dress. What a script sets through the object model is allowed. So the elements that are made here pass
 * the same text on that way: a style sheet is a constructed one, an attribute is `cssText` (CSSOM, 6.3 and 6.6).
 */

/** Return a document that makes such elements, and is `real` in everything else. */
export function strictDocument(real: Document): Document {
  return new Proxy(real, {
    get(target, name) {
      if (name === "createElement") return (tag: string) => made(target, tag);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function made(real: Document, tag: string): HTMLElement {
  const element = real.createElement(tag);
  if (tag === "style") return sheetBehind(real, element);
  element.setAttribute = (name: string, value: string) => {
    if (name === "style") element.style.cssText = value;
    else Element.prototype.setAttribute.call(element, name, value);
  };
  return element;
}

/** Let the text of this element go into a constructed style sheet, which is there as long as the element. */
function sheetBehind(real: Document, element: HTMLElement): HTMLElement {
  const sheet = new CSSStyleSheet();
  real.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, "textContent", { set: (text: string) => sheet.replaceSync(text) });
  element.remove = () => {
    real.adoptedStyleSheets = real.adoptedStyleSheets.filter((each) => each !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}
