/** The sheet of all keys, behind `?`. */

import { signal } from "@preact/signals";
import { Dialog } from "./dialog";
import { hasLetters, type Key, keys } from "./keys";

export const isSheetOpen = signal(false);

export const SHEET_KEY: Key = {
  key: "?",
  does: "show these keys",
  group: "Everywhere",
  act: () => {
    isSheetOpen.value = true;
  },
};

export function KeySheet() {
  if (!isSheetOpen.value) return null;
  return (
    <Dialog
      title="Keys"
      close={() => {
        isSheetOpen.value = false;
      }}
    >
      <div class="keys">
        {grouped(keys.value).map(([group, rows]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {rows.map(([does, names]) => (
                <div key={does}>
                  <dt>
                    {names.map((name) => (
                      <Combination key={name} name={name} />
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={hasLetters.value}
          onChange={(event) => {
            hasLetters.value = event.currentTarget.checked;
          }}
        />
        Keys of a single character
      </label>
    </Dialog>
  );
}

function Combination({ name }: { name: string }) {
  const parts = name.length > 1 ? name.split("+") : [name];
  return (
    <span class="combination">
      {parts.map((part) => (
        <kbd key={part}>{ARROWS[part] ?? part}</kbd>
      ))}
    </span>
  );
}

const ARROWS: Readonly<Record<string, string>> = {
  " ": "Space",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
  PageUp: "PgUp",
  PageDown: "PgDn",
};

/** Return the groups in the order in which they came, each with what its keys do and which ones do it. */
export function grouped(all: readonly Key[]): [string, [string, string[]][]][] {
  const groups = new Map<string, Map<string, string[]>>();
  for (const { group, does, key } of all) {
    const rows = groups.get(group) ?? new Map<string, string[]>();
    groups.set(group, rows);
    const names = rows.get(does) ?? [];
    rows.set(does, names);
    if (!names.includes(key)) names.push(key);
  }
  return [...groups].map(([group, rows]) => [group, [...rows]]);
}
