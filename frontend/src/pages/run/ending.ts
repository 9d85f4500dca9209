/** A notification of the system when the run is over, for who has asked for it. */

import { signal } from "@preact/signals";
import type { Run } from "../../core/shapes";
import { ending } from "../../core/words";
import { toast } from "../../parts/toast";

export const isWanted = signal(false);

export function canNotify(): boolean {
  return typeof Notification === "function" && Notification.permission !== "denied";
}

/** Ask the browser's user for leave, after a click, and want it; or want it no more. */
export async function toggleNotice(): Promise<void> {
  if (isWanted.value) {
    isWanted.value = false;
    return;
  }
  const answer = await Notification.requestPermission();
  isWanted.value = answer === "granted";
  toast(isWanted.value ? "You will be told when it ends" : "The browser does not allow that");
}

/** Tell that a run is over, if that is wanted and nobody is looking. */
export function tellEnd(run: Run, name: string): void {
  if (!isWanted.value || run.outcome === null) return;
  isWanted.value = false;
  if (document.visibilityState === "visible" && document.hasFocus()) return;
  try {
    const notice = new Notification(name, { body: ending(run.outcome), tag: run.id });
    notice.onclick = () => window.focus();
  } catch {
    toast(`${name} ${ending(run.outcome)}`); // Chrome on Android has the class, and lets no page make one
  }
}
