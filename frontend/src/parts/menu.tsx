/** A button that opens a few more. Escape, a choice, and whatever happens elsewhere close it. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons";

interface Parts {
  label: string;
  icon: IconName;
  /** shown beside the icon; without it the label is only told */
  text?: string;
  class?: string;
  children: ComponentChildren;
}

export function Menu({ label, icon, text, class: looks = "quiet", children }: Parts) {
  const [isOpen, open] = useState(false);
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isOpen && ref.current) return watch(ref.current, () => open(false));
    return undefined;
  }, [isOpen]);
  return (
    <div class="menu" ref={ref}>
      <button
        type="button"
        class={text === undefined ? `${looks} icon` : looks}
        aria-label={text === undefined ? label : undefined}
        title={label}
        aria-expanded={isOpen}
        onClick={() => open(!isOpen)}
      >
        <Icon name={icon} />
        {text}
      </button>
      {isOpen && <div class="sheet-of">{children}</div>}
    </div>
  );
}

/** Take the focus into the menu, move it by arrows, and close where it is over. */
function watch(menu: HTMLElement, close: () => void): () => void {
  const control = new AbortController();
  const { signal } = control;
  const outside = (event: Event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) close();
  };
  document.addEventListener("pointerdown", outside, { signal });
  document.addEventListener("focusin", outside, { signal });
  menu.addEventListener("keydown", (event) => steer(event, menu, close), { signal });
  menu.addEventListener("click", (event) => isChoice(event.target) && close(), { signal });
  choicesOf(menu)[0]?.focus();
  return () => control.abort();
}

function choicesOf(menu: HTMLElement): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>(".sheet-of :is(a, button, input)")];
}

/** A button that sends a form is none: a form that is taken away before it is sent is not sent. */
function isChoice(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(".sheet-of :is(a, button:not([type='submit']))") !== null;
}

function steer(event: KeyboardEvent, menu: HTMLElement, close: () => void): void {
  if (event.key === "Escape") {
    event.preventDefault();
    close();
    menu.querySelector("button")?.focus();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const all = choicesOf(menu);
  const at = all.findIndex((each) => each.contains(document.activeElement));
  all.at((at + step + all.length) % all.length)?.focus();
}
