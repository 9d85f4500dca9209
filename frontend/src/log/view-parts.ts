/** The elements that a log view is made of, rows aside. */

import { part } from "./view-row";

export interface Parts {
  box: HTMLElement;
  /** what can be focused, and scrolls */
  scroller: HTMLElement;
  /** what is scrolled: as high as the scroll bar's way is long */
  way: HTMLElement;
  /** a row that nobody sees: how high a line is, and how wide ten characters are */
  probe: HTMLElement;
  /** takes one back to the end */
  follow: HTMLButtonElement;
}

export function partsOf(label: string): Parts {
  const box = part("div", "log");
  const scroller = part("div", "log-scroller");
  const way = part("div", "log-way");
  const probe = part("div", "log-probe");
  const follow = part("button", "log-follow");
  scroller.tabIndex = 0;
  // No live region: a screen reader would read every line. What is to be heard is said by the page.
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", label);
  probe.setAttribute("aria-hidden", "true");
  probe.textContent = "0123456789";
  follow.type = "button";
  follow.hidden = true;
  way.append(probe);
  scroller.append(way);
  box.append(scroller, follow);
  return { box, scroller, way, probe, follow };
}

/** Show how many lines came since the end was left; without any, just where the button leads. */
export function showFollow(button: HTMLButtonElement, count: number, isNeeded: boolean): void {
  button.hidden = !isNeeded;
  const lines = count === 1 ? "1 new line" : `${count.toLocaleString("en")} new lines`;
  const text = count > 0 ? lines : "Follow";
  if (button.textContent !== text) button.textContent = text;
}

/** Digits that there is room for at least: else the text would move at the tenth line, the hundredth and so on. */
const FEW = 4;

/** Make room for the numbers of so many lines. */
export function widenNumbers(box: HTMLElement, count: number): void {
  const digits = String(Math.max(FEW, String(count).length));
  if (box.style.getPropertyValue("--log-digits") !== digits) box.style.setProperty("--log-digits", digits);
}
