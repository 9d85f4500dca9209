/** A dialog in front of the page: the browser keeps the focus in it, and gives it back. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons";

export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    dialog?.addEventListener("click", (event) => event.target === dialog && dialog.close()); // on what lies behind it
  }, []);
  return (
    <dialog ref={ref} aria-label={title} onClose={close}>
      <div class="top">
        <h2>{title}</h2>
        <button type="button" class="quiet icon" aria-label="Close" onClick={() => ref.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <div class="inside">{children}</div>
    </dialog>
  );
}
