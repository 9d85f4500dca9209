/** Something to know, or something that went wrong, where it matters; with what can be done about it. */

import type { ComponentChildren } from "preact";
import type { Tone } from "../core/words";
import { Icon, type IconName } from "./icons";

interface Parts {
  tone: Tone;
  icon?: IconName;
  /** whether it has to be heard at once */
  isAlert?: boolean;
  children: ComponentChildren;
  actions?: ComponentChildren;
}

export function Notice({ tone, icon, isAlert = false, children, actions }: Parts) {
  return (
    <div class={`notice ${tone}`} role={isAlert ? "alert" : undefined}>
      <Icon name={icon ?? (tone === "bad" || tone === "other" ? "warning" : "told")} />
      <div class="what">{children}</div>
      {actions}
    </div>
  );
}
